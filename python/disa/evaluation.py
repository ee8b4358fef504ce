# SPDX-License-Identifier: Apache-2.0
"""How good a registration is where the truth is known: landmarks, a true transform, Dice, Hausdorff distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError
from disa.geometry.applying import transformed
from disa.geometry.pixels import pixels_of

FloatArray = npt.NDArray[np.float64]

PLACES = 8
"""Points along each axis of an image where two transforms are compared."""


def landmark_errors(transform: sitk.Transform, fixed: FloatArray, moving: FloatArray) -> FloatArray:
    """Distances in mm between where fixed landmarks are taken and the moving ones.

    Args:
        transform: from fixed to moving points, mm.
        fixed, moving: corresponding landmarks, shape (n, 3), mm (LPS).

    Raises:
        ImageError: there are not as many of both.
        RegistrationError: the transform takes one to no place.
    """
    if fixed.shape != moving.shape:
        raise ImageError(f"landmarks: {len(fixed)} fixed and {len(moving)} moving ones; expected as many, in order")
    distances: FloatArray = np.linalg.norm(transformed(fixed, transform) - moving, axis=1)
    return distances


def transform_errors(transform: sitk.Transform, truth: sitk.Transform, fixed: sitk.Image) -> FloatArray:
    """Distances in mm between where two transforms take the points of a regular grid of 8 x 8 x 8 over an image.

    Args:
        transform, truth: from fixed to moving points, mm.
        fixed: image whose box the points fill.

    Returns:
        Shape (512,).
    """
    index = (np.indices((PLACES,) * 3).reshape(3, -1).T + 0.5) / PLACES * fixed.GetSize() - 0.5
    points = np.array([fixed.TransformContinuousIndexToPhysicalPoint(place) for place in index.tolist()])
    return landmark_errors(transform, points, transformed(points, truth))


def labels_of(*images: sitk.Image) -> list[int]:
    """Labels other than 0 in any of the label maps, ascending."""
    return sorted({int(label) for image in images for label in np.unique(pixels_of(image))} - {0})


def dice(one: sitk.Image, other: sitk.Image, label: int) -> float:
    """Dice similarity coefficient of a label in two maps of one grid, 0 to 1; NaN where neither has it."""
    a, b = (pixels_of(image) == label for image in (one, other))
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else float("nan")


def hausdorff95(one: sitk.Image, other: sitk.Image, label: int) -> float:
    """95th percentile in mm of the distances from a map's border voxels of a label to the other's, the larger way.

    NaN where a map does not have the label.

    Source: Learn2Reg challenge (Hering et al., IEEE TMI 2023), HD95.
    """
    masks = [sitk.Equal(image, label) for image in (one, other)]
    borders = [sitk.GetArrayFromImage(sitk.LabelContour(mask)).astype(bool) for mask in masks]
    if not all(border.any() for border in borders):
        return float("nan")
    percentiles = []
    for mask, border in zip(masks, reversed(borders), strict=True):
        away = sitk.SignedMaurerDistanceMap(mask, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
        percentiles.append(float(np.percentile(np.abs(pixels_of(away)[border]), 95)))
    return max(percentiles)
