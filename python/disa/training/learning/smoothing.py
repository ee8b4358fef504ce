# SPDX-License-Identifier: Apache-2.0
"""The kernel by which a search for poses smooths descriptors, as C++ disa/features/Smoothing.h has it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

NARROW_SHARE = 0.15
NARROW_RATIO = 1 / 8
#: Standard deviations at which a Gaussian ends.
REACH = 4.0
#: Cells; a narrower Gaussian leaves all as it is.
LEAST_SIGMA = 1e-3


def kernel_reach(widest: float, stride: int) -> int:
    """Cells on either side that the kernel of a width in voxels covers, 0 of width 0."""
    return math.ceil(REACH * widest / stride)


def smoothed(field: Tensor, widths: Tensor, stride: int, reach: int) -> Tensor:
    """Convolve with 0.15 G(width / 8) + 0.85 G(width); zeros lie beyond the crop.

    Args:
        field: shape (batch, channels, z, y, x), cubic.
        widths: of each crop's kernel, voxels, 0 or more, shape (batch,).
        stride: voxels between cells.
        reach: `kernel_reach` of the widest.

    Returns:
        The shape of `field`.
    """
    if reach == 0:
        return field
    sigmas = widths / stride
    narrow = _convolved(field, _gaussians(NARROW_RATIO * sigmas, field.shape[-1], reach))
    wide = _convolved(field, _gaussians(sigmas, field.shape[-1], reach))
    return NARROW_SHARE * narrow + (1 - NARROW_SHARE) * wide


def _gaussians(sigmas: Tensor, size: int, reach: int) -> Tensor:
    """Convolutions along an axis of `size` cells as matrices, shape (batch, size, size)."""
    sigmas = sigmas.clamp_min(LEAST_SIGMA)[:, None, None]
    steps = torch.arange(size, device=sigmas.device)
    taps = torch.arange(-reach, reach + 1, device=sigmas.device)[None, None]

    def bell(cells: Tensor) -> Tensor:
        return torch.exp(-0.5 * (cells / sigmas).square()) * (cells.abs() <= (REACH * sigmas).ceil())

    return bell((steps - steps[:, None])[None]) / bell(taps).sum(-1, keepdim=True)


def _convolved(field: Tensor, kernels: Tensor) -> Tensor:
    for equation in ("bczyx,bix->bczyi", "bczyx,biy->bczix", "bczyx,biz->bciyx"):
        field = torch.einsum(equation, field, kernels)
    return field
