"""Deformable registrations through ITK's own methods; B-splines and SyN: tests/test_itk_examples.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from conftest import rotation, structured_image
from itk_helpers import ImageType, Metric, set_parameters, to_itk
from test_deformable import field
from test_registration import CountingExtractor

import itk


def known_displacement(points: np.ndarray) -> np.ndarray:
    """d(y) in mm, shape (..., 3); waves of 150 mm and more, which turn and stretch by some 10 %."""
    waves = np.stack([np.roll(points, shift, -1) for shift in range(3)], -1) / (150.0, 180.0, 210.0)
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


def test_a_b_spline_is_not_smoothed_for_unless_asked(deformed: tuple[Any, Any, np.ndarray]) -> None:
    metric = Metric.New(FixedImage=deformed[0], MovingImage=deformed[1], MovingTransform=spline_over(deformed[0], 1))
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 0.0


def test_a_refined_b_spline_goes_on_as_a_further_level(deformed: tuple[Any, Any, np.ndarray]) -> None:
    transform = spline_over(deformed[0], 1)
    metric = Metric.New(
        FixedImage=deformed[0], MovingImage=deformed[1], MovingTransform=transform, FeatureSmoothing=12.0
    )
    metric.Initialize()
    metric.SetParameters(transform.GetParameters())
    transform.SetTransformDomainMeshSize([2, 2, 2])  # as ITK's adaptors do between levels
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 6.0


@pytest.fixture(scope="module")
def coarse(deformed: tuple[Any, Any, np.ndarray]) -> Any:
    """The fixed image's grid at half its resolution."""
    return itk.shrink_image_filter(deformed[0], shrink_factors=[2, 2, 2])


def test_a_displacement_field_recovers_a_known_deformation(deformed: tuple[Any, Any, np.ndarray], coarse: Any) -> None:
    transform = field("GaussianSmoothingOnUpdateDisplacementFieldTransform", coarse)
    transform.SetGaussianSmoothingVarianceForTheUpdateField(25.0)
    transform.SetGaussianSmoothingVarianceForTheTotalField(0.0)
    before = error_of(transform, deformed[2])
    metric = Metric.New(FeatureSmoothing=6.0)
    optimizer = itk.GradientDescentOptimizerv4Template[itk.D].New(
        NumberOfIterations=40,
        ScalesEstimator=itk.RegistrationParameterScalesFromPhysicalShift[type(metric)].New(Metric=metric),
        MaximumStepSizeInPhysicalUnits=0.5,
        DoEstimateLearningRateOnce=False,
        DoEstimateLearningRateAtEachIteration=True,
    )
    method = method_of(deformed, metric, optimizer, transform, levels=1)
    method.SetShrinkFactorsPerLevel([2])
    method.Update()
    assert before > 10.0
    assert error_of(transform, deformed[2]) < 3.0


def test_images_that_change_places_are_extracted_once(
    deformed: tuple[Any, Any, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = CountingExtractor(monkeypatch)
    metric = Metric.New()
    for fixed, moving in (deformed[:2], deformed[1::-1], deformed[:2], deformed[1::-1]):
        metric.SetFixedImage(fixed)
        metric.SetMovingImage(moving)
        metric.SetVirtualDomainFromImage(deformed[0])
        metric.Initialize()
    assert sorted(counter.strides) == [2, 2, 4, 4]


def rotating_field(like: Any, turn: np.ndarray, wave: float) -> Any:
    """u(x) = (R - 1)(x - c) and waves of so many mm on top."""
    transform = field(like=like)
    frame = np.asarray(itk.array_from_matrix(like.GetDirection())) * np.asarray(like.GetSpacing())
    places = np.array(list(np.ndindex(*itk.array_view_from_image(like).shape)))[:, ::-1] @ frame.T + like.GetOrigin()
    arms = places - places.mean(axis=0)
    set_parameters(transform, (arms @ (turn - np.eye(3)).T + wave * np.sin(places / 7.0)).ravel())
    return transform


@pytest.mark.parametrize("wave", [0.0, 2.0])
def test_the_moving_descriptors_follow_a_fields_mean_rotation(
    deformed: tuple[Any, Any, np.ndarray], coarse: Any, wave: float
) -> None:
    turn = rotation(10, -7, 12)
    metric = Metric.New(FixedImage=deformed[0], MovingImage=deformed[1])
    metric.SetVirtualDomainFromImage(coarse)
    metric.SetMovingTransform(rotating_field(coarse, turn, wave))
    metric.Initialize()
    direction = np.asarray(metric.GetMovingFeatures().direction).reshape(3, 3)
    fixed = np.asarray(metric.GetFixedFeatures().direction).reshape(3, 3)
    off = np.degrees(np.arccos(np.clip((np.trace(direction @ (turn @ fixed).T) - 1) / 2, -1, 1)))
    assert off < (1e-3 if wave == 0.0 else 1.0)
