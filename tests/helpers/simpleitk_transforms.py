# SPDX-License-Identifier: Apache-2.0
"""Every transform that SimpleITK's method optimises, at the middle of an image."""

from __future__ import annotations

from collections.abc import Callable

import SimpleITK as sitk


def centred(kind: type) -> Callable[[sitk.Image], sitk.Transform]:
    def make(image: sitk.Image) -> sitk.Transform:
        transform = kind(3) if kind in (sitk.AffineTransform, sitk.ScaleTransform) else kind()
        transform.SetCenter(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
        return transform

    return make


def field(image: sitk.Image, smoothing: str) -> sitk.DisplacementFieldTransform:
    grid = sitk.Image(image.GetSize(), sitk.sitkVectorFloat64, 3)
    grid.CopyInformation(image)
    transform = sitk.DisplacementFieldTransform(grid)
    if smoothing == "Gaussian":
        transform.SetSmoothingGaussianOnUpdate(varianceForUpdateField=2.0, varianceForTotalField=0.6)
    elif smoothing == "BSpline":
        transform.SetSmoothingBSplineOnUpdate([10, 9, 8], [0, 0, 0], False)
    return transform


def composite(image: sitk.Image) -> sitk.CompositeTransform:
    first = sitk.TranslationTransform(3, (0.4, -0.2, 0.1))
    return sitk.CompositeTransform([first, centred(sitk.Euler3DTransform)(image)])


TRANSFORMS: dict[str, Callable[[sitk.Image], sitk.Transform]] = {
    "Translation": lambda _: sitk.TranslationTransform(3),
    "Euler3D": centred(sitk.Euler3DTransform),
    "Euler3D-ZYX": lambda image: _zyx(centred(sitk.Euler3DTransform)(image)),
    "VersorRigid3D": centred(sitk.VersorRigid3DTransform),
    "Versor": centred(sitk.VersorTransform),
    "Similarity3D": centred(sitk.Similarity3DTransform),
    "Scale": centred(sitk.ScaleTransform),
    "ScaleLogarithmic": lambda _: sitk.Transform(3, sitk.sitkScaleLogarithmic),
    "QuaternionRigid": lambda _: sitk.Transform(3, sitk.sitkQuaternionRigid),
    "ScaleVersor3D": centred(sitk.ScaleVersor3DTransform),
    "ScaleSkewVersor3D": centred(sitk.ScaleSkewVersor3DTransform),
    "Affine": centred(sitk.AffineTransform),
    "BSpline": lambda image: sitk.BSplineTransformInitializer(image, [2, 1, 1]),
    "DisplacementField": lambda image: field(image, ""),
    "DisplacementField-Gaussian": lambda image: field(image, "Gaussian"),
    "DisplacementField-BSpline": lambda image: field(image, "BSpline"),
    "Composite": composite,
    "Composite-nested": lambda image: sitk.CompositeTransform([sitk.TranslationTransform(3), composite(image)]),
}


def _zyx(transform: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    transform.SetComputeZYX(True)
    return transform
