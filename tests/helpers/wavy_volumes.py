# SPDX-License-Identifier: Apache-2.0
"""Volumes of one wavy world on grids of any direction, and settings for pairs of them."""

from __future__ import annotations

import numpy as np
import torch

from disa.training.config import TrainingConfig
from disa.training.data.volumes import Volume, VolumeInfo
from disa.training.sampling.geometry import random_turn

CONFIG = TrainingConfig(
    batch_pairs=2, crop_size=40, positions=16, aligned_share=0, self_share=1,
    turned_share=1, unshifted_share=0, moving_on_cells=0, remap_share=0,
)  # fmt: skip


def info(name: str, group: str = "") -> VolumeInfo:
    return VolumeInfo(name, "CT", name, group, "train")


def wavy(affine: np.ndarray, name: str = "wavy", size: tuple[int, int, int] = (44, 48, 52)) -> Volume:
    """A smooth function of world position, sampled on a grid."""
    z, y, x = np.meshgrid(*map(np.arange, size), indexing="ij")
    world = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ affine.T
    data = np.sin(0.10 * world[..., 0]) + np.cos(0.13 * world[..., 1] + 0.07 * world[..., 2])
    return Volume(info(name, "g"), torch.tensor(data, dtype=torch.float32), affine)


def oblique_affine(seed: int) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = 2 * random_turn(np.random.default_rng(seed), 40)
    affine[:3, 3] = [-50, 30, 10]
    return affine
