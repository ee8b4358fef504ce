# SPDX-License-Identifier: Apache-2.0
"""Transforms applied to images, labels and points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError, RegistrationError
from disa.interrupts import aborting
from disa.progress import announce


def resampled(moving: sitk.Image, fixed: sitk.Image, transform: sitk.Transform, labels: bool = False) -> sitk.Image:
    """The moving image on the fixed image's grid, of its own pixel type.

    Args:
        moving: image or label map, 3-D, any number of components a voxel.
        fixed: image whose grid the result has.
        transform: from fixed to moving points, mm.
        labels: nearest neighbour and 0 outside; otherwise linear, and the least intensity outside.

    Raises:
        ImageError: one of them is not 3-D, or the moving one has complex numbers.
    """
    for name, image in (("moving", moving), ("fixed", fixed)):
        if image.GetDimension() != 3:
            raise ImageError(f"{name} image: expected a 3-D image, got a {image.GetDimension()}-D one")
    if "complex" in moving.GetPixelIDTypeAsString():
        raise ImageError(
            f"moving image: expected real numbers, got {moving.GetPixelIDTypeAsString()}; give one channel"
        )
    interpolator = sitk.sitkNearestNeighbor if labels else sitk.sitkLinear
    scalar = moving.GetNumberOfComponentsPerPixel() == 1
    outside = 0.0 if labels or not scalar else float(sitk.GetArrayViewFromImage(moving).min())
    resampling = sitk.ResampleImageFilter()
    resampling.SetReferenceImage(fixed)
    resampling.SetTransform(transform)
    resampling.SetInterpolator(interpolator)
    resampling.SetDefaultPixelValue(outside)
    resampling.AddCommand(sitk.sitkProgressEvent, lambda: announce("resampling", resampling.GetProgress()))
    with aborting(resampling):
        carried: sitk.Image = resampling.Execute(moving)
    return carried


def transformed(points: npt.NDArray[np.float64], transform: sitk.Transform) -> npt.NDArray[np.float64]:
    """Where a transform takes points of shape (n, 3), mm (LPS). Raises RegistrationError where that is no place."""
    taken = np.array([transform.TransformPoint(point) for point in points.tolist()])
    lost = int(np.count_nonzero(~np.isfinite(taken)))
    if lost:
        raise RegistrationError(
            f"transform: takes {len(points)} points to {lost} coordinates of NaN or infinity; expected a transform "
            "without such numbers"
        )
    return taken


def inverted(transform: sitk.Transform, name: str) -> sitk.Transform:
    """The inverse transform.

    Args:
        transform: to invert.
        name: what a message calls it.

    Raises:
        RegistrationError: it has none in closed form, as B-splines and displacement fields do not.
    """
    try:
        inverse: sitk.Transform = transform.GetInverse()
    except RuntimeError:
        raise RegistrationError(
            f"{name}: a {transform.GetName()} has no inverse in closed form; "
            "register with fixed and moving image exchanged"
        ) from None
    return inverse
