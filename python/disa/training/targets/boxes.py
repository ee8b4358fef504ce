"""Means over cubes of voxels."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def box_mean(values: Tensor, radius: int, continued: bool = False) -> Tensor:
    """Mean of the cube around each voxel, one axis after the other.

    Args:
        values: shape (batch, z, y, x).
        radius: half the cube's side in voxels.
        continued: whether voxels whose cube ends outside have a mean, too, of what of it lies inside.

    Returns:
        The shape of `values`; unless `continued`, less `radius` voxels on every side.
    """
    means = values[:, None]
    for axis in range(3):
        kernel, padding = [1, 1, 1], [0, 0, 0]
        kernel[axis], padding[axis] = 2 * radius + 1, radius if continued else 0
        means = functional.avg_pool3d(means, kernel, stride=1, padding=padding, count_include_pad=False)
    return means[:, 0]


def local_variance(crops: Tensor, radius: int = 3) -> Tensor:
    """Variance of each voxel's cubic neighbourhood, the weight w of the LC² literature.

    Args:
        crops: shape (batch, z, y, x).
        radius: half the cube's side in voxels; voxels outside the crop are left out.

    Returns:
        The same shape, squared intensity units, at least 0.
    """
    mean = box_mean(crops, radius, continued=True)
    return (box_mean(crops * crops, radius, continued=True) - mean * mean).clamp_min(0)
