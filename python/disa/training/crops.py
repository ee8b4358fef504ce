"""Sampling volumes on crop grids, on the device that holds them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from disa.training.geometry import CropGrid
from disa.training.volumes import Volume


def sample_crops(volumes: list[Volume], grids: list[CropGrid]) -> tuple[Tensor, Tensor]:
    """Trilinear samples of each volume on its grid, the border voxel repeated outside.

    Args:
        volumes: one a crop.
        grids: one a crop, all of one size.

    Returns:
        Crops (count, z, y, x) and a mask of the same shape, true inside the volume.
    """
    size = grids[0].size
    device = volumes[0].data.device
    matrices = np.stack([g.to_index(v.affine) for v, g in zip(volumes, grids, strict=True)])
    # Voxel index to grid_sample's [-1, 1], corner to corner.
    half = np.array([[(n - 1) / 2 for n in v.data.shape[::-1]] for v in volumes])
    matrices /= half[:, :, None]
    matrices[:, :, 3] -= 1
    points = grid_points(to_device(matrices.astype(np.float32), device), size)
    crops = [
        functional.grid_sample(
            volume.data[None, None], p[None], mode="bilinear",
            padding_mode="border", align_corners=True,
        )
        for volume, p in zip(volumes, points, strict=True)
    ]  # fmt: skip
    inside = (points.abs() <= 1 + 1e-4).all(dim=-1)
    return torch.cat(crops)[:, 0], inside


def to_device(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """Copy an array to a device without waiting for the work queued there."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def grid_points(matrices: Tensor, size: int) -> Tensor:
    """Images of all voxels of a cubic grid under affine maps.

    Written as sums of products, because a matrix product may run in TF32, whose ten bits would move
    points by tenths of a voxel.

    Args:
        matrices: shape (count, 3, 4), acting on voxel (x, y, z).
        size: voxels a side.

    Returns:
        Shape (count, z, y, x, 3), each point in x, y, z order.
    """
    steps = torch.arange(size, dtype=torch.float32, device=matrices.device)
    m = matrices[:, None, None, None]
    x = steps[None, None, None, :, None] * m[..., 0]
    y = steps[None, None, :, None, None] * m[..., 1]
    z = steps[None, :, None, None, None] * m[..., 2]
    return x + y + z + m[..., 3]


def map_points(matrices: Tensor, points: Tensor) -> Tensor:
    """Affine maps of points, in full precision.

    Args:
        matrices: shape (batch, 3, 4), acting on (x, y, z).
        points: shape (batch, count, 3), x, y, z.

    Returns:
        Shape (batch, count, 3).
    """
    return (matrices[:, None, :, :3] * points[:, :, None, :]).sum(-1) + matrices[:, None, :, 3]


def read_descriptors(descriptors: Tensor, points: Tensor, stride: int) -> Tensor:
    """Descriptors at points, trilinear between cells as the metric reads them.

    Args:
        descriptors: shape (batch, channels, z, y, x); cell k lies at voxel k * stride.
        points: shape (batch, count, 3), voxels of the network's input, x, y, z.
        stride: voxels between cells.

    Returns:
        Shape (batch, count, channels).
    """
    sizes = descriptors.shape[:1:-1]
    grid = torch.stack([points[..., axis] * (2 / (stride * (sizes[axis] - 1))) - 1 for axis in range(3)], dim=-1)
    values = functional.grid_sample(
        descriptors, grid[:, None, None], mode="bilinear", padding_mode="border", align_corners=True
    )
    return values[:, :, 0, 0].transpose(1, 2)
