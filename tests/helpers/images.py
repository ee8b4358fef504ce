# SPDX-License-Identifier: Apache-2.0
"""Images made up for the tests, and rotations."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk


def structured_image(
    size: tuple[int, int, int] = (48, 44, 40), spacing: float = 2.0, seed: int = 0, direction: Any = None
) -> sitk.Image:
    """Smooth random blobs with edges, of (x, y, z) size."""
    rng = np.random.default_rng(seed)
    noise = sitk.GetImageFromArray(rng.normal(size=size[::-1]).astype(np.float32))
    blobs = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 3.0))
    pixels = np.where(blobs > 0.5 * blobs.std(), 400.0, 0.0) + 300.0 * blobs / blobs.std()
    image = sitk.GetImageFromArray(pixels.astype(np.float32))
    image.SetSpacing((spacing,) * 3)
    image.SetOrigin((-31.0, 17.5, 5.25))
    if direction is not None:
        image.SetDirection(direction)
    return image


def rotation(*degrees: float) -> np.ndarray:
    """(3, 3) matrix of an Euler rotation."""
    angles = np.deg2rad(degrees).tolist()
    return np.asarray(sitk.Euler3DTransform((0.0, 0.0, 0.0), *angles).GetMatrix()).reshape(3, 3)


def smooth_noise(seed: int) -> sitk.Image:
    """Noise under a Gaussian of 5 mm, 40 x 36 x 30 voxels."""
    noise = sitk.GetImageFromArray(np.random.default_rng(seed).normal(size=(30, 36, 40)).astype(np.float32))
    noise.SetSpacing((2.0, 2.0, 2.5))
    return sitk.SmoothingRecursiveGaussian(noise, 5.0)
