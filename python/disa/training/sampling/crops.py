# SPDX-License-Identifier: Apache-2.0
"""Sampling volumes on crop grids, on the device that holds them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from disa.training.compiled import fast
from disa.training.data.volumes import Volume
from disa.training.sampling.geometry import CropGrid, grid_to_grid

#: Voxels by which a point may lie outside a volume and count as inside.
EDGE = 1e-2


def sample_crops(volumes: list[Volume], grids: list[CropGrid]) -> tuple[Tensor, Tensor]:
    """Trilinear samples of each volume on its grid, the border voxel repeated outside.

    Args:
        volumes: one a crop.
        grids: one a crop, all of one size.

    Returns:
        Crops (count, z, y, x) and a mask of the same shape, true inside the volume.
    """
    device = volumes[0].data.device
    memory, starts = _shared_memory(volumes)
    matrices = grid_to_grid(grids, volumes)
    shapes = np.array([[start, *v.data.shape] for start, v in zip(starts, volumes, strict=True)])
    return trilinear(memory, to_device(shapes, device), to_device(matrices.astype(np.float32), device), grids[0].size)


def _shared_memory(volumes: list[Volume]) -> tuple[Tensor, list[int]]:
    """A one-dimensional tensor that holds all volumes, and where each begins.

    Volumes of one cache lie in one tensor already; others are copied into one.
    """
    first = volumes[0].data
    if all(v.data.untyped_storage().data_ptr() == first.untyped_storage().data_ptr() for v in volumes):
        count = first.untyped_storage().nbytes() // first.element_size()
        return first.as_strided((count,), (1,), 0), [v.data.storage_offset() for v in volumes]
    starts = np.cumsum([0] + [v.data.numel() for v in volumes[:-1]])
    return torch.cat([v.data.flatten() for v in volumes]), starts.tolist()


@fast
def trilinear(memory: Tensor, shapes: Tensor, matrices: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """What `sample_crops` returns, for volumes in one tensor.

    Args:
        memory: all volumes, one-dimensional.
        shapes: int64 (count, 4), for each crop its volume's first index in `memory` and sizes in z, y, x.
        matrices: shape (count, 3, 4), from voxels of the crop to voxels of the volume, x, y, z.
        side: voxels a side of a crop.
    """
    start, depth, height, width = shapes[:, :, None, None, None].unbind(1)
    last = shapes[:, [3, 2, 1]][:, None, None, None] - 1
    points = grid_points(matrices, side)
    inside = ((points >= -EDGE) & (points <= last + EDGE)).all(dim=-1)
    points = torch.minimum(points.clamp_min(0), last.float())
    low = points.floor()
    part_x, part_y, part_z = (points - low).unbind(-1)
    x0, y0, z0 = low.long().unbind(-1)
    x1, y1, z1 = torch.minimum(x0 + 1, width - 1), torch.minimum(y0 + 1, height - 1), torch.minimum(z0 + 1, depth - 1)

    def row(z: Tensor, y: Tensor) -> Tensor:
        begin = start + (z * height + y) * width
        return torch.lerp(memory[begin + x0], memory[begin + x1], part_x)

    below = torch.lerp(row(z0, y0), row(z0, y1), part_y)
    above = torch.lerp(row(z1, y0), row(z1, y1), part_y)
    return torch.lerp(below, above, part_z), inside


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


def read_descriptors(descriptors: Tensor, points: Tensor, stride: int, outside: str = "border") -> Tensor:
    """Descriptors at points, trilinear between cells as the metric reads them.

    Args:
        descriptors: shape (batch, channels, z, y, x); cell k lies at voxel k * stride.
        points: shape (batch, count, 3), voxels of the network's input, x, y, z.
        stride: voxels between cells.
        outside: what lies beyond the outermost cells: "border", themselves, or "zeros".

    Returns:
        Shape (batch, count, channels).
    """
    sizes = descriptors.shape[:1:-1]
    grid = torch.stack([points[..., axis] * (2 / (stride * (sizes[axis] - 1))) - 1 for axis in range(3)], dim=-1)
    values = functional.grid_sample(
        descriptors, grid[:, None, None], mode="bilinear", padding_mode=outside, align_corners=True
    )
    return values[:, :, 0, 0].transpose(1, 2)
