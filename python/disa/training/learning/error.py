"""The error that a step of training lowers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from disa.training.compiled import fast
from disa.training.learning.balance import Range, weighted_error
from disa.training.model.folded import head, trunk
from disa.training.model.network import DISANet
from disa.training.sampling.compare import Batch
from disa.training.sampling.crops import read_descriptors


class DescriptorError(nn.Module):
    """Weighted squared error of stride-4 fixed with stride-2 moving descriptors, as the metric uses them.

    A module, so that DistributedDataParallel can hold it.

    Args:
        network: weights.
        extent: of the target.
        dtype: of the network's arithmetic.
        interval_share: see `weighted_error`.
    """

    def __init__(self, network: DISANet, extent: Range, dtype: torch.dtype, interval_share: float) -> None:
        super().__init__()
        self.network, self.extent, self.dtype, self.interval_share = network, extent, dtype, interval_share

    def forward(self, batch: Batch, weights: Tensor) -> Tensor:
        """A scalar.

        Args:
            batch: crops, positions and target.
            weights: of the target's bins.
        """
        return _error(*batch, weights, self.network, self.extent, self.dtype, self.interval_share)


@fast
def _error(
    fixed: Tensor,
    moving: Tensor,
    fixed_points: Tensor,
    moving_points: Tensor,
    target: Tensor,
    weights: Tensor,
    network: DISANet,
    extent: Range,
    dtype: torch.dtype,
    interval_share: float,
) -> Tensor:
    x = trunk(network, torch.cat([fixed, moving]), dtype)
    left = read_descriptors(head(network, x[: len(fixed)], 4), fixed_points, 4)
    right = read_descriptors(head(network, x[len(fixed) :], 2), moving_points, 2)
    return weighted_error(left @ right.transpose(1, 2), target, weights, extent, interval_share)
