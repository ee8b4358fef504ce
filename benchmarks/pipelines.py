"""The two pipelines that are compared, as their users write them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

import itk

ImageType = itk.Image[itk.F, 3]


def to_itk(image: sitk.Image) -> itk.Image:
    """A float ITK image with the same pixels and frame."""
    converted = itk.image_from_array(sitk.GetArrayFromImage(image).astype(np.float32))
    converted.SetOrigin(image.GetOrigin())
    converted.SetSpacing(image.GetSpacing())
    converted.SetDirection(itk.matrix_from_array(np.asarray(image.GetDirection()).reshape(3, 3)))
    return converted


def register_disa(
    fixed: itk.Image,
    moving: itk.Image,
    initial: sitk.Euler3DTransform,
    *,
    spacings: Sequence[float] = (2.0,),
    levels: int = 3,
    model: str = "disa-lc2",
    metric: itk.ImageToImageMetricv4 | None = None,
) -> sitk.Euler3DTransform:
    """Rigid registration by `itk.ImageRegistrationMethodv4` and LBFGS2, one run a spacing."""
    if metric is None:
        metric = itk.DISAImageToImageMetricv4[ImageType, ImageType].New(Model=model)
    transform = itk.Euler3DTransform[itk.D].New()
    transform.SetCenter(initial.GetCenter())
    set_parameters(transform, initial.GetParameters())
    for spacing in spacings:
        metric.SetFeatureSpacing(spacing)
        optimizer = itk.LBFGS2Optimizerv4Template[itk.D].New()
        method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
            FixedImage=fixed,
            MovingImage=moving,
            Metric=metric,
            Optimizer=optimizer,
            InitialTransform=transform,
        )
        method.SetNumberOfLevels(levels)
        method.SetShrinkFactorsPerLevel([1] * levels)
        method.SetSmoothingSigmasPerLevel([0] * levels)
        method.InPlaceOn()
        method.Update()
    result = sitk.Euler3DTransform(initial)
    result.SetParameters(list(transform.GetParameters()))
    return result


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


def set_parameters(transform: itk.Transform, values: Sequence[float]) -> None:
    """Set an ITK transform's parameters from plain numbers."""
    parameters = itk.OptimizerParameters[itk.D](len(values))
    for i, value in enumerate(values):
        parameters[i] = value
    transform.SetParameters(parameters)
