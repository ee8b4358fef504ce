# SPDX-License-Identifier: Apache-2.0
"""Pictures for a report: slices of the fixed image, of the moving one before and after, and the fixed image's edges."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

FloatArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]

LONGEST_SIDE = 240
"""Pixels of the longest side of a slice."""
COUNT = 9
"""Slices of each plane, over the middle 70 % of the image."""
EDGE_SHARE = 0.035
"""Share of the pixels of a volume that are drawn as edges."""
LEAST_SIDE = 4
"""Pixels, of a picture whose gradient is taken."""
EDGE_COLOUR = (255, 140, 0)


@dataclass(frozen=True)
class Plane:
    """One orientation.

    Attributes:
        name: axial, coronal or sagittal, where the image's axes are near the patient's.
        width, height: of a slice, pixels.
        pictures: by name (fixed, before, after, edges), PNG as data URI, the slices below one another.
    """

    name: str
    width: int
    height: int
    pictures: dict[str, str]


def draw_planes(fixed: sitk.Image, moving: sitk.Image, before: sitk.Transform, after: sitk.Transform) -> list[Plane]:
    """Slices along the three axes of the fixed image.

    Args:
        fixed, moving: 3-D images of one number a voxel.
        before, after: transforms from fixed to moving points, mm.
    """
    grid = _display_grid(fixed)
    volumes = {
        "fixed": _grey(fixed, grid, sitk.Transform(3, sitk.sitkIdentity)),
        "before": _grey(moving, grid, before),
        "after": _grey(moving, grid, after),
    }
    planes = []
    for axis, name in enumerate(("axial", "coronal", "sagittal")):
        depth = volumes["fixed"].shape[axis]
        chosen = np.linspace(0.15 * (depth - 1), 0.85 * (depth - 1), COUNT).round().astype(int)
        # Images are drawn from their top; the head's is the end of the z axis.
        rows = {key: [_upright(np.take(v, i, axis), axis) for i in chosen] for key, v in volumes.items()}
        height, width = rows["fixed"][0].shape
        pictures = {key: _png(np.concatenate(value)) for key, value in rows.items()}
        lines = _edges(rows["fixed"])
        pictures["edges"] = _png(np.dstack([np.full(lines.shape, c, np.uint8) for c in EDGE_COLOUR] + [lines]))
        planes.append(Plane(name, width, height, pictures))
    return planes


def _display_grid(image: sitk.Image) -> sitk.Image:
    """An isotropic grid over an image's box, its longest side LONGEST_SIDE voxels."""
    extent = np.asarray(image.GetSize()) * np.asarray(image.GetSpacing())
    spacing = float(extent.max()) / LONGEST_SIDE
    size = np.maximum(np.round(extent / spacing), 1).astype(int)
    grid = sitk.Image(size.tolist(), sitk.sitkUInt8)
    direction = np.asarray(image.GetDirection()).reshape(3, 3)
    corner = np.asarray(image.TransformContinuousIndexToPhysicalPoint((-0.5, -0.5, -0.5)))
    grid.SetSpacing((spacing,) * 3)
    grid.SetOrigin((corner + direction @ np.full(3, spacing / 2)).tolist())
    grid.SetDirection(image.GetDirection())
    return grid


def _grey(image: sitk.Image, grid: sitk.Image, transform: sitk.Transform) -> ByteArray:
    """An image on the grid, its 1st to 99th percentile spread over 0 to 255, shape (z, y, x)."""
    pixels = sitk.GetArrayViewFromImage(image)
    low, high = (float(v) for v in np.percentile(pixels[:: max(1, len(pixels) // 64)], (1, 99)))
    resampled = sitk.Resample(sitk.Cast(image, sitk.sitkFloat32), grid, transform, sitk.sitkLinear, low)
    scaled = (sitk.GetArrayFromImage(resampled) - low) * (255 / max(high - low, 1e-6))
    grey: ByteArray = scaled.clip(0, 255).astype(np.uint8)
    return grey


def _edges(pictures: Sequence[ByteArray]) -> ByteArray:
    """Pictures below one another, 255 where the gradient is among the steepest of all and 0 elsewhere."""
    steepness = np.concatenate([_steepness(picture) for picture in pictures])
    threshold = float(np.quantile(steepness, 1 - EDGE_SHARE))
    return np.where(steepness > max(threshold, 1e-3), 255, 0).astype(np.uint8)


def _steepness(picture: ByteArray) -> FloatArray:
    """Length of the gradient; 0 where a side is too short for it."""
    grey = picture.astype(np.float32)
    if min(picture.shape) < LEAST_SIDE:
        return 0 * grey
    steepness: FloatArray = sitk.GetArrayFromImage(
        sitk.GradientMagnitudeRecursiveGaussian(sitk.GetImageFromArray(grey), 1.0)
    )
    return steepness


def _upright(picture: ByteArray, axis: int) -> ByteArray:
    return picture if axis == 0 else picture[::-1]


def _png(pixels: ByteArray) -> str:
    """Pixels of shape (rows, columns) or (rows, columns, 4) as the data URI of a PNG."""
    image = sitk.GetImageFromArray(pixels, isVector=pixels.ndim == 3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        sitk.WriteImage(image, str(path), useCompression=True)
        return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
