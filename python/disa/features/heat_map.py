# SPDX-License-Identifier: Apache-2.0
"""How alike one point of a volume is to every point of another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume, _core
from disa.errors import ImageError


def similarity_map(fixed_features: FeatureVolume, point: Sequence[float], moving_features: FeatureVolume) -> sitk.Image:
    """Heat map of one fixed point over the moving volume.

    The fixed descriptor is blended trilinearly from the 8 cells around the point, as the metric blends, and its inner
    product taken with every moving descriptor.

    Args:
        fixed_features: descriptors of the volume that the point is in.
        point: x, y, z in mm, in ITK's LPS frame.
        moving_features: descriptors of the other volume; int8 or float32 as the fixed ones are.

    Returns:
        A float32 image with one voxel for each moving descriptor, in their physical frame; the more alike, the higher,
        1 for two equal descriptors of full length.

    Raises:
        ImageError: the point is not three finite numbers, or lies outside of the fixed descriptors.
        RegistrationError: one volume is int8 and the other float32, or they are of two networks.

    Source: DISA paper, Fig. 1.
    """
    _core.check_comparable(fixed_features, moving_features)
    descriptor = _descriptor_at(fixed_features, point)
    similarity = moving_features.data.astype(np.float32) @ (descriptor * moving_features.scale).astype(np.float32)
    image = sitk.GetImageFromArray(similarity)
    image.SetOrigin(moving_features.origin)
    image.SetSpacing(moving_features.spacing)
    image.SetDirection(moving_features.direction)
    return image


def _descriptor_at(features: FeatureVolume, point: Sequence[float]) -> npt.NDArray[np.float64]:
    """The 16 channels at a physical point, mm, as numbers (scale included)."""
    place = np.asarray(point, dtype=np.float64)
    if place.shape != (3,) or not np.isfinite(place).all():
        raise ImageError(f"point: expected three finite numbers x, y, z in mm, got {point}")
    axes = np.asarray(features.direction).reshape(3, 3) * features.spacing
    index = np.linalg.solve(axes, place - features.origin)
    last = np.asarray(features.data.shape[2::-1]) - 1
    rounding = 1e-6  # cells
    if np.any(index < -rounding) or np.any(index > last + rounding):
        first, end = np.round(features.origin, 1).tolist(), np.round(axes @ last + features.origin, 1).tolist()
        raise ImageError(
            f"point: {place.tolist()} mm lies outside of the fixed features, whose corners are {first} and {end} mm"
        )
    base = np.clip(np.floor(index).astype(int), 0, np.maximum(last - 1, 0))
    share = np.clip(index - base, 0.0, 1.0)
    descriptor = np.zeros(features.data.shape[3])
    for corner in np.ndindex(2, 2, 2):
        x, y, z = np.minimum(base + corner, last)
        descriptor += np.prod(np.where(corner, share, 1.0 - share)) * features.data[z, y, x]
    return descriptor * features.scale
