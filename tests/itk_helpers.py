"""What tests of the ITK side share: images, parameters and a plain metric set-up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

import itk
from disa.core import FeatureVolume

ImageType = itk.Image[itk.F, 3]
Metric = itk.DISAImageToImageMetricv4[ImageType, ImageType]


def to_itk(image: sitk.Image, pixel: Any = np.float32) -> Any:
    """An ITK image with the same pixels and frame."""
    converted = itk.image_from_array(sitk.GetArrayFromImage(image).astype(pixel))
    converted.SetOrigin(image.GetOrigin())
    converted.SetSpacing(image.GetSpacing())
    converted.SetDirection(itk.matrix_from_array(np.asarray(image.GetDirection()).reshape(3, 3)))
    return converted


def set_parameters(transform: Any, values: Sequence[float]) -> None:
    parameters = itk.OptimizerParameters[itk.D](len(values))
    for i, value in enumerate(values):
        parameters[i] = float(value)
    transform.SetParameters(parameters)


def box(features: FeatureVolume) -> Any:
    """A float image that covers the cells of a feature volume, every voxel one cell."""
    image = itk.image_from_array(np.zeros(features.weights.shape, np.float32))
    image.SetOrigin(features.origin)
    image.SetSpacing(features.spacing)
    image.SetDirection(itk.matrix_from_array(np.asarray(features.direction).reshape(3, 3)))
    return image


def metric_of(fixed: FeatureVolume, moving: FeatureVolume, transform: Any) -> Any:
    """An initialised metric over ready-made features."""
    metric = Metric.New()
    metric.SetFixedImage(box(fixed))
    metric.SetMovingImage(box(moving))
    metric.SetFixedFeatures(fixed)
    metric.SetMovingFeatures(moving)
    metric.SetMovingTransform(transform)
    metric.Initialize()
    return metric


def value_and_derivative(metric: Any) -> tuple[float, np.ndarray]:
    derivative = itk.Array[itk.D](metric.GetNumberOfParameters())
    metric.GetDerivative(derivative)
    return metric.GetCurrentValue(), np.array([derivative[i] for i in range(metric.GetNumberOfParameters())])
