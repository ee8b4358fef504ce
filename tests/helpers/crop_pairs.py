# SPDX-License-Identifier: Apache-2.0
"""Drawn poses of small crops, and descriptors to value them by."""

from __future__ import annotations

import numpy as np
import torch

from disa.training.learning.pose_error import Descriptors
from disa.training.sampling.crops import sample_crops
from disa.training.sampling.pairs import CropPair, PairSampler
from disa.training.sampling.poses import PoseDraw, draw_poses
from helpers.wavy_volumes import CONFIG, oblique_affine, wavy

CHANNELS = 4
SETTINGS = CONFIG.changed(
    crop_size=24, border=4, similarity="ncc", pose_weight=1.0, poses=3, pose_samples=20, max_displacement=6.0,
    other_places=5,
)  # fmt: skip


def drawn(seed: int, **changes: object) -> tuple[PoseDraw, list[CropPair]]:
    """What is drawn for two pairs of a volume with itself on turned grids."""
    torch.manual_seed(seed)
    settings = SETTINGS.changed(**changes)
    sampler = PairSampler([wavy(oblique_affine(seed))], settings, np.random.default_rng(seed))
    pairs = [sampler.draw() for _ in range(2)]
    volumes = [p.fixed for p in pairs] + [p.moving for p in pairs]
    grids = [p.fixed_grid for p in pairs] + [p.seen_grid for p in pairs]
    return draw_poses(pairs, *sample_crops(volumes, grids), settings), pairs


def random_descriptors(seed: int, side: int = 24) -> Descriptors:
    torch.manual_seed(seed)
    return Descriptors(*(torch.randn(2, CHANNELS, *(cells,) * 3) for cells in (side // 4, side // 2, side // 2)))


def read(field: np.ndarray, point: np.ndarray, stride: int) -> np.ndarray:
    """Trilinear at a voxel x, y, z of a field (channels, z, y, x), by a loop; 0 beyond it."""
    at = point[::-1] / stride
    low = np.floor(at).astype(int)
    total = np.zeros(len(field))
    for corner in np.ndindex(2, 2, 2):
        index = low + corner
        if (index >= 0).all() and (index < field.shape[1:]).all():
            total += np.prod(np.where(corner, at - low, 1 - (at - low))) * field[(slice(None), *index)]
    return total


def cell(index: int, side: int) -> tuple[int, int, int]:
    """z, y, x of a flat index."""
    z, y, x = np.unravel_index(index, (side,) * 3)
    return int(z), int(y), int(x)


def cross_entropy(values: list[float] | np.ndarray) -> float:
    """Of the first one."""
    return float(np.log(np.exp(np.asarray(values) - values[0]).sum()))
