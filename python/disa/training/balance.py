"""Errors in which every bin of the target counts alike, as if the target were uniform in [0, 1]."""

from __future__ import annotations

import torch
from torch import Tensor

MIN_SHARE = 2e-4
MEMORY = 0.98


def bin_of(target: Tensor, bins: int) -> Tensor:
    """Index of each value's bin of [0, 1], int64, the shape of `target`."""
    return (target * bins).long().clamp(0, bins - 1)


class BinWeights:
    """Weights of squared errors, the inverse shares of the target's bins, averaged over steps.

    Args:
        bins: in [0, 1].
        device: of the targets.
    """

    def __init__(self, bins: int, device: torch.device) -> None:
        self.shares = torch.full((bins,), 1 / bins, device=device)

    def update(self, target: Tensor) -> Tensor:
        """Count `target` and return the weight of each bin."""
        bins = len(self.shares)
        counts = torch.histc(target, bins, 0, 1)
        self.shares = MEMORY * self.shares + (1 - MEMORY) * counts / target.numel()
        return 1 / (bins * self.shares.clamp_min(MIN_SHARE))


def weighted_error(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Mean squared error with a weight for each bin of the target, a scalar."""
    return (weights[bin_of(target, len(weights))] * (predicted - target).square()).mean()


class BinStatistics:
    """Sums for the error with equal bins and for the correlation, over many batches."""

    def __init__(self, bins: int) -> None:
        self._error = torch.zeros(bins, dtype=torch.float64)
        self._count = torch.zeros(bins, dtype=torch.float64)
        self._moments = torch.zeros(5, dtype=torch.float64)

    def add(self, predicted: Tensor, target: Tensor) -> None:
        """Count a batch of any one shape."""
        p, t = predicted.flatten().double(), target.flatten().double()
        index = bin_of(t, len(self._count))
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
