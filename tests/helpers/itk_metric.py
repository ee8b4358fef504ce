# SPDX-License-Identifier: Apache-2.0
"""What tests of the ITK side share: images, parameters and a plain metric set-up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

import itk
from disa.core import FeatureVolume

CENTRE = (55.0, 28.0, 55.0)

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


def make_transform(name: str) -> Any:
    """A linear transform of ITK by its name, about the centre of the tests' volumes."""
    template = getattr(itk, name)
    sized = [parameters for parameters in template if parameters[-1] == 3]
    transform = (template[itk.D, 3] if sized else template[itk.D]).New()
    if hasattr(transform, "SetCenter"):
        transform.SetCenter(CENTRE)
    return transform


def central_differences(metric: Any, transform: Any) -> np.ndarray:
    """-df/dtheta, as every v4 metric's derivative points; steps move points by 1e-6 mm, so hardly any changes cell."""
    start = np.array(list(transform.GetParameters()))
    slopes = []
    for k, step in enumerate(1e-6 / np.maximum(arm_lengths(transform), 1.0)):
        values = []
        for sign in (1, -1):
            set_parameters(transform, start + sign * step * np.eye(len(start))[k])
            values.append(metric.GetValue())
        slopes.append((values[1] - values[0]) / (2 * step))
    set_parameters(transform, start)
    return np.array(slopes)


def arm_lengths(transform: Any) -> np.ndarray:
    """Greatest millimetres that a unit of each parameter moves a point 50 mm from the centre."""
    point = [c + 50.0 for c in CENTRE]
    count = transform.GetNumberOfParameters()
    start = np.array(list(transform.GetParameters()))
    base = np.asarray(transform.TransformPoint(point))
    lengths = []
    for k in range(count):
        set_parameters(transform, start + 1e-4 * np.eye(count)[k])
        lengths.append(np.linalg.norm(np.asarray(transform.TransformPoint(point)) - base) / 1e-4)
    set_parameters(transform, start)
    return np.array(lengths)


def reference_value(fixed: FeatureVolume, moving: FeatureVolume, transform: Any) -> float:
    """Eq. 2 in plain numpy: blend the float descriptors at each mapped point, dot, weigh."""
    frame = np.asarray(fixed.direction).reshape(3, 3) * fixed.spacing
    to_index = np.linalg.inv(np.asarray(moving.direction).reshape(3, 3) * moving.spacing)
    cells = np.pad(np.asarray(moving.data, np.float64) * moving.scale, ((1, 1), (1, 1), (1, 1), (0, 0)))
    total = 0.0
    for z, y, x in np.ndindex(*fixed.weights.shape):
        point = frame @ (x, y, z) + fixed.origin
        index = to_index @ (np.asarray(transform.TransformPoint(point.tolist())) - moving.origin) + 1
        if np.any(index < 0) or np.any(index >= np.asarray(cells.shape[2::-1]) - 1):
            continue
        base = index.astype(int)
        share = index - base
        blend = sum(
            np.prod(np.where(corner, share, 1 - share)) * cells[tuple((base + corner)[::-1])]
            for corner in np.ndindex(2, 2, 2)
        )
        total += fixed.weights[z, y, x] * (blend @ (fixed.data[z, y, x] * fixed.scale))
    return -total / fixed.weights.sum(dtype=np.float64)
