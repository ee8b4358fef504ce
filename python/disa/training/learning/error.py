"""The error that a step of training lowers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from disa.training.compiled import fast
from disa.training.learning.balance import Range, weighted_error
from disa.training.model.folded import head, trunk
from disa.training.model.network import DISANet
from disa.training.sampling.compare import Batch
from disa.training.sampling.crops import read_descriptors


class Form(NamedTuple):
    """What stays the same from step to step.

    Attributes:
        extent: lowest and highest value of the target.
        dtype: of the network's arithmetic.
        interval_share: see `weighted_error`.
    """

    extent: Range
    dtype: torch.dtype
    interval_share: float


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
        self.network, self.form = network, Form(extent, dtype, interval_share)

    def forward(self, batch: Batch, weights: Tensor) -> Tensor:
        """A scalar.

        Args:
            batch: crops, positions and target.
            weights: of the target's bins.
        """
        return _error(weights, batch, self.network, self.form)


@fast
def _error(weights: Tensor, batch: Batch, network: DISANet, form: Form) -> Tensor:
    x = trunk(network, torch.cat([batch.fixed, batch.moving]), form.dtype)
    count = len(batch.fixed)
    left = read_descriptors(head(network, x[:count], 4), batch.fixed_points, 4)
    right = read_descriptors(head(network, x[count:], 2), batch.moving_points, 2)
    return weighted_error(left @ right.transpose(1, 2), batch.target, weights, form.extent, form.interval_share)
