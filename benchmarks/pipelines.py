"""The two pipelines that are compared, as their users write them."""

from __future__ import annotations

from collections.abc import Sequence

import SimpleITK as sitk

import disa


def register_disa(
    fixed: sitk.Image,
    moving: sitk.Image,
    initial: sitk.Euler3DTransform,
    *,
    spacings: Sequence[float] = (2.0,),
    levels: int = 3,
    model: str = "disa-lc2",
    smoothing: float | None = None,
) -> sitk.Euler3DTransform:
    """Rigid registration by DISA and LBFGS2, one run a spacing."""
    transform = sitk.Euler3DTransform(initial)
    for spacing in spacings:
        method = disa.ImageRegistrationMethod()
        method.SetMetricAsDISA(model, spacing=spacing, smoothing=smoothing)
        method.SetOptimizerAsLBFGS2()
        method.SetShrinkFactorsPerLevel([1] * levels)
        method.SetSmoothingSigmasPerLevel([0] * levels)
        method.SetInitialTransform(transform, inPlace=True)
        method.Execute(fixed, moving)
    return transform


def register_mattes(fixed: sitk.Image, moving: sitk.Image, initial: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    """SimpleITK's usual three-level Mattes recipe."""
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescent(
        learningRate=1.0, numberOfIterations=100, convergenceMinimumValue=1e-6, convergenceWindowSize=10
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    transform = sitk.Euler3DTransform(initial)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(sitk.Cast(fixed, sitk.sitkFloat32), sitk.Cast(moving, sitk.sitkFloat32))
    except RuntimeError:  # too many samples map outside: it ends where it started
        return sitk.Euler3DTransform(initial)
    return transform
