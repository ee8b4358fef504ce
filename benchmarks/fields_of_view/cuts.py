# SPDX-License-Identifier: Apache-2.0
"""Parts of images: stacks of slices, blocks, heads that are cut at one end, and what lies near a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from geometry import centre_of, indices

Span = tuple[float, float]

LOW = 0.1
"""Of a head's bright voxels (99th percentile): what is brighter is head."""


def box_about(image: sitk.Image, centre: np.ndarray, sizes: Sequence[float | None]) -> sitk.Image:
    """The part about a physical point.

    Args:
        image: is not resampled.
        centre: mm, within the image.
        sizes: mm along each of the image's axes; None: all of it.
    """
    middle, spacing = indices(image, centre), image.GetSpacing()
    spans = [
        (-np.inf, np.inf) if size is None else (m - size / 2 / step, m + size / 2 / step)
        for m, size, step in zip(middle, sizes, spacing, strict=True)
    ]
    return _cropped(image, spans)


def near(mask: sitk.Image, distance: float) -> sitk.Image:
    """1 within so many mm of a mask, else 0."""
    away = sitk.SignedMaurerDistanceMap(mask > 0, squaredDistance=False, useImageSpacing=True)
    return sitk.Cast(away <= distance, sitk.sitkUInt8)


def cut_heads(one: sitk.Image, other: sitk.Image, share: float) -> tuple[sitk.Image, sitk.Image]:
    """Two aligned heads, cut at opposite ends of the longest axis of the one, so that a share of its length is common.

    The length is that which both images show.
    """
    axis = _longest_axis(one)
    (low, high), (other_low, other_high) = _extent(one, axis), _extent(other, axis)
    low, high = max(low, other_low), min(high, other_high)
    kept = (high - low) * (1 + share) / 2
    return _within(one, axis, (-np.inf, low + kept)), _within(other, axis, (high - kept, np.inf))


def _longest_axis(head: sitk.Image) -> np.ndarray:
    """Unit vector."""
    axes = np.asarray(head.GetDirection()).reshape(3, 3).T
    return max(axes, key=lambda axis: np.ptp(_extent(head, axis)))


def _extent(head: sitk.Image, axis: np.ndarray) -> Span:
    """Least and greatest coordinate, mm, of the head along a unit vector."""
    smooth = sitk.SmoothingRecursiveGaussian(head, 2.0)
    bright = float(np.percentile(sitk.GetArrayFromImage(head), 99.0))
    pieces = sitk.RelabelComponent(sitk.ConnectedComponent(smooth > LOW * bright), sortByObjectSize=True)
    voxels = np.argwhere(sitk.GetArrayFromImage(pieces) == 1)[:, ::-1]
    direction = np.asarray(head.GetDirection()).reshape(3, 3)
    along = voxels @ (np.asarray(head.GetSpacing()) * (axis @ direction)) + np.asarray(head.GetOrigin()) @ axis
    return float(along.min()), float(along.max())


def _within(image: sitk.Image, axis: np.ndarray, span: Span) -> sitk.Image:
    """What has coordinates in a span along a unit vector, cut across the image's axis that is closest to it."""
    cosines = np.asarray(image.GetDirection()).reshape(3, 3).T @ axis
    number = int(np.abs(cosines).argmax())
    step = cosines[number] * image.GetSpacing()[number]
    at_zero = centre_of(image) @ axis - step * (image.GetSize()[number] - 1) / 2
    first, last = sorted((coordinate - at_zero) / step for coordinate in span)
    spans = [(-np.inf, np.inf)] * 3
    spans[number] = (first, last)
    return _cropped(image, spans)


def _cropped(image: sitk.Image, spans: Sequence[Span]) -> sitk.Image:
    """Voxels whose indices lie in a span along each axis."""
    size = np.asarray(image.GetSize())
    low = np.ceil(np.maximum([first for first, _ in spans], 0)).astype(int)
    high = np.floor(np.minimum([last for _, last in spans], size - 1)).astype(int)
    return sitk.RegionOfInterest(image, (high - low + 1).tolist(), low.tolist())
