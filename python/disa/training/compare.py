"""From crop pairs to predicted and true similarity of all positions of one crop with the other's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from disa.training.augment import disturb, remap
from disa.training.config import TrainingConfig
from disa.training.crops import (
    grid_points,
    map_points,
    read_descriptors,
    sample_crops,
    to_device,
)
from disa.training.lc2 import MARGIN, extract, lc2_matrix, local_variance
from disa.training.network import DISANet
from disa.training.pairs import CropPair

CELL = 4
JITTER = 1.5


@dataclass(frozen=True)
class Batch:
    """Crops, positions and target of a batch of pairs.

    Attributes:
        fixed, moving: what the network sees, shape (batch, z, y, x).
        fixed_points, moving_points: positions in those crops, voxels, (batch, count, 3), x, y, z.
        target: LC² of all position pairs, shape (batch, count, count), fixed first.
    """

    fixed: Tensor
    moving: Tensor
    fixed_points: Tensor
    moving_points: Tensor
    target: Tensor


@torch.no_grad()
def make_batch(pairs: list[CropPair], config: TrainingConfig, augment: bool) -> Batch:
    """Sample crops, draw positions and compute the target.

    Args:
        pairs: what to compare.
        config: sizes, shares and strengths.
        augment: change intensities; geometry is already in `pairs`.
    """
    fixed_crop, fixed_inside = sample_crops([p.fixed for p in pairs], [p.fixed_grid for p in pairs])
    moving_crop, moving_inside = sample_crops([p.moving for p in pairs], [p.moving_grid for p in pairs])
    moving_seen, _ = sample_crops([p.moving for p in pairs], [p.seen_grid for p in pairs])
    if augment:
        fixed_crop, _ = remap(fixed_crop, fixed_crop, config.remap_share)
        moving_crop, moving_seen = remap(moving_crop, moving_seen, config.remap_share)

    to_seen = to_device(
        np.stack([p.moving_grid.to_grid(p.seen_grid) for p in pairs]).astype(np.float32),
        fixed_crop.device,
    )
    fixed_mask = fixed_inside & _away_from_border(fixed_crop, config.border)
    moving_mask = moving_inside & _away_from_border(moving_crop, MARGIN) & _seen_away_from_border(to_seen, config)
    fixed_positions = _draw(fixed_crop, fixed_mask, config)
    fixed_positions = _on_cells(fixed_positions, config.fixed_on_cells)
    moving_positions = _draw(moving_crop, moving_mask, config)
    common = to_device(np.array([p.common for p in pairs]), fixed_crop.device)
    moving_positions = _correspond(moving_positions, fixed_positions, moving_mask, common, config.corresponding_share)
    moving_positions = _on_cells(moving_positions, config.moving_on_cells)

    target = _random_side_lc2(fixed_crop, fixed_positions, moving_crop, moving_positions)
    if augment:
        fixed_crop = disturb(fixed_crop, config.flip_sign_share, config.noise)
        moving_seen = disturb(moving_seen, config.flip_sign_share, config.noise)
    return Batch(
        fixed_crop,
        moving_seen,
        fixed_positions.flip(-1).float(),
        map_points(to_seen, moving_positions.flip(-1).float()),
        target,
    )


def predict(fixed_network: DISANet, moving_network: DISANet, batch: Batch) -> Tensor:
    """Dot products of the descriptors at all position pairs, shape of `batch.target`.

    The two networks may differ in stride, and share weights.
    """
    if fixed_network is moving_network:
        both = fixed_network(torch.cat([batch.fixed, batch.moving])[:, None])
        fixed, moving = both.chunk(2)
    else:
        fixed = fixed_network(batch.fixed[:, None])
        moving = moving_network(batch.moving[:, None])
    left = read_descriptors(fixed, batch.fixed_points, fixed_network.stride)
    right = read_descriptors(moving, batch.moving_points, moving_network.stride)
    with torch.autocast(left.device.type, enabled=False):
        return left.float() @ right.float().transpose(1, 2)


def _away_from_border(crops: Tensor, border: int) -> Tensor:
    """True where a voxel is at least `border` voxels from every face, shape (z, y, x)."""
    mask = torch.zeros(crops.shape[1:], dtype=torch.bool, device=crops.device)
    inner = slice(border, -border)
    mask[inner, inner, inner] = True
    return mask


def _seen_away_from_border(to_seen: Tensor, config: TrainingConfig) -> Tensor:
    """True where a voxel of the parallel grid is well inside the grid that the network sees."""
    points = grid_points(to_seen, config.crop_size)
    low, high = config.border, config.crop_size - 1 - config.border
    return ((points >= low) & (points <= high)).all(dim=-1)


def _draw(crops: Tensor, mask: Tensor, config: TrainingConfig) -> Tensor:
    """Positions inside a mask, part in proportion to local variance and part uniform.

    Returns:
        Shape (batch, config.positions, 3), integers in z, y, x order.
    """
    uniform = mask.flatten(1).float()
    size = crops.shape[1]
    middle = ((size // 2) * size + size // 2) * size + size // 2
    uniform[:, middle] += 1e-6  # something to draw from an empty mask
    weight = local_variance(crops).flatten(1) * uniform
    share = config.weighted_share
    probability = share * weight / weight.sum(1, keepdim=True).clamp_min(1e-9)
    probability += (1 - share) * uniform / uniform.sum(1, keepdim=True)
    flat = torch.multinomial(probability, config.positions, replacement=True)
    return torch.stack([flat // size**2, flat // size % size, flat % size], dim=-1)


def _on_cells(positions: Tensor, share: float) -> Tensor:
    """Move a share of positions to the nearest stride-4 cell."""
    snapped = (positions + CELL // 2) // CELL * CELL
    chosen = torch.rand(positions.shape[:2], device=positions.device) < share
    return torch.where(chosen[..., None], snapped, positions)


def _correspond(moving: Tensor, fixed: Tensor, mask: Tensor, common: Tensor, share: float) -> Tensor:
    """Put a share of moving positions at or near the fixed ones, where the grids coincide.

    Args:
        moving, fixed: positions, shape (batch, count, 3), z, y, x.
        mask: where moving positions may be, shape (batch, z, y, x).
        common: whether a pair's grids coincide, shape (batch,).
        share: of positions.
    """
    jitter = (JITTER * torch.randn(fixed.shape, device=fixed.device)).round().long()
    jitter *= torch.rand(fixed.shape[:2], device=fixed.device)[..., None] < 0.5
    near = (fixed + jitter).clamp(0, mask.shape[1] - 1)
    row = torch.arange(len(mask), device=mask.device)[:, None]
    allowed = mask[row, near[..., 0], near[..., 1], near[..., 2]] & common[:, None]
    chosen = torch.rand(fixed.shape[:2], device=fixed.device) < share
    return torch.where((allowed & chosen)[..., None], near, moving)


def _random_side_lc2(fixed: Tensor, fixed_positions: Tensor, moving: Tensor, moving_positions: Tensor) -> Tensor:
    """LC² with the gradient taken from a side drawn for each pair (paper, section 3)."""
    swap = torch.rand(len(fixed), 1, 1, device=fixed.device) < 0.5
    swap_crop = swap[..., None]
    source = extract(
        torch.where(swap_crop, moving, fixed),
        torch.where(swap, moving_positions, fixed_positions),
        with_gradient=True,
    )
    target = extract(
        torch.where(swap_crop, fixed, moving),
        torch.where(swap, fixed_positions, moving_positions),
        with_gradient=False,
    )
    values = lc2_matrix(source, target)
    return torch.where(swap, values.transpose(1, 2), values)
