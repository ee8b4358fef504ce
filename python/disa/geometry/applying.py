# SPDX-License-Identifier: Apache-2.0
"""Transforms applied to images, labels and points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from disa.errors import ImageError, RegistrationError
from disa.geometry.pixels import pixels_of
from disa.interrupts import aborting
from disa.progress import announce

INTERPOLATORS = {
    "nearest": sitk.sitkNearestNeighbor,
    "linear": sitk.sitkLinear,
    "bspline": sitk.sitkBSpline,
    "windowed-sinc": sitk.sitkLanczosWindowedSinc,
    "label-gaussian": sitk.sitkLabelGaussian,
}
"""By name: the cubic B-spline, the sinc under Lanczos' window of 5 voxels either way, and for label maps the label that
has the most of a Gaussian of one voxel."""

LARGEST_LABEL = 2**53
"""Up to which each whole number is a 64-bit float."""

FOR_LABELS = ("nearest", "label-gaussian")
"""Interpolators that make no labels up."""


@dataclass(frozen=True)
class Resampling:
    """How an image is read between its voxels, and what is where it has none.

    Attributes:
        interpolation: one of `INTERPOLATORS`.
        outside: intensity outside of the moving image; None: its least one, and 0 for labels and several channels.
    """

    interpolation: str = "linear"
    outside: float | None = None


LINEAR = Resampling()
LABELS = Resampling("nearest", 0.0)


def resampled(moving: sitk.Image, fixed: sitk.Image, transform: sitk.Transform, how: Resampling = LINEAR) -> sitk.Image:
    """The moving image on the fixed image's grid, of its own pixel type.

    Args:
        moving: image or label map, 3-D, any number of components a voxel.
        fixed: image whose grid the result has.
        transform: from fixed to moving points, mm.
        how: interpolator and what is outside; `LABELS` for label maps.

    Raises:
        ImageError: one of them is not 3-D, the moving one has complex numbers, labels beyond 2^53, or cannot hold what
            is outside.
    """
    for name, image in (("moving", moving), ("fixed", fixed)):
        if image.GetDimension() != 3:
            raise ImageError(f"{name} image: expected a 3-D image, got a {image.GetDimension()}-D one")
    if "complex" in moving.GetPixelIDTypeAsString():
        raise ImageError(
            f"moving image: expected real numbers, got {moving.GetPixelIDTypeAsString()}; give one channel"
        )
    if how.interpolation in FOR_LABELS:
        _check_labels(moving)
    resampling = sitk.ResampleImageFilter()
    resampling.SetReferenceImage(fixed)
    resampling.SetTransform(transform)
    resampling.SetInterpolator(INTERPOLATORS[how.interpolation])
    resampling.SetDefaultPixelValue(_outside(moving, how))
    resampling.AddCommand(sitk.sitkProgressEvent, lambda: announce("resampling", resampling.GetProgress()))
    with aborting(resampling):
        carried: sitk.Image = resampling.Execute(moving)
    return carried


def _check_labels(moving: sitk.Image) -> None:
    """Raises ImageError where there are labels that ITK, which resamples by 64-bit floats, would make others of."""
    labels = pixels_of(moving)
    if labels.dtype.kind not in "iu" or labels.dtype.itemsize < 8:
        return
    if max(int(labels.max()), -int(labels.min())) > LARGEST_LABEL:
        raise ImageError("moving image: has labels beyond 2^53, which resampling rounds to others; number them anew")


def _outside(moving: sitk.Image, how: Resampling) -> float:
    """Raises ImageError where the image's pixels cannot hold it."""
    values = pixels_of(moving)
    if how.outside is None:
        is_plain = moving.GetNumberOfComponentsPerPixel() == 1 and how.interpolation != "label-gaussian"
        return float(values.min()) if is_plain else 0.0
    if values.dtype.kind in "iu":
        limits = np.iinfo(values.dtype)
        if not (limits.min <= how.outside <= limits.max and how.outside == round(how.outside)):
            raise ImageError(
                f"the value outside is {how.outside:g}; expected a whole number from {limits.min} to {limits.max}, as "
                "the moving image has them"
            )
    return how.outside


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


def displacements_on(transform: sitk.Transform, grid: sitk.Image) -> sitk.Image:
    """How far a transform moves each voxel of an image's grid: three float64 a voxel, mm (LPS)."""
    field: sitk.Image = sitk.TransformToDisplacementField(
        transform, sitk.sitkVectorFloat64, grid.GetSize(), grid.GetOrigin(), grid.GetSpacing(), grid.GetDirection()
    )
    return field
