# SPDX-License-Identifier: Apache-2.0
"""Known smooth deformations, and images moved by them onto grids of their own."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from geometry import centre_of, turned

NODE_SPACING = 4.0
"""mm between the nodes of a field."""


def random_field(
    image: sitk.Image, rng: np.random.Generator, amplitude: float, sigma: float = 25.0
) -> sitk.DisplacementFieldTransform:
    """White noise under a Gaussian, scaled so that its longest vector within the image is `amplitude` mm.

    Args:
        image: what the field is to cover; it reaches 60 mm further on every side.
        rng: source of the noise.
        amplitude: mm.
        sigma: standard deviation of the Gaussian, mm.
    """
    extent = np.asarray(image.GetSize()) * np.asarray(image.GetSpacing())
    direction = np.asarray(image.GetDirection()).reshape(3, 3)
    size = np.ceil((extent + 120.0) / NODE_SPACING).astype(int) + 1
    noise = sitk.GetImageFromArray(rng.normal(size=(*size[::-1], 3)), isVector=True)
    noise.SetSpacing((NODE_SPACING,) * 3)
    noise.SetDirection(direction.ravel().tolist())
    noise.SetOrigin((centre_of(image) - direction @ ((size - 1) / 2 * NODE_SPACING)).tolist())
    smooth = sitk.SmoothingRecursiveGaussian(noise, sigma)
    within = sitk.Resample(smooth, sitk.Cast(image, sitk.sitkFloat32)[::4, ::4, ::2])
    longest = np.linalg.norm(sitk.GetArrayFromImage(within), axis=-1).max()
    scaled = sitk.GetImageFromArray(amplitude / longest * sitk.GetArrayFromImage(smooth).astype(float), isVector=True)
    scaled.CopyInformation(smooth)
    return sitk.DisplacementFieldTransform(scaled)


def move(image: sitk.Image, field: sitk.Transform, rng: np.random.Generator, label: bool = False) -> sitk.Image:
    """M(y) = image(field(y)), on a grid turned by up to 15 degrees an axis and shifted (geometry.turned)."""
    grid = turned(image, rng)
    interpolator = sitk.sitkNearestNeighbor if label else sitk.sitkBSpline
    low = float(sitk.GetArrayFromImage(image).min())
    return sitk.Resample(sitk.Cast(image, sitk.sitkFloat32), grid, field, interpolator, low)


def inverse_points(field: sitk.Transform, points: np.ndarray) -> np.ndarray:
    """y with field(y) = x for points x of shape (n, 3), their true places in the moving image, by iteration."""
    found = points.copy()
    for _ in range(50):
        found += points - transform_points(field, found)
    return found


def transform_points(transform: sitk.Transform, points: np.ndarray) -> np.ndarray:
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


def body_points(image: sitk.Image, step: float = 6.0) -> np.ndarray:
    """Physical points every `step` mm where the image is brighter than its Otsu threshold, opened and filled."""
    smooth = sitk.SmoothingRecursiveGaussian(image, 2.0)
    body = sitk.BinaryFillhole(sitk.OtsuThreshold(smooth, 0, 1))
    every = [max(1, round(step / s)) for s in image.GetSpacing()]
    inside = np.argwhere(sitk.GetArrayFromImage(body)[tuple(slice(n // 2, None, n) for n in every[::-1])])
    index = inside[:, ::-1] * every + [n // 2 for n in every]
    return np.array([image.TransformIndexToPhysicalPoint(i) for i in index.tolist()])
