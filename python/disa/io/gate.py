# SPDX-License-Identifier: Apache-2.0
"""What every image has to be, by whatever door it comes; docs/errors.md lists what is refused and what is said."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from disa.errors import ImageError
from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of
from disa.geometry.shear import TOLERANCE, is_sheared
from disa.threads import check_threads_start

MAXIMUM_VOXELS = 2**31
"""More voxels than this are refused before any memory is taken."""

FURTHEST = 1e6
"""mm from the world's origin; images further away were not put there by a scanner."""

LEAST_SPACING = 1e-5
"""mm; no microscope resolves less."""

_MINIMUM_SIZE = 2

LABEL_TYPES = {
    getattr(sitk, f"sitkLabel{kind}"): getattr(sitk, f"sitk{kind}") for kind in ("UInt8", "UInt16", "UInt32", "UInt64")
}
"""Pixel types of SimpleITK's label maps, and those of the images that hold the same."""

FLOATS = (sitk.sitkFloat32, sitk.sitkFloat64)
"""Pixel types that may hold NaN."""


def scalar_of(image: sitk.Image) -> sitk.Image:
    """The image itself, the labels of a label map as `sitk.LabelImageToLabelMap` gives it, or vectors of one number."""
    kind = LABEL_TYPES.get(image.GetPixelID())
    scalar: sitk.Image = image
    if kind is not None:
        scalar = sitk.Cast(image, kind)
    elif image.GetPixelIDTypeAsString().startswith("vector") and image.GetNumberOfComponentsPerPixel() == 1:
        scalar = sitk.VectorIndexSelectionCast(image, 0)
    return scalar


def check_kind(image: sitk.Image, name: str) -> None:
    """Raises ImageError unless an image is 3-D, of one real number a voxel, and not empty."""
    check_threads_start()
    check_dimension(image, name)
    if image.GetNumberOfComponentsPerPixel() != 1 or is_complex(image):
        raise ImageError(
            f"{name}: expected one real number a voxel, got {image.GetPixelIDTypeAsString()}; give one channel"
        )
    if min(image.GetSize()) < 1:
        raise ImageError(f"{name}: expected a 3-D image, got an empty one of size {image.GetSize()}")


def check_dimension(image: sitk.Image, name: str) -> None:
    """Raises ImageError unless an image is 3-D."""
    if image.GetDimension() != 3:
        raise ImageError(f"{name}: expected a 3-D image, got a {image.GetDimension()}-D one of size {image.GetSize()}")


def is_complex(image: sitk.Image) -> bool:
    """Whether voxels are complex numbers."""
    return "complex" in image.GetPixelIDTypeAsString()


def check_place(grid: Grid, name: str) -> None:
    """Raises ImageError unless a grid has axes at right angles and a spacing above 0, and is near the origin."""
    if not (np.isfinite(grid.spacing).all() and (grid.spacing >= LEAST_SPACING).all()):
        raise ImageError(
            f"{name}: expected a spacing above {LEAST_SPACING:g} mm along every axis, got {grid.spacing.tolist()}; "
            "correct the header"
        )
    if not _are_unit_axes(grid) or is_sheared(grid.direction * grid.spacing, grid.size):
        raise ImageError(
            f"{name}: expected orthonormal direction cosines (three unit axes at right angles), "
            f"got {np.round(grid.direction, 4).tolist()}; correct the header"
        )
    with np.errstate(all="ignore"):
        furthest = float(np.abs(grid.corners).max())
    if not furthest <= FURTHEST:
        raise ImageError(
            f"{name}: expected an image within {FURTHEST:g} mm of the world's origin, got one {furthest:.3g} mm away "
            f"(origin {grid.origin.tolist()}, spacing {grid.spacing.tolist()}); correct the header"
        )


def _are_unit_axes(grid: Grid) -> bool:
    """Whether each axis is finite and of length 1, so nearly that its last voxel is no tenth of one off."""
    with np.errstate(all="ignore"):
        off = np.abs(np.linalg.norm(grid.direction, axis=0) - 1) * np.asarray(grid.size) / 2
    return bool((off <= TOLERANCE).all())


def check_size(grid: Grid, name: str) -> None:
    """Raises ImageError where there is but one slice along an axis, or more voxels than 2^31."""
    if min(grid.size) < _MINIMUM_SIZE:
        raise ImageError(
            f"{name}: expected {_MINIMUM_SIZE} slices or more along every axis, got size {grid.size}; "
            "repeat a single slice, by sitk.Expand or sitk.JoinSeries"
        )
    if np.prod(np.asarray(grid.size, dtype=np.float64)) > MAXIMUM_VOXELS:
        raise ImageError(f"{name}: {grid.size} has more than 2^31 voxels; crop or downsample it first")


def check_voxels(image: sitk.Image, name: str) -> None:
    """Raises ImageError where voxels are NaN or infinite, or all of one value."""
    low, high = check_finite(image, name)
    if low == high:
        raise ImageError(f"{name}: every voxel is {low:g}; expected an image with structure")


def check_finite(image: sitk.Image, name: str) -> tuple[float, float]:
    """Least and greatest of the voxels. Raises ImageError where one is NaN or infinite."""
    pixels = pixels_of(image)
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError(f"{name}: expected finite intensities, found NaN or infinity; replace those voxels first")
    return low, high
