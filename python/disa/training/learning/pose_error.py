# SPDX-License-Identifier: Apache-2.0
"""A loss on poses: of a crop pair's displaced poses, the metric should value the right one most.

The metric is that of docs/concepts.md, with a crop as the image: both crops give samples, drawn by the root of local
variance and read in the other one's descriptors, these less their weighted mean, and smoothed as a search smooths them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from disa.training.learning.smoothing import smoothed
from disa.training.model.network import CELL
from disa.training.sampling.crops import map_points, read_descriptors
from disa.training.sampling.poses import FIELD_STRIDE, PoseDraw

#: Voxels; a search that begins with this kernel lets overlap pay, so descriptors keep their mean.
WIDEST = 12.0


class Descriptors(NamedTuple):
    """Of a batch of crop pairs, shape (batch, channels, z, y, x), float32.

    Attributes:
        samples: of the fixed crops, stride 4.
        fixed, moving: stride 2.
    """

    samples: Tensor
    fixed: Tensor
    moving: Tensor


def pose_error(values: Tensor, draw: PoseDraw, temperature: float) -> Tensor:
    """Cross-entropy of poses with the first one, mean over the pairs whose right pose is known; a scalar.

    Args:
        values: `pose_values`.
        draw: what they are of.
        temperature: difference of values that makes a pose e times as likely.
    """
    right = torch.zeros(len(values), dtype=torch.long, device=values.device)
    entropies = functional.cross_entropy(values / temperature, right, reduction="none")
    valid = comparable(draw)
    return (entropies * valid).sum() / valid.sum().clamp_min(1)


def comparable(draw: PoseDraw) -> Tensor:
    """Pairs whose right pose is known and whose crops both show something, shape (batch,)."""
    shown = [weights.flatten(1).any(1) for weights in (draw.fixed_weights, draw.moving_weights)]
    return draw.known & shown[0] & shown[1]


def pose_values(descriptors: Descriptors, draw: PoseDraw, reach: int) -> Tensor:
    """What the metric gives for each pose, higher is better.

    Args:
        descriptors: of the crops.
        draw: poses, samples and weights.
        reach: `kernel_reach` of the widest smoothing, at stride 2.

    Returns:
        Shape (batch, poses).
    """
    step = slice(None, None, CELL // FIELD_STRIDE)
    samples = descriptors.samples, descriptors.moving[:, :, step, step, step]
    centred = (draw.widths < WIDEST)[:, None]
    weights = draw.fixed_weights, draw.moving_weights
    means = [centred * mean_descriptor(*of) for of in zip(samples, weights, strict=True)]
    fields = [
        _field(of, inside, mean, draw.widths, reach)
        for of, inside, mean in zip(
            (descriptors.fixed, descriptors.moving), (draw.fixed_inside, draw.moving_inside), means, strict=True
        )
    ]
    fixed = at_cells(samples[0], draw.fixed_cells) - means[0][:, None]
    moving = at_cells(samples[1], draw.moving_cells) - means[1][:, None]

    displaced = _under(draw.displacements, cell_points(draw.fixed_cells, samples[0].shape[-1]))
    to_moving = map_points(draw.to_moving, displaced.flatten(1, 2))
    in_place = map_points(draw.to_fixed, cell_points(draw.moving_cells, samples[1].shape[-1]))
    to_fixed = _under(inverse(draw.displacements), in_place).flatten(1, 2)
    return 0.5 * (_products(fixed, fields[1], to_moving) + _products(moving, fields[0], to_fixed))


def mean_descriptor(descriptors: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean, shape (batch, channels), 0 where nothing has a weight."""
    total = weights.sum((1, 2, 3))[:, None].clamp_min(1e-9)
    return (descriptors * weights[:, None]).sum((2, 3, 4)) / total


def at_cells(descriptors: Tensor, cells: Tensor) -> Tensor:
    """Descriptors of cells by their flat indices, shape (batch, count, channels)."""
    flat = descriptors.flatten(2)
    return flat.gather(2, cells[:, None].expand(-1, flat.shape[1], -1)).transpose(1, 2)


def cell_points(cells: Tensor, side: int) -> Tensor:
    """Voxels x, y, z of stride-4 cells, shape (batch, count, 3), of a crop of `side` cells a side."""
    return CELL * torch.stack([cells % side, cells // side % side, cells // side**2], dim=-1).float()


def inverse(rigid: Tensor) -> Tensor:
    """Of rigid transforms, shape (..., 3, 4)."""
    turn, shift = rigid[..., :3], rigid[..., 3]
    back = -(turn * shift[..., None]).sum(-2)
    return torch.cat([turn.transpose(-1, -2), back[..., None]], dim=-1)


def _under(transforms: Tensor, points: Tensor) -> Tensor:
    """Points (batch, count, 3) under each of (batch, poses, 3, 4), in full precision: (batch, poses, count, 3)."""
    turned = (transforms[:, :, None, :, :3] * points[:, None, :, None, :]).sum(-1)
    return turned + transforms[:, :, None, :, 3]


def _field(descriptors: Tensor, inside: Tensor, mean: Tensor, widths: Tensor, reach: int) -> Tensor:
    """Cut, centred, smoothed and cut again, as C++ disa/features/Field.h."""
    inside = inside[:, None]
    centred = inside * (descriptors - mean[:, :, None, None, None])
    return inside * smoothed(centred, widths, FIELD_STRIDE, reach)


def _products(samples: Tensor, field: Tensor, points: Tensor) -> Tensor:
    """Mean product of samples (batch, count, channels) with what is read at (batch, poses * count, 3)."""
    read = read_descriptors(field, points, FIELD_STRIDE, "zeros").unflatten(1, (-1, samples.shape[1]))
    return (read * samples[:, None]).sum(-1).mean(-1)
