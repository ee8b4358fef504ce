# SPDX-License-Identifier: Apache-2.0
"""The errors that a step of training lowers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from disa.training.compiled import fast
from disa.training.config import TrainingConfig
from disa.training.learning.balance import Range, weighted_error
from disa.training.learning.pose_error import Descriptors, pose_error, pose_values
from disa.training.learning.position_error import position_error
from disa.training.learning.smoothing import kernel_reach
from disa.training.model.folded import head, trunk
from disa.training.model.network import DISANet
from disa.training.sampling.compare import Batch
from disa.training.sampling.crops import read_descriptors
from disa.training.sampling.poses import FIELD_STRIDE, PoseDraw


class Form(NamedTuple):
    """What stays the same from step to step.

    Attributes:
        extent: lowest and highest value of the target.
        dtype: of the network's arithmetic.
        interval_share: see `weighted_error`.
        pose_weight, position_weight: of the losses on places; 0: not computed.
        pose_temperature, position_temperature: see `pose_error`, `position_error`.
        reach: cells that the widest smoothing covers on either side.
    """

    extent: Range
    dtype: torch.dtype
    interval_share: float
    pose_weight: float = 0.0
    position_weight: float = 0.0
    pose_temperature: float = 1.0
    position_temperature: float = 1.0
    reach: int = 0

    @staticmethod
    def of(config: TrainingConfig, extent: Range, dtype: torch.dtype) -> Form:
        """What the settings say."""
        return Form(
            extent,
            dtype,
            config.interval_share,
            config.pose_weight,
            config.position_weight,
            config.pose_temperature,
            config.position_temperature,
            kernel_reach(max(config.smoothings), FIELD_STRIDE),
        )


class Errors(NamedTuple):
    """Scalars.

    Attributes:
        similarity: weighted squared error against the similarity.
        pose, position: cross-entropies of the losses on places, 0 where they are off.
    """

    similarity: Tensor
    pose: Tensor
    position: Tensor

    def total(self, form: Form) -> Tensor:
        """What a step lowers."""
        total = self.similarity
        if form.pose_weight:
            total = total + form.pose_weight * self.pose
        if form.position_weight:
            total = total + form.position_weight * self.position
        return total


class DescriptorError(nn.Module):
    """Errors of stride-4 fixed with stride-2 moving descriptors, as the metric uses them.

    A module, so that DistributedDataParallel can hold it.

    Args:
        network: weights.
        form: what is computed, and how.
    """

    def __init__(self, network: DISANet, form: Form) -> None:
        super().__init__()
        self.network, self.form = network, form

    def forward(self, batch: Batch, weights: Tensor) -> Errors:
        """The errors of a batch.

        Args:
            batch: crops, positions and target, with poses if the losses on places are on.
            weights: of the target's bins.
        """
        return _errors(weights, batch, self.network, self.form)


@fast
def _errors(weights: Tensor, batch: Batch, network: DISANet, form: Form) -> Errors:
    x = trunk(network, torch.cat([batch.fixed, batch.moving]), form.dtype)
    count = len(batch.fixed)
    samples, moving = head(network, x[:count], 4), head(network, x[count:], 2)
    left = read_descriptors(samples, batch.fixed_points, 4)
    right = read_descriptors(moving, batch.moving_points, 2)
    error = weighted_error(left @ right.transpose(1, 2), batch.target, weights, form.extent, form.interval_share)
    pose = position = torch.zeros_like(error)
    if batch.poses is not None and form.pose_weight:
        descriptors = Descriptors(samples, head(network, x[:count], 2), moving)
        pose = pose_error(pose_values(descriptors, batch.poses, form.reach), batch.poses, form.pose_temperature)
    if batch.poses is not None and form.position_weight:
        position = position_error(samples, moving, batch.poses, form.position_temperature)
    return Errors(error, pose, position)


@fast
def crop_values(fixed: Tensor, moving: Tensor, draw: PoseDraw, network: DISANet, form: Form) -> Tensor:
    """What the metric gives for each pose of each crop pair, shape (batch, poses); see `pose_values`.

    Args:
        fixed, moving: what the network sees, shape (batch, z, y, x).
        draw: poses, samples and weights.
        network: weights.
        form: how it is computed.
    """
    x = trunk(network, torch.cat([fixed, moving]), form.dtype)
    count = len(fixed)
    dense = head(network, x, 2)
    descriptors = Descriptors(head(network, x[:count], 4), dense[:count], dense[count:])
    return pose_values(descriptors, draw, form.reach)
