"""Deformable registrations through ITK's own methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import rotation, structured_image
from itk_helpers import ImageType, Metric, set_parameters, to_itk
from test_deformable import field

import disa
import itk


def known_displacement(points: np.ndarray) -> np.ndarray:
    """d(y) in mm, 2 to 8 mm long, waves of 90 mm and more; shape (..., 3)."""
    waves = np.stack([np.roll(points, shift, -1) for shift in range(3)], -1) / (90.0, 110.0, 130.0)
    return 3.0 * np.sin(2 * np.pi * waves).sum(-1) + np.array([2.0, -1.0, 1.5])


@pytest.fixture(scope="module")
def deformed() -> tuple[Any, Any, np.ndarray]:
    """An image, its copy M(y) = -F(y + d(y)) on a turned grid, and points well within the image, mm."""
    fixed = structured_image((52, 48, 44), seed=3)
    centre = np.asarray(fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()]))
    spacing, size = 4.0, (50, 48, 46)
    places = np.moveaxis(np.indices(size[::-1]), 0, -1)[..., ::-1] * spacing
    origin = centre - spacing * np.asarray(size) / 2
    vectors = sitk.GetImageFromArray(known_displacement(places + origin), isVector=True)
    vectors.SetOrigin(origin.tolist())
    vectors.SetSpacing((spacing,) * 3)
    turn = rotation(8, -6, 10)
    moving_size, moving_spacing = (62, 58, 54), 2.1
    moving = sitk.Resample(
        fixed,
        moving_size,
        sitk.DisplacementFieldTransform(vectors),
        sitk.sitkLinear,
        (centre - turn @ ((np.asarray(moving_size) - 1) / 2 * moving_spacing)).tolist(),
        (moving_spacing,) * 3,
        turn.ravel().tolist(),
        0.0,
    )
    points = centre + np.array(list(np.ndindex(5, 5, 5))) * 14.0 - 28.0
    return to_itk(fixed), to_itk(-1.0 * moving), points


def error_of(transform: Any, points: np.ndarray) -> float:
    """Mean distance in mm of y + d(y) from x, with y where the transform takes x to; 0 for the truth."""
    moved = np.array([list(transform.TransformPoint(p.tolist())) for p in points])
    return float(np.linalg.norm(moved + known_displacement(moved) - points, axis=1).mean())


def method_of(pair: tuple[Any, Any, np.ndarray], metric: Any, optimizer: Any, transform: Any, levels: int) -> Any:
    method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
        FixedImage=pair[0], MovingImage=pair[1], Metric=metric, Optimizer=optimizer, InitialTransform=transform
    )
    method.SetNumberOfLevels(levels)
    method.SetShrinkFactorsPerLevel([1] * levels)
    method.SetSmoothingSigmasPerLevel([0] * levels)
    method.InPlaceOn()
    return method


def spline_over(image: Any, mesh: int) -> Any:
    transform = itk.BSplineTransform[itk.D, 3, 3].New()
    initializer = itk.BSplineTransformInitializer[type(transform), ImageType].New(
        Transform=transform, Image=image, TransformDomainMeshSize=[mesh] * 3
    )
    initializer.InitializeTransform()
    return transform


@pytest.mark.parametrize("name", ["LBFGSB", "LBFGS2"])
def test_a_b_spline_recovers_a_known_deformation(deformed: tuple[Any, Any, np.ndarray], name: str) -> None:
    transform = spline_over(deformed[0], 4)
    before = error_of(transform, deformed[2])
    metric = Metric.New()
    if name == "LBFGSB":
        optimizer = itk.LBFGSBOptimizerv4.New(
            NumberOfIterations=60, CostFunctionConvergenceFactor=1e7, GradientConvergenceTolerance=1e-7
        )
        optimizer.SetBoundSelection(itk.Array[itk.SL](transform.GetNumberOfParameters(), 0))
    else:
        optimizer = itk.LBFGS2Optimizerv4Template[itk.D].New(MaximumIterations=60)
    method_of(deformed, metric, optimizer, transform, levels=3).Update()
    print(name, before, error_of(transform, deformed[2]))
    assert before > 4.0
    assert error_of(transform, deformed[2]) < 1.5


def test_a_displacement_field_recovers_a_known_deformation(deformed: tuple[Any, Any, np.ndarray]) -> None:
    transform = field("GaussianSmoothingOnUpdateDisplacementFieldTransform", deformed[0])
    transform.SetGaussianSmoothingVarianceForTheUpdateField(25.0)
    transform.SetGaussianSmoothingVarianceForTheTotalField(0.5)
    metric = Metric.New()
    optimizer = itk.GradientDescentOptimizerv4Template[itk.D].New(NumberOfIterations=60)
    optimizer.SetScalesEstimator(itk.RegistrationParameterScalesFromPhysicalShift[type(metric)].New(Metric=metric))
    optimizer.SetMaximumStepSizeInPhysicalUnits(0.5)
    optimizer.SetDoEstimateLearningRateAtEachIteration(True)
    method_of(deformed, metric, optimizer, transform, levels=2).Update()
    print(error_of(transform, deformed[2]))
    assert error_of(transform, deformed[2]) < 2.0
