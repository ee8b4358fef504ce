# SPDX-License-Identifier: Apache-2.0
"""Random changes of crops.

`remap` and `fade` come before the target is computed and make new contrasts; `disturb` and `spoil` change only what
the network sees, in ways LC² does not see (linear intensity) or hardly (noise, blur), and as scanners spoil images.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from disa.training.compiled import fast

SHIFT = 0.2
SCALE_RANGE = (0.7, 1.4)
#: Of crops, for each axis.
BLUR_SHARE = 0.08
#: The lowest contrast that `fade` leaves.
FAINTEST = 0.2
#: [1, 2, 1] / 4 so often along one axis is a slice about 7 mm thick.
SLICE_BLURS = 4
MAX_SPECKLE = 0.4
#: Deviation that [1, 2, 1] / 4 along three axes leaves of white noise.
BLURRED_NOISE = (6 / 16) ** 1.5
#: Natural logarithm of the strongest attenuation from one end of a crop to the other.
MAX_ATTENUATION = 1.5
#: Of a field of view that ends, voxels between its end and where positions may be, at least.
CUT_ROOM = 4


def _uniform(like: Tensor, low: float, high: float) -> Tensor:
    """One uniform number a crop, shape (batch, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(like), 1, 1, 1, device=like.device)


def _chance(like: Tensor, share: float) -> Tensor:
    """One true or false a crop, shape (batch, 1, 1, 1)."""
    return _uniform(like, 0, 1) < share


@fast
def remap(crop: Tensor, seen: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Send the intensities of some crops through a random smooth curve, not always monotone.

    Mean and standard deviation of `crop` stay, so that LC²'s floor on variance keeps its meaning.

    Args:
        crop, seen: shape (batch, z, y, x), the same volumes on two grids; both get one curve.
        share: of crops changed.

    Returns:
        Both, changed.
    """
    amount = _uniform(crop, 0.2, 1.0)
    pace, phase = _uniform(crop, 0.5, 2.0), _uniform(crop, 0, 2 * torch.pi)

    def curve(x: Tensor) -> Tensor:
        return (1 - amount) * x + amount * torch.sin(pace * x + phase)

    bent = curve(crop)
    std, mean = torch.std_mean(crop, dim=(1, 2, 3), keepdim=True)
    bent_std, bent_mean = torch.std_mean(bent, dim=(1, 2, 3), keepdim=True)
    gain = (std / bent_std.clamp_min(1e-3)).clamp(max=4)
    chosen = _chance(crop, share)
    return (
        torch.where(chosen, (bent - bent_mean) * gain + mean, crop),
        torch.where(chosen, (curve(seen) - bent_mean) * gain + mean, seen),
    )


@fast
def fade(crop: Tensor, seen: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Lower the contrast of some crops, as of soft tissue beside air and bone.

    Args:
        crop, seen: shape (batch, z, y, x), the same volumes on two grids.
        share: of crops changed.

    Returns:
        Both, changed.
    """
    gain = torch.where(_chance(crop, share), torch.exp(_uniform(crop, math.log(FAINTEST), 0)), 1.0)
    mean = crop.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, crop, gain), torch.lerp(mean, seen, gain)


@fast
def spoil(seen: Tensor, share: float, border: int) -> Tensor:
    """Thick slices, speckle, attenuation and a partial field of view, each of a share of crops.

    Args:
        seen: shape (batch, z, y, x), what the network is to see.
        share: of crops.
        border: voxels without positions along every side; the field of view ends among them.

    Returns:
        The same shape.
    """
    thin, along = seen, _uniform(seen, 0, 3).floor() + 1
    thickened = _chance(seen, share)
    for axis in (1, 2, 3):
        thick = thin
        for _ in range(SLICE_BLURS):
            thick = _blur(thick, axis)
        seen = torch.where(thickened & (along == axis), thick, seen)

    lowest = seen.amin(dim=(1, 2, 3), keepdim=True)
    grain = torch.randn_like(seen)
    for axis in (1, 2, 3):
        grain = _blur(grain, axis)
    gain = 1 + _uniform(seen, 0, MAX_SPECKLE) / BLURRED_NOISE * grain
    seen = torch.where(_chance(seen, share), lowest + (seen - lowest) * gain, seen)

    z, y, x = _steps(seen)
    heading = torch.nn.functional.normalize(torch.randn(len(seen), 3, 1, 1, 1, device=seen.device), dim=1)
    depth = heading[:, 0] * z + heading[:, 1] * y + heading[:, 2] * x
    gain = torch.exp(-_uniform(seen, 0, MAX_ATTENUATION) * (depth / seen.shape[1] + 0.5))
    seen = torch.where(_chance(seen, share), lowest + (seen - lowest) * gain, seen)

    outermost = torch.maximum(torch.maximum(z.abs(), y.abs()), x.abs())
    cut = outermost > seen.shape[1] / 2 - _uniform(seen, 0, border - CUT_ROOM)
    return torch.where(_chance(seen, share) & cut, lowest, seen)


def _steps(like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Voxels from the middle of a cubic crop along z, y and x, each to broadcast with (batch, z, y, x)."""
    side = like.shape[1]
    steps = torch.arange(side, device=like.device, dtype=like.dtype) - (side - 1) / 2
    return steps[None, :, None, None], steps[None, None, :, None], steps[None, None, None, :]


@fast
def disturb(seen: Tensor, flip_sign_share: float, noise: float) -> Tensor:
    """Random sign, scale, shift, noise and blur along axes.

    Args:
        seen: shape (batch, z, y, x), what the network is to see.
        flip_sign_share: of crops whose sign flips.
        noise: largest standard deviation.

    Returns:
        The same shape.
    """
    for axis in (1, 2, 3):
        blend = _uniform(seen, 0, 1) * _chance(seen, BLUR_SHARE)
        seen = torch.lerp(seen, _blur(seen, axis), blend)
    scale = torch.exp(_uniform(seen, math.log(SCALE_RANGE[0]), math.log(SCALE_RANGE[1])))
    sign = 1 - 2 * _chance(seen, flip_sign_share).float()
    shift = SHIFT * torch.randn(len(seen), 1, 1, 1, device=seen.device)
    return sign * scale * seen + shift + _uniform(seen, 0, noise) * torch.randn_like(seen)


def _blur(x: Tensor, axis: int) -> Tensor:
    """[1, 2, 1] / 4 along one axis, the border's two layers as they are."""
    count = x.shape[axis]
    left, middle, right = (x.narrow(axis, first, count - 2) for first in range(3))
    inner = 0.5 * middle + 0.25 * (left + right)
    return torch.cat([x.narrow(axis, 0, 1), inner, x.narrow(axis, count - 1, 1)], axis)
