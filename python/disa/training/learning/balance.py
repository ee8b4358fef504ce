"""Errors in which every bin of the target counts alike, as if the target were uniform over its range."""

from __future__ import annotations

import torch
from torch import Tensor

from disa.training.team import ALONE, Team

MIN_SHARE = 2e-4
MEMORY = 0.98

Range = tuple[float, float]


def bin_of(target: Tensor, bins: int, extent: Range) -> Tensor:
    """Index of each value's bin of `extent`, int64, the shape of `target`."""
    low, high = extent
    return ((target - low) * (bins / (high - low))).long().clamp(0, bins - 1)


class BinWeights:
    """Weights of squared errors, the inverse shares of the target's bins, averaged over steps.

    Args:
        bins: in `extent`.
        extent: lowest and highest value of the target.
        device: of the targets.
        team: processes that each see a part of the target, and all count all of it.
    """

    def __init__(self, bins: int, extent: Range, device: torch.device, team: Team = ALONE) -> None:
        self.shares = torch.full((bins,), 1 / bins, device=device)
        self._extent, self._team = extent, team

    def update(self, target: Tensor) -> Tensor:
        """Count `target` and return the weight of each bin."""
        bins = len(self.shares)
        counts = self._team.mean(torch.histc(target, bins, *self._extent))
        self.shares = MEMORY * self.shares + (1 - MEMORY) * counts / target.numel()
        return 1 / (bins * self.shares.clamp_min(MIN_SHARE))


def weighted_error(predicted: Tensor, target: Tensor, weights: Tensor, extent: Range, interval_share: float) -> Tensor:
    """Mean squared error, part with a weight for each bin of the target, part as the paper's sampling weighs pairs.

    Args:
        predicted, target: shape (batch, n, m).
        weights: of the bins of `extent`.
        extent: lowest and highest value of the target.
        interval_share: of the second part, `interval_shares` of each fixed position.

    Returns:
        A scalar.
    """
    squares = (predicted - target).square()
    of_bins = (weights[bin_of(target, len(weights), extent)] * squares).mean()
    of_intervals = (interval_shares(target, extent) * squares).sum(-1).mean()
    return torch.lerp(of_bins, of_intervals, interval_share)


def interval_shares(target: Tensor, extent: Range) -> Tensor:
    """How often each value of the last axis is the one closest to a t drawn uniformly from `extent`.

    The paper's sampling of pairs (section 3), for all pairs at once.

    Returns:
        The shape of `target`; the last axis adds up to 1.
    """
    values, order = target.sort(dim=-1)
    ends = torch.ones_like(values[..., :1])
    edges = torch.cat([extent[0] * ends, (values[..., 1:] + values[..., :-1]) / 2, extent[1] * ends], dim=-1)
    shares = edges.diff(dim=-1) / (extent[1] - extent[0])
    return torch.zeros_like(target).scatter(-1, order, shares)


class BinStatistics:
    """Sums for the error with equal bins of `extent` and for the correlation, over many batches."""

    def __init__(self, bins: int, extent: Range) -> None:
        self._extent = extent
        self._error = torch.zeros(bins, dtype=torch.float64)
        self._count = torch.zeros(bins, dtype=torch.float64)
        self._moments = torch.zeros(5, dtype=torch.float64)

    def add(self, predicted: Tensor, target: Tensor) -> None:
        """Count a batch of any one shape."""
        p, t = predicted.flatten().double(), target.flatten().double()
        index = bin_of(t, len(self._count), self._extent)
        self._error += torch.bincount(index, (p - t).square(), len(self._count)).cpu()
        self._count += torch.bincount(index, minlength=len(self._count)).cpu()
        self._moments += torch.stack([p.sum(), t.sum(), p @ p, t @ t, p @ t]).cpu()

    @property
    def bin_errors(self) -> Tensor:
        """Mean squared error in each bin, NaN in empty ones."""
        return self._error / self._count

    @property
    def error(self) -> float:
        """Mean over non-empty bins of the mean squared error."""
        return float(self.bin_errors.nanmean())

    @property
    def correlation(self) -> float:
        """Pearson's correlation over all pairs, each counting alike."""
        n = self._count.sum()
        p, t, pp, tt, pt = self._moments / n
        return float((pt - p * t) / ((pp - p * p) * (tt - t * t)).sqrt())
