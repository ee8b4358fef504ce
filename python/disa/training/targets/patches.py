"""Cutting patches out of crops, as the similarities read them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass
class PatchSet:
    """Cubic patches at `count` positions of each of `batch` crops.

    Attributes:
        intensity: shape (batch, count, side, side, side), z, y, x.
        gradient: the same shape, gradient magnitude; None where no similarity reads it.
    """

    intensity: Tensor
    gradient: Tensor | None


def gradient_magnitude(crops: Tensor) -> Tensor:
    """Norm of central differences, without the factor 1/2.

    Args:
        crops: shape (batch, z, y, x).

    Returns:
        The same shape, in intensity units over two voxels; 0 outside counts as intensity 0, so the
        outermost voxel layer is not to be used.
    """
    padded = functional.pad(crops, (1, 1, 1, 1, 1, 1))
    dz = padded[:, 2:, 1:-1, 1:-1] - padded[:, :-2, 1:-1, 1:-1]
    dy = padded[:, 1:-1, 2:, 1:-1] - padded[:, 1:-1, :-2, 1:-1]
    dx = padded[:, 1:-1, 1:-1, 2:] - padded[:, 1:-1, 1:-1, :-2]
    return (dz * dz + dy * dy + dx * dx).sqrt()


def gather_patches(crops: Tensor, positions: Tensor, radius: int) -> Tensor:
    """Cubic patches around integer positions.

    Args:
        crops: shape (batch, z, y, x).
        positions: shape (batch, count, 3), integers in z, y, x order, at least `radius` from a border.
        radius: half the cube's side in voxels.

    Returns:
        Shape (batch, count, side, side, side) with side = 2 radius + 1.
    """
    batch, depth, height, width = crops.shape
    side = torch.arange(-radius, radius + 1, device=crops.device)
    cube = ((side[:, None, None] * height + side[None, :, None]) * width + side).flatten()
    centre = (positions[..., 0] * height + positions[..., 1]) * width + positions[..., 2]
    index = (centre[..., None] + cube).flatten(1)
    values = crops.reshape(batch, depth * height * width).gather(1, index)
    return values.reshape(batch, -1, len(side), len(side), len(side))


def extract(crops: Tensor, positions: Tensor, radius: int, with_gradient: bool) -> PatchSet:
    """Patches around positions that lie more than `radius` voxels from every border.

    Args:
        crops: shape (batch, z, y, x).
        positions: shape (batch, count, 3), integers in z, y, x order.
        radius: half a patch's side in voxels.
        with_gradient: whether to cut the gradient magnitude, too.
    """
    gradient = None
    if with_gradient:
        gradient = gather_patches(gradient_magnitude(crops), positions, radius)
    return PatchSet(gather_patches(crops, positions, radius), gradient)


def centred(patches: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """The inner cube of each patch less its mean, and that mean.

    Args:
        patches: shape (batch, count, side, side, side).
        radius: half the inner cube's side in voxels.

    Returns:
        Shapes (batch, count, (2 radius + 1)^3) and (batch, count, 1).
    """
    trim = (patches.shape[-1] - (2 * radius + 1)) // 2
    inner = slice(trim, patches.shape[-1] - trim)
    flat = patches[..., inner, inner, inner].flatten(2)
    mean = flat.mean(dim=-1, keepdim=True)
    return flat - mean, mean
