# SPDX-License-Identifier: Apache-2.0
"""What the losses on places compare: displaced poses of a crop pair, and places beside the right one.

Only pairs whose crops lie in common world space, on different grids, have a right pose and right places. All else is
drawn for every pair, so that shapes stay the same from step to step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from disa.training.compiled import fast
from disa.training.config import TrainingConfig
from disa.training.model.network import CELL
from disa.training.sampling.crops import to_device
from disa.training.sampling.geometry import grid_to_grid
from disa.training.sampling.pairs import CropPair
from disa.training.targets.boxes import local_variance

#: Stride of the descriptors that samples are read in.
FIELD_STRIDE = 2
#: A wrong pose is off by this share of the smoothing's width, at least: a wide kernel tells near poses apart by chance.
WIDTH_SHARE = 0.25
#: Voxels from the right place to others, at least and at most.
NEAREST, FARTHEST = 2.0, 12.0


class PoseDraw(NamedTuple):
    """Poses and places of a batch of crop pairs. Points and matrices are in voxels of what the network sees, x, y, z.

    Attributes:
        known: whether a pair's right pose is known and its grids differ, shape (batch,).
        to_moving, to_fixed: the right pose and its inverse, shape (batch, 3, 4).
        displacements: of the fixed crop before the right pose, rigid, the first one none, shape (batch, poses, 3, 4).
        widths: of the smoothing, voxels, shape (batch,).
        fixed_weights, moving_weights: of stride-4 cells, 0 where there is no image, shape (batch, z, y, x).
        fixed_inside, moving_inside: 1 where there is an image, else 0, of stride-2 cells, shape (batch, z, y, x).
        fixed_cells, moving_cells: flat indices of stride-4 cells, drawn by their weights, shape (batch, samples).
        offsets: from the right place of each fixed cell to other places, shape (batch, samples, others, 3).
    """

    known: Tensor
    to_moving: Tensor
    to_fixed: Tensor
    displacements: Tensor
    widths: Tensor
    fixed_weights: Tensor
    moving_weights: Tensor
    fixed_inside: Tensor
    moving_inside: Tensor
    fixed_cells: Tensor
    moving_cells: Tensor
    offsets: Tensor


def draw_poses(pairs: list[CropPair], seen: Tensor, inside: Tensor, config: TrainingConfig) -> PoseDraw:
    """Draw what the losses on places compare.

    Args:
        pairs: crop pairs.
        seen: fixed, then moving crops on the grids that the network sees, before they are disturbed, shape
            (2 batch, z, y, x).
        inside: likewise, true inside the volume.
        config: numbers and bounds.
    """
    device = seen.device
    fixed_grids, moving_grids = [p.fixed_grid for p in pairs], [p.seen_grid for p in pairs]
    known = to_device(np.array([p.posed for p in pairs]), device)
    to_moving = to_device(grid_to_grid(fixed_grids, moving_grids).astype(np.float32), device)
    to_fixed = to_device(grid_to_grid(moving_grids, fixed_grids).astype(np.float32), device)
    tolerances = to_device(np.array([p.tolerance for p in pairs], np.float32), device)
    smoothings = to_device(np.array(config.smoothings, np.float32), device)
    widths = smoothings[torch.randint(len(smoothings), (len(pairs),), device=device)]
    side = seen.shape[-1]
    least = torch.maximum(tolerances, WIDTH_SHARE * widths).clamp(config.min_displacement, config.max_displacement)
    displacements = draw_displacements(least, config.max_displacement, config.poses, side, side - 2 * config.border)
    offsets = draw_offsets(tolerances.clamp_min(NEAREST), config.pose_samples // 2, config.other_places)
    weights, fields = _images(seen, inside, config.border)
    cells = draw_index(weights.flatten(1), config.pose_samples // 2)
    count = len(pairs)
    return PoseDraw(
        known,
        to_moving,
        to_fixed,
        displacements,
        widths,
        weights[:count],
        weights[count:],
        fields[:count],
        fields[count:],
        cells[:count],
        cells[count:],
        offsets,
    )


@fast
def _images(seen: Tensor, inside: Tensor, border: int) -> tuple[Tensor, Tensor]:
    """Weights of stride-4 cells, and where stride-2 cells have an image: in the volume, away from the crop's border."""
    steps = torch.arange(seen.shape[-1], device=seen.device)
    roomy = (steps >= border) & (steps < len(steps) - border)
    image = inside & roomy[:, None, None] & roomy[:, None] & roomy
    cells, fields = slice(None, None, CELL), slice(None, None, FIELD_STRIDE)
    weights = local_variance(seen)[:, cells, cells, cells].sqrt() * image[:, cells, cells, cells]
    return weights, image[:, fields, fields, fields].float()


@fast
def draw_displacements(least: Tensor, most: float, count: int, side: int, extent: int) -> Tensor:
    """Rigid displacements about the middle of a crop.

    A displacement's length, the root mean square over a cube in the middle, is uniform in its logarithm. An angle
    uniform in a right angle says which part of its square is turn and which is shift; axis and direction are uniform.

    Args:
        least: shortest length in voxels, shape (batch,).
        most: longest.
        count: of displacements; the first one is none.
        side: voxels a side of the crop.
        extent: voxels a side of that cube.

    Returns:
        Shape (batch, count, 3, 4), acting on voxels x, y, z.
    """
    shape, device = (len(least), count), least.device
    low = least.log()[:, None]
    length = torch.exp(low + (math.log(most) - low) * torch.rand(shape, device=device))
    length = length * (torch.arange(count, device=device) > 0)
    part = 0.5 * math.pi * torch.rand(shape, device=device)
    radius = extent / math.sqrt(6)  # of gyration of a cube about an axis
    angle = 2 * torch.asin((length * part.sin() / (2 * radius)).clamp(max=1))
    axis, heading = torch.nn.functional.normalize(torch.randn(2, *shape, 3, device=device), dim=-1)
    turn = _rotations(axis, angle)
    middle = (side - 1) / 2
    shift = (length * part.cos())[..., None] * heading + middle * (1 - turn.sum(-1))
    return torch.cat([turn, shift[..., None]], dim=-1)


def _rotations(axis: Tensor, angle: Tensor) -> Tensor:
    """Rodrigues' formula: shape (..., 3, 3) from unit axes (..., 3) and angles (...)."""
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    sine, cosine = angle.sin()[..., None, None], angle.cos()[..., None, None]
    outer = axis[..., :, None] * axis[..., None, :]
    return cosine * torch.eye(3, device=axis.device) + sine * cross + (1 - cosine) * outer


def draw_offsets(nearest: Tensor, samples: int, count: int) -> Tensor:
    """Vectors of uniform direction and of a length uniform from `nearest` to `FARTHEST`, or to `nearest` if more.

    Args:
        nearest: voxels, shape (batch,).
        samples: places a pair.
        count: of vectors a place.

    Returns:
        Shape (batch, samples, count, 3).
    """
    shape = (len(nearest), samples, count)
    low = nearest[:, None, None]
    length = torch.lerp(low, low.clamp_min(FARTHEST), torch.rand(shape, device=nearest.device))
    direction = torch.nn.functional.normalize(torch.randn(*shape, 3, device=nearest.device), dim=-1)
    return length[..., None] * direction


def draw_index(weights: Tensor, count: int) -> Tensor:
    """Indices drawn in proportion to weights, shape (n, count), from weights (n, choices)."""
    cumulative = weights.cumsum(1)
    at = torch.rand(len(weights), count, device=weights.device) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, at, right=True).clamp(max=weights.shape[1] - 1)
