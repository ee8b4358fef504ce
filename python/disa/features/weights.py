# SPDX-License-Identifier: Apache-2.0
"""How much each place of an image counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.core import FeatureVolume
from disa.errors import RegistrationError
from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of


def local_variance(volume: sitk.Image, radius: int = 3, stride: int = 1) -> npt.NDArray[np.float32]:
    """Variance of the cubic neighbourhood of every stride-th voxel, the weight w(p) of the LC² literature.

    Args:
        volume: scalar float image of about zero mean.
        radius: half the cube's side in voxels; the cube has (2 radius + 1)^3 voxels, fewer at the border.
        stride: voxels from one cube's centre to the next, the first one's is the first voxel.

    Returns:
        Array of shape (z, y, x) in squared intensity units, clamped at 0.

    Source: DISA paper, Eq. 1 and section 3 (weight by local patch variance).
    """
    values: npt.NDArray[np.float32] = pixels_of(volume)
    mean, mean_square = (_box_mean(of, radius, stride) for of in (values, values * values))
    return (mean_square - mean * mean).clip(min=0.0)


def local_deviation(volume: sitk.Image, radius: int = 3, stride: int = 1) -> npt.NDArray[np.float32]:
    """The root of `local_variance`, by which descriptors count.

    The paper weighs by the variance. Its root leaves faint structure more say, and poses end nearer
    (benchmarks/notes.md).
    """
    return np.sqrt(local_variance(volume, radius, stride))


def _box_mean(values: npt.NDArray[np.float32], radius: int, stride: int) -> npt.NDArray[np.float32]:
    """Means over the cube about every stride-th voxel, an axis at a time."""
    for axis in (2, 1, 0):
        count = values.shape[axis]
        padded = np.moveaxis(np.pad(values, [(radius * (axis == a),) * 2 for a in range(3)]), axis, 0)
        sums = np.copy(padded[:count:stride])
        for k in range(1, 2 * radius + 1):
            sums += padded[k : k + count : stride]
        centres = np.arange(0, count, stride)
        voxels = np.minimum(centres + radius, count - 1) - np.maximum(centres - radius, 0) + 1
        values = np.moveaxis(sums / voxels.astype(np.float32)[:, None, None], 0, axis)
    return values


def weighted_by(features: FeatureVolume, image: sitk.Image) -> FeatureVolume:
    """Fixed descriptors whose weights are multiplied by an image, linear between voxels; it is 0 outside.

    Raises:
        RegistrationError: it is negative somewhere or leaves no weight.
    """
    if float(pixels_of(image).min()) < 0:
        raise RegistrationError("fixed_weights: expected an image of 0 or more")
    weights = features.weights * pixels_of(Grid.of(features).linear(image))
    if not weights.any():
        raise RegistrationError(
            "fixed_weights: leaves no fixed descriptor of any weight; check that it shares the fixed image's space"
        )
    return features.replaced(weights=weights)


def overlap(fixed: FeatureVolume, inside: sitk.Image, transform: sitk.Transform) -> float:
    """Share of the fixed descriptors' weight that a transform takes to where an image is not 0."""
    return float(np.average(Grid.of(fixed).nearest(inside, transform), weights=fixed.weights))
