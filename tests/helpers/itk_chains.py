# SPDX-License-Identifier: Apache-2.0
"""B-splines, displacement fields and composites of ITK's, and a metric under them."""

from __future__ import annotations

from typing import Any

import numpy as np

import disa
import itk
from helpers.images import rotation
from helpers.itk_metric import (
    Metric,
    box,
    set_parameters,
    value_and_derivative,
)

FIELDS = (
    "DisplacementFieldTransform",
    "GaussianSmoothingOnUpdateDisplacementFieldTransform",
    "BSplineSmoothingOnUpdateDisplacementFieldTransform",
)


def b_spline(mesh: tuple[int, int, int] = (3, 4, 5), direction: np.ndarray | None = None) -> Any:
    """A B-spline over most of the fixed descriptors of `volumes`; some lie outside of its domain."""
    transform = itk.BSplineTransform[itk.D, 3, 3].New()
    transform.SetTransformDomainOrigin([0.0, -18.0, 8.0])
    transform.SetTransformDomainDirection(itk.matrix_from_array(np.eye(3) if direction is None else direction))
    transform.SetTransformDomainPhysicalDimensions([100.0, 90.0, 80.0])
    transform.SetTransformDomainMeshSize(mesh)
    return transform


def grid(spacing: float = 6.7, size: tuple[int, int, int] = (14, 15, 16), turn: np.ndarray | None = None) -> Any:
    """A float image whose voxels are nowhere near the descriptors' places."""
    image = itk.image_from_array(np.zeros(size[::-1], np.float32))
    image.SetOrigin([1.0, -24.0, 9.0])
    image.SetSpacing([spacing] * 3)
    image.SetDirection(itk.matrix_from_array(np.eye(3) if turn is None else turn))
    return image


def field(name: str = FIELDS[0], like: Any = None) -> Any:
    """A displacement field transform at identity on an image's voxels."""
    like = grid() if like is None else like
    vectors = itk.Image[itk.Vector[itk.D, 3], 3].New()
    vectors.CopyInformation(like)
    vectors.SetRegions(like.GetLargestPossibleRegion())
    vectors.AllocateInitialized()
    transform = getattr(itk, name)[itk.D, 3].New()
    transform.SetDisplacementField(vectors)
    return transform


def move(transform: Any, rng: np.random.Generator, amplitude: float = 3.0) -> None:
    """Random parameters, displacements of some millimetres."""
    set_parameters(transform, rng.normal(scale=amplitude, size=transform.GetNumberOfParameters()))


def composite(*transforms: Any) -> Any:
    """A composite; the last one is applied first and is the one to be optimised."""
    result = itk.CompositeTransform[itk.D, 3].New()
    for transform in transforms:
        result.AddTransform(transform)
    result.SetOnlyMostRecentTransformToOptimizeOn()
    return result


def volumes(make_features: Any, quantized: bool = False) -> tuple[disa.FeatureVolume, disa.FeatureVolume]:
    return (
        make_features(seed=1, quantized=quantized),
        make_features((26, 25, 24), seed=2, quantized=quantized, spacing=4.3, direction=rotation(5, -8, 3)),
    )


def deformable_metric(fixed: disa.FeatureVolume, moving: disa.FeatureVolume, transform: Any, domain: Any = None) -> Any:
    """An initialised metric whose virtual domain is that of `grid`, or another image's."""
    metric = Metric.New(FixedImage=box(fixed), MovingImage=box(moving), MovingTransform=transform)
    metric.SetFixedFeatures(fixed)
    metric.SetMovingFeatures(moving)
    metric.SetVirtualDomainFromImage(grid() if domain is None else domain)
    metric.Initialize()
    return metric


def check_slopes(metric: Any, transform: Any, rng: np.random.Generator) -> None:
    """The derivative against central differences: along 12 parameters and along 3 random directions of all of them."""
    start = np.array(list(transform.GetParameters()))
    _, derivative = value_and_derivative(metric)
    assert derivative.shape == start.shape
    felt = np.flatnonzero(derivative)
    assert felt.size > 0
    chosen = np.concatenate([rng.choice(felt, min(9, felt.size), replace=False), rng.choice(start.size, 3)])
    directions = [np.eye(1, start.size, k)[0] for k in chosen] + [rng.normal(size=start.size) for _ in range(3)]
    expected = []
    for direction in directions:
        values = []
        for sign in (1, -1):
            set_parameters(transform, start + sign * 1e-6 * direction)
            values.append(metric.GetValue())
        expected.append((values[1] - values[0]) / 2e-6)
    set_parameters(transform, start)
    slopes = np.array(directions) @ derivative
    assert np.linalg.norm(slopes[:12] - expected[:12]) < 1e-3 * np.linalg.norm(expected[:12])
    assert np.linalg.norm(slopes[12:] - expected[12:]) < 1e-3 * np.linalg.norm(expected[12:])
