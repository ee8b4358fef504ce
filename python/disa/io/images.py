# SPDX-License-Identifier: Apache-2.0
"""Images of any of the accepted kinds, read and checked: a 3-D scalar SimpleITK image comes out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import SimpleITK as sitk

from disa.errors import ImageError
from disa.geometry.grid import Grid
from disa.io.reading import read_image

ImageLike: TypeAlias = Any
"""A `SimpleITK.Image`, an `itk.Image`, or the path of an image file or of a folder with one DICOM series."""

MAXIMUM_VOXELS = 2**31
"""More voxels than this are refused before any memory is taken."""

IMAGE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Of image files that this package names; ITK reads more."""

_MINIMUM_SIZE = 2


def image_name(image: ImageLike) -> str:
    """What messages call an image: its path, or "image"."""
    return str(image) if isinstance(image, (str, os.PathLike)) else "image"


def load_image(image: ImageLike, name: str | None = None) -> sitk.Image:
    """Open, convert and check an image.

    Args:
        image: SimpleITK image, ITK image, or path.
        name: what a message calls it; its path, or "image", if None.

    Returns:
        Scalar 3-D image of float32 pixels with finite, not constant, intensities.

    Raises:
        ImageError: not readable, cut short, not 3-D, not scalar, empty, one slice, huge, constant, or with NaN or
            infinity.
    """
    return check_image(_open(image, name or image_name(image)), name or image_name(image))


def load_mask(mask: ImageLike, name: str) -> sitk.Image:
    """Open a mask: 3-D, one real number a voxel, and what is not 0 is inside.

    Args:
        mask: SimpleITK image, ITK image, or path.
        name: what a message calls it.

    Returns:
        8-bit image of 0 and 1.

    Raises:
        ImageError: not readable, not 3-D, not scalar, or 0 everywhere.
    """
    opened = _open(mask, name)
    _check_kind(opened, name)
    inside: sitk.Image = sitk.NotEqual(opened, 0)
    if not sitk.GetArrayViewFromImage(inside).any():
        raise ImageError(f"{name}: every voxel is 0, which leaves nothing; expected some that are not")
    return inside


def _open(image: ImageLike, name: str) -> sitk.Image:
    if isinstance(image, (str, os.PathLike)):
        return read_image(Path(image))
    if isinstance(image, sitk.Image):
        return image
    if _is_itk(image):
        return _from_itk(image, name)
    raise ImageError(f"{name}: expected a SimpleITK image, an ITK image or a path, got {type(image).__name__}")


def image_from_array(pixels: np.ndarray[Any, Any], grid: Grid, name: str = "image") -> sitk.Image:
    """An image from its pixels, shape (z, y, x), and where they lie, checked as `load_image` does."""
    if pixels.size == 0:
        raise ImageError(f"{name}: expected a 3-D image, got an empty one; update its pipeline or read it again")
    return check_image(grid.image_of(pixels), name)


def check_image(image: sitk.Image, name: str) -> sitk.Image:
    """The image as float32, or an `ImageError` that names it."""
    _check_kind(image, name)
    size = image.GetSize()
    if min(size) < 1:
        raise ImageError(f"{name}: expected a 3-D image, got an empty one of size {size}")
    if min(size) < _MINIMUM_SIZE:
        raise ImageError(
            f"{name}: expected {_MINIMUM_SIZE} slices or more along every axis, got size {size}; "
            "repeat a single slice, by sitk.Expand or sitk.JoinSeries"
        )
    if np.prod(np.asarray(size, dtype=np.float64)) > MAXIMUM_VOXELS:
        raise ImageError(f"{name}: {size} has more than 2^31 voxels; crop or downsample it first")
    direction = np.asarray(image.GetDirection()).reshape(3, 3)
    if not np.allclose(direction @ direction.T, np.eye(3), atol=1e-3):
        raise ImageError(
            f"{name}: expected orthonormal direction cosines (three unit axes at right angles), "
            f"got {np.round(direction, 4).tolist()}; correct the file's header"
        )
    as_float: sitk.Image = sitk.Cast(image, sitk.sitkFloat32)
    pixels = sitk.GetArrayViewFromImage(as_float)
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError(f"{name}: expected finite intensities, found NaN or infinity; replace those voxels first")
    if low == high:
        raise ImageError(f"{name}: every voxel is {low:g}; expected an image with structure")
    return as_float


def _check_kind(image: sitk.Image, name: str) -> None:
    if image.GetDimension() != 3:
        raise ImageError(f"{name}: expected a 3-D image, got a {image.GetDimension()}-D one of size {image.GetSize()}")
    if image.GetNumberOfComponentsPerPixel() != 1 or "complex" in image.GetPixelIDTypeAsString():
        raise ImageError(
            f"{name}: expected one real number a voxel, got {image.GetPixelIDTypeAsString()}; give one channel"
        )


def _is_itk(image: object) -> bool:
    return "itk" in sys.modules and type(image).__module__.split(".")[0] == "itk"


def _from_itk(image: Any, name: str) -> sitk.Image:
    itk: Any = sys.modules["itk"]  # where the image is from
    if not hasattr(image, "GetLargestPossibleRegion"):
        raise ImageError(f"{name}: expected an ITK image, got {type(image).__name__}; call GetOutput() of a filter")
    image.Update()
    if image.GetImageDimension() != 3:
        raise ImageError(f"{name}: expected a 3-D image, got a {image.GetImageDimension()}-D one")
    if min(image.GetBufferedRegion().GetSize()) < 1:
        raise ImageError(f"{name}: expected a 3-D image, got an empty one; update its pipeline or read it again")
    pixels = itk.array_view_from_image(image)
    if pixels.ndim != 3:
        raise ImageError(f"{name}: expected one real number a voxel, got several; give one channel")
    start = image.TransformIndexToPhysicalPoint(image.GetBufferedRegion().GetIndex())
    direction = itk.array_from_matrix(image.GetDirection())
    spacing = [float(s) for s in image.GetSpacing()]
    return Grid.of_frame(pixels.shape[::-1], [float(s) for s in start], spacing, direction.ravel()).image_of(pixels)
