# SPDX-License-Identifier: Apache-2.0
"""Deformable registrations through ITK's own methods; B-splines and SyN: tests/examples/test_itk_scripts.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import itk
from helpers.images import rotation
from helpers.itk_chains import field
from helpers.itk_metric import ImageType, Metric, set_parameters, to_itk
from helpers.known_deformation import deformed_pair, error_of
from helpers.network_runs import CountingExtractor


@pytest.fixture(scope="module")
def deformed() -> tuple[Any, Any, np.ndarray]:
    """The known deformation's pair as ITK's images, and its points."""
    fixed, moving, points = deformed_pair()
    return to_itk(fixed), to_itk(moving), points


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


@pytest.fixture(scope="module")
def coarse(deformed: tuple[Any, Any, np.ndarray]) -> Any:
    """The fixed image's grid at half its resolution."""
    return itk.shrink_image_filter(deformed[0], shrink_factors=[2, 2, 2])


def test_a_displacement_field_recovers_a_known_deformation(deformed: tuple[Any, Any, np.ndarray], coarse: Any) -> None:
    transform = field("GaussianSmoothingOnUpdateDisplacementFieldTransform", coarse)
    transform.SetGaussianSmoothingVarianceForTheUpdateField(25.0)
    transform.SetGaussianSmoothingVarianceForTheTotalField(0.0)
    before = error_of(transform, deformed[2])
    metric = Metric.New(FeatureSmoothing=12.0)
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
    assert counter.strides == [2] * 4


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
