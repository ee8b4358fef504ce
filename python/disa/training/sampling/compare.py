# SPDX-License-Identifier: Apache-2.0
"""From crop pairs to predicted and true similarity of all positions of one crop with the other's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from disa.training.compiled import fast
from disa.training.config import TrainingConfig
from disa.training.model.network import CELL, DISANet
from disa.training.sampling.augment import disturb, fade, remap, spoil
from disa.training.sampling.crops import (
    grid_points,
    map_points,
    read_descriptors,
    sample_crops,
    to_device,
)
from disa.training.sampling.geometry import grid_to_grid
from disa.training.sampling.pairs import CropPair
from disa.training.sampling.poses import PoseDraw, draw_index, draw_poses
from disa.training.targets.boxes import local_variance
from disa.training.targets.patches import extract
from disa.training.targets.similarity import Similarity, find_similarity

JITTER = 1.5


class Batch(NamedTuple):
    """Crops, positions and target of a batch of pairs.

    Attributes:
        fixed, moving: what the network sees, shape (batch, z, y, x).
        fixed_points, moving_points: positions in those crops, voxels, (batch, count, 3), x, y, z.
        target: similarity of all position pairs, shape (batch, count, count), fixed first.
        poses: what the losses on places compare; None if both are off.
    """

    fixed: Tensor
    moving: Tensor
    fixed_points: Tensor
    moving_points: Tensor
    target: Tensor
    poses: PoseDraw | None = None


@torch.no_grad()
def make_batch(pairs: list[CropPair], config: TrainingConfig, augment: bool) -> Batch:
    """Sample crops, draw positions and compute the target.

    Args:
        pairs: what to compare.
        config: sizes, shares and strengths.
        augment: change intensities; geometry is already in `pairs`.
    """
    similarity = find_similarity(config.similarity)
    margin = similarity.radius + 1
    count = len(pairs)
    volumes = [p.fixed for p in pairs] + [p.moving for p in pairs]
    parallel = [p.fixed_grid for p in pairs] + [p.moving_grid for p in pairs]
    grids = [p.fixed_grid for p in pairs] + [p.seen_grid for p in pairs]
    sampled, inside = sample_crops(volumes + volumes[count:], parallel + grids[count:])
    crops, seen = sampled[: 2 * count], torch.cat([sampled[:count], sampled[2 * count :]])
    if augment:
        crops, seen = remap(crops, seen, config.remap_share)
        if config.faint_share:
            crops, seen = fade(crops, seen, config.faint_share)

    to_seen = to_device(grid_to_grid(parallel, grids).astype(np.float32), crops.device)
    mask = _allowed(to_seen, inside[: 2 * count], config.border, margin)
    shares = np.array([config.weighted_share, config.moving_weighted_share], np.float32)
    weighted_shares = to_device(shares.repeat(count), crops.device)
    fixed, moving = _draw(crops, mask, weighted_shares, config.positions, margin).chunk(2)
    fixed = _nearest_cells(fixed)
    common = to_device(np.array([p.common for p in pairs]), crops.device)
    moving = _correspond(moving, fixed, mask[count:], common, config.corresponding_share)
    on_cells = torch.rand(count, config.positions, 1, device=crops.device) < config.moving_on_cells
    moving = torch.where(on_cells, _nearest_cells(moving), moving)

    target = _scores(crops, torch.cat([fixed, moving]), similarity)
    clean = seen
    if augment:
        if config.artefact_share:
            seen = spoil(seen, config.artefact_share, config.border)
        seen = disturb(seen, 0.0 if similarity.sees_sign else config.flip_sign_share, config.noise)
    moving_points = map_points(to_seen[count:], moving.flip(-1).float())
    poses = None
    if config.pose_weight or config.position_weight:
        poses = draw_poses(pairs, clean, torch.cat([inside[:count], inside[2 * count :]]), config)
    return Batch(seen[:count], seen[count:], fixed.flip(-1).float(), moving_points, target, poses)


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
    return left @ right.transpose(1, 2)


@fast
def _allowed(to_seen: Tensor, inside: Tensor, border: int, margin: int) -> Tensor:
    """Where positions may be: in the volume, with room for a patch, and away from the border of what is seen.

    Args:
        to_seen: maps from the parallel grid to the one that the network sees, shape (count, 3, 4).
        inside: whether a voxel of the parallel grid is in the volume, shape (count, z, y, x).
        border: voxels between a position and the border of what the network sees.
        margin: voxels that a position needs on every side.
    """
    last = inside.shape[1] - 1
    points = grid_points(to_seen, last + 1)
    steps = torch.arange(last + 1, device=inside.device)
    room = margin + CELL // 2  # a position may yet move to a cell
    roomy = (steps >= room) & (steps <= last - room)
    roomy = roomy[:, None, None] & roomy[:, None] & roomy
    return inside & roomy & ((points >= border) & (points <= last - border)).all(dim=-1)


@fast
def _draw(crops: Tensor, mask: Tensor, weighted_shares: Tensor, count: int, margin: int) -> Tensor:
    """Positions inside a mask, part in proportion to local variance and part uniform.

    Args:
        crops: shape (batch, z, y, x).
        mask: the same shape, where positions may be.
        weighted_shares: shape (batch,), of the former part.
        count: of positions a crop.
        margin: voxels between a position and every border.

    Returns:
        Shape (batch, count, 3), integers in z, y, x order, `margin` or more voxels from every border.
    """
    batch, size = crops.shape[:2]
    uniform = mask.float()
    weight = local_variance(crops) * uniform
    weight = weight / weight.sum((1, 2, 3), keepdim=True).clamp_min(1e-9)
    uniform = uniform / uniform.sum((1, 2, 3), keepdim=True).clamp_min(1e-9)
    probability = torch.lerp(uniform, weight, weighted_shares[:, None, None, None])
    rows = probability.flatten(1, 2)
    row = draw_index(rows.sum(-1), count)
    of_row = rows.gather(1, row[..., None].expand(-1, -1, size))
    column = draw_index(of_row.flatten(0, 1), 1).view(batch, count)
    # The middle if the mask is empty; and rounding must not lead to where no patch fits.
    positions = torch.stack([row // size, row % size, column], dim=-1)
    positions = torch.where(mask.flatten(1).any(1)[:, None, None], positions, size // 2)
    return positions.clamp(margin, size - 1 - margin)


def _nearest_cells(positions: Tensor) -> Tensor:
    """The stride-4 cells nearest to positions."""
    return (positions + CELL // 2) // CELL * CELL


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


@fast
def _scores(crops: Tensor, positions: Tensor, similarity: Similarity) -> Tensor:
    """Similarity of all position pairs, its source a side drawn for each pair (paper, section 3).

    Args:
        crops: fixed, then moving ones, shape (2 batch, z, y, x).
        positions: likewise, shape (2 batch, count, 3), z, y, x.
        similarity: of patches.
    """
    (fixed, moving), (at, to) = crops.chunk(2), positions.chunk(2)
    swap = torch.rand(len(fixed), 1, 1, device=fixed.device) < 0.5
    first, second = torch.where(swap[..., None], moving, fixed), torch.where(swap[..., None], fixed, moving)
    source = extract(first, torch.where(swap, to, at), similarity.radius, similarity.reads_gradient)
    target = extract(second, torch.where(swap, at, to), similarity.radius, with_gradient=False)
    values = similarity(source, target)
    return torch.where(swap, values.transpose(1, 2), values)
