"""The training target: LC², the linear correlation of linear combination, between all pairs of patches.

LC² asks how well one image's patch is a linear combination of intensity, gradient magnitude and a
constant of the other's (Fuerst et al., Medical Image Analysis 2014; DISA paper, section 3). Here it is
computed between every patch of one set and every patch of another: the only terms that depend on both
sets are two covariances, which are two matrix products; the rest is a 2x2 solve in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

RADII = (3, 5, 7)
RIDGE = 1e-3
MIN_VARIANCE = 1e-2
#: Voxels that a position needs on every side: the largest patch plus one for the gradient.
MARGIN = max(RADII) + 1


@dataclass
class PatchSet:
    """Flattened patches of `count` positions of one crop each.

    Attributes:
        intensity: shape (batch, count, side, side, side), the largest radius.
        gradient: the same shape, gradient magnitude; None when the set is only ever the target.
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


def extract(crops: Tensor, positions: Tensor, with_gradient: bool) -> PatchSet:
    """Patches that `lc2_matrix` needs, for positions `MARGIN` or more voxels from every border."""
    radius = max(RADII)
    gradient = None
    if with_gradient:
        gradient = gather_patches(gradient_magnitude(crops), positions, radius)
    return PatchSet(gather_patches(crops, positions, radius), gradient)


def lc2_matrix(source: PatchSet, target: PatchSet) -> Tensor:
    """LC² of every target patch explained by every source patch, mean over the radii.

    Args:
        source: n patches with gradient, the regressors.
        target: m patches, what is explained.

    Returns:
        Shape (batch, n, m), values in [0, 1].
    """
    values = [_lc2_of_radius(source, target, radius) for radius in RADII]
    return torch.stack(values).mean(dim=0)


def _centred(patches: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    """The inner cube of each patch, flattened and less its mean, and that mean."""
    trim = (patches.shape[-1] - (2 * radius + 1)) // 2
    inner = slice(trim, patches.shape[-1] - trim)
    flat = patches[..., inner, inner, inner].flatten(2)
    mean = flat.mean(dim=-1, keepdim=True)
    return flat - mean, mean.squeeze(-1)


def _lc2_of_radius(source: PatchSet, target: PatchSet, radius: int) -> Tensor:
    """LC² for one radius.

    The ridge regression is over intensity i, gradient g and the constant, with E[.] + RIDGE * identity
    as normal matrix. Eliminating the constant leaves, with means m and covariances,
        H = cov + RIDGE * identity + c m m^T,   r = cov(., b) + c mean(b) m,   c = RIDGE / (1 + RIDGE)
        var(b) - residual = r^T H^-1 r - c mean(b)^2
    which needs no difference of large numbers.
    """
    if source.gradient is None:
        raise ValueError("the source patches have no gradient")
    i, mean_i = _centred(source.intensity, radius)
    g, mean_g = _centred(source.gradient, radius)
    b, mean_b = _centred(target.intensity, radius)
    count = b.shape[-1]
    c = RIDGE / (1 + RIDGE)

    h_ii = (i * i).mean(-1) + RIDGE + c * mean_i * mean_i
    h_gg = (g * g).mean(-1) + RIDGE + c * mean_g * mean_g
    h_ig = (i * g).mean(-1) + c * mean_i * mean_g
    determinant = h_ii * h_gg - h_ig * h_ig

    bt = b.transpose(1, 2)
    r_i = torch.baddbmm((c * mean_i)[..., None] * mean_b[:, None], i, bt, alpha=1 / count)
    r_g = torch.baddbmm((c * mean_g)[..., None] * mean_b[:, None], g, bt, alpha=1 / count)

    explained = (
        (h_gg / determinant)[..., None] * r_i * r_i
        + (h_ii / determinant)[..., None] * r_g * r_g
        - (2 * h_ig / determinant)[..., None] * r_i * r_g
        - (c * mean_b * mean_b)[:, None]
    )
    variance = (b * b).mean(-1)[:, None]
    return (explained / variance.clamp_min(MIN_VARIANCE)).clamp(0, 1)


def local_variance(crops: Tensor, radius: int = 3) -> Tensor:
    """Variance of each voxel's cubic neighbourhood, the weight w of the LC² literature.

    Args:
        crops: shape (batch, z, y, x).
        radius: half the cube's side in voxels; voxels outside the crop are left out.

    Returns:
        The same shape, squared intensity units, at least 0.
    """
    x = crops[:, None]

    def box(values: Tensor) -> Tensor:
        for axis in range(3):
            kernel, padding = [1, 1, 1], [0, 0, 0]
            kernel[axis], padding[axis] = 2 * radius + 1, radius
            values = functional.avg_pool3d(values, kernel, stride=1, padding=padding, count_include_pad=False)
        return values

    mean = box(x)
    return (box(x * x) - mean * mean).clamp_min(0)[:, 0]
