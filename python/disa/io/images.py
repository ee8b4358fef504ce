# SPDX-License-Identifier: Apache-2.0
"""Images of any of the accepted kinds, read and checked: a 3-D scalar SimpleITK image comes out."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, TypeAlias

import numpy as np
import SimpleITK as sitk

from disa.errors import ImageError, ImageWarning
from disa.geometry.grid import Grid
from disa.geometry.pixels import pixels_of
from disa.io.gate import FLOATS, check_finite, check_kind, check_place, check_size, check_voxels, scalar_of
from disa.io.reading import read_image

ImageLike: TypeAlias = Any
"""A `SimpleITK.Image`, an `itk.Image`, the path of an image file or of a folder with one DICOM series, or a
`disa.ImageFile`, which also says how it is read."""

IMAGE_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Of image files that this package names; ITK reads more."""


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
    """Open a mask: 3-D, one real number a voxel, and what is neither 0 nor NaN is inside.

    Args:
        mask: SimpleITK image, ITK image, or path.
        name: what a message calls it.

    Returns:
        8-bit image of 0 and 1.

    Raises:
        ImageError: not readable, not 3-D, not scalar, or 0 everywhere.
    """
    return check_mask(_open(mask, name, labels=True), name)


def load_weights(weights: ImageLike, name: str | None = None) -> sitk.Image:
    """Open an image of weights: 3-D, one real number a voxel. They may be all alike.

    Args:
        weights: SimpleITK image, ITK image, or path.
        name: what a message calls it; its path, or "image", if None.

    Returns:
        Of float32 pixels.

    Raises:
        ImageError: not readable, not 3-D, not scalar, empty, or with NaN or infinity.
    """
    name = name or image_name(weights)
    opened = scalar_of(_open(weights, name))
    check_kind(opened, name)
    check_place(Grid.of(opened), name)
    as_float: sitk.Image = sitk.Cast(opened, sitk.sitkFloat32)
    check_finite(as_float, name)
    return as_float


def load_labels(labels: ImageLike, name: str | None = None) -> sitk.Image:
    """Open a label map: 3-D, one whole number a voxel.

    Args:
        labels: SimpleITK image, ITK image, or path.
        name: what a message calls it; its path, or "image", if None.

    Returns:
        Of its own pixel type, or 64-bit integers where that is of fractions.

    Raises:
        ImageError: not readable, not 3-D, several numbers a voxel, or with fractions, NaN or infinity.
    """
    name = name or image_name(labels)
    opened = scalar_of(_open(labels, name, labels=True))
    check_kind(opened, name)
    check_place(Grid.of(opened), name)
    if opened.GetPixelID() not in FLOATS:
        return opened
    values = pixels_of(opened)
    wrong = int(np.count_nonzero(~np.isfinite(values) | (values != np.round(values))))
    if wrong:
        raise ImageError(
            f"{name}: expected a label map of whole numbers, but {wrong} of {values.size} voxels are fractions or NaN; "
            "threshold a soft map first"
        )
    whole: sitk.Image = sitk.Cast(opened, sitk.sitkInt64)
    return whole


def check_mask(mask: sitk.Image, name: str) -> sitk.Image:
    """The mask as 8-bit image of 0 and 1, or an `ImageError` that names it."""
    mask = scalar_of(mask)
    check_kind(mask, name)
    check_place(Grid.of(mask), name)
    values = pixels_of(mask)
    is_nan = np.isnan(values)
    inside = (values != 0) & ~is_nan
    if not inside.any():
        raise ImageError(f"{name}: every voxel is 0 or NaN, which leaves nothing; expected some that are not")
    if is_nan.any():
        warnings.warn(
            f"{name}: {np.count_nonzero(is_nan)} of {values.size} voxels are NaN, and count as outside; write 0 into "
            "them",
            ImageWarning,
            stacklevel=2,
        )
    return Grid.of(mask).image_of(inside.astype(np.uint8))


def _open(image: ImageLike, name: str, *, labels: bool = False) -> sitk.Image:
    if isinstance(image, (str, os.PathLike)):
        return read_image(image, labels=labels)
    if isinstance(image, sitk.Image):
        return image
    if _is_itk(image):
        return _from_itk(image, name)
    raise ImageError(f"{name}: expected a SimpleITK image, an ITK image or a path, got {type(image).__name__}")


def image_from_array(pixels: np.ndarray[Any, Any], grid: Grid, name: str = "image") -> sitk.Image:
    """An image from its pixels, shape (z, y, x), and where they lie, checked as `load_image` does."""
    if pixels.size == 0:
        raise ImageError(f"{name}: expected a 3-D image, got an empty one; update its pipeline or read it again")
    check_place(grid, name)
    return check_image(grid.image_of(pixels), name)


def check_image(image: sitk.Image, name: str) -> sitk.Image:
    """The image as float32, or an `ImageError` that names it."""
    image = scalar_of(image)
    check_kind(image, name)
    grid = Grid.of(image)
    check_size(grid, name)
    check_place(grid, name)
    as_float: sitk.Image = sitk.Cast(image, sitk.sitkFloat32)
    check_voxels(as_float, name)
    return as_float


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
    if pixels.shape[3:] == (1,):  # vectors of one number
        pixels = pixels[..., 0]
    if pixels.ndim != 3:
        raise ImageError(f"{name}: expected one real number a voxel, got several; give one channel")
    start = image.TransformIndexToPhysicalPoint(image.GetBufferedRegion().GetIndex())
    direction = itk.array_from_matrix(image.GetDirection())
    spacing = [float(s) for s in image.GetSpacing()]
    grid = Grid.of_frame(pixels.shape[::-1], [float(s) for s in start], spacing, direction.ravel())
    check_place(grid, name)
    return grid.image_of(pixels)
