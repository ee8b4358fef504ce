# SPDX-License-Identifier: Apache-2.0
"""What ITK's own tests of its v4 registration method expect, of DISA and of Mattes in the same places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import itk
from helpers.images import structured_image
from helpers.itk_metric import ImageType, Metric, to_itk

SHIFT = (3.0, -2.0, 1.5)
FIXED = structured_image((32, 32, 32), seed=3)
MOVING = sitk.Resample(FIXED, sitk.TranslationTransform(3, tuple(-s for s in SHIFT)), sitk.sitkLinear, 0.0)

KINDS = {"DISA": Metric, "Mattes": itk.MattesMutualInformationImageToImageMetricv4[ImageType, ImageType]}

both = pytest.mark.parametrize("metric", KINDS)


class Registration:
    """A translation by gradient descent in steps of a bounded length."""

    def __init__(self, metric: str, iterations: int = 60, levels: int = 1, in_place: bool = True) -> None:
        self.transform = itk.TranslationTransform[itk.D, 3].New()
        self.metric = KINDS[metric].New()
        self.optimizer = itk.RegularStepGradientDescentOptimizerv4[itk.D].New(
            LearningRate=1.0, MinimumStepLength=1e-3, NumberOfIterations=iterations, RelaxationFactor=0.6
        )
        self.optimizer.SetGradientMagnitudeTolerance(1e-9)
        self.method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
            FixedImage=to_itk(FIXED),
            MovingImage=to_itk(MOVING),
            Metric=self.metric,
            Optimizer=self.optimizer,
            InitialTransform=self.transform,
        )
        self.method.SetInPlace(in_place)
        self.method.SetNumberOfLevels(levels)
        self.method.SetShrinkFactorsPerLevel([2 ** (levels - 1 - n) for n in range(levels)])
        self.method.SetSmoothingSigmasPerLevel([0.0] * levels)

    def found(self) -> list[float]:
        return list(self.method.GetTransform().GetParameters())


@both
def test_a_known_translation_is_found_over_two_levels(metric: str) -> None:
    registration = Registration(metric, levels=2)
    registration.method.Update()
    np.testing.assert_allclose(registration.found(), SHIFT, atol=0.5)  # voxels of 2 mm


@both
@pytest.mark.parametrize("in_place", [True, False])
def test_the_initial_transform_is_changed_in_place_alone(metric: str, in_place: bool) -> None:
    registration = Registration(metric, 5, in_place=in_place)
    registration.method.Update()
    assert any(value != 0.0 for value in registration.found())
    assert (list(registration.transform.GetParameters()) == registration.found()) is in_place


@both
def test_observers_hear_each_level_and_iteration_in_order(metric: str) -> None:
    registration = Registration(metric, 3, levels=2)
    heard: list[Any] = []
    registration.method.AddObserver(
        itk.MultiResolutionIterationEvent(), lambda: heard.append(("level", registration.method.GetCurrentLevel()))
    )
    registration.optimizer.AddObserver(
        itk.IterationEvent(), lambda: heard.append(registration.optimizer.GetCurrentIteration())
    )
    registration.method.Update()
    assert heard == [("level", 0), 0, 1, 2, ("level", 1), 0, 1, 2]
    assert "Maximum number of iterations (3) exceeded" in registration.optimizer.GetStopConditionDescription()


@both
def test_an_observer_stops_the_optimiser(metric: str) -> None:
    registration = Registration(metric, 1000)
    registration.optimizer.SetMinimumStepLength(0.0)

    def stop() -> None:
        if registration.optimizer.GetCurrentIteration() == 3:
            registration.optimizer.StopOptimization()

    registration.optimizer.AddObserver(itk.IterationEvent(), stop)
    registration.method.Update()
    assert registration.optimizer.GetCurrentIteration() in (3, 4)


@both
def test_a_fraction_of_the_voxels_is_sampled_alike_from_one_seed(metric: str) -> None:
    results = []
    for seed in (5, 5, 6):
        registration = Registration(metric, 1)
        enum = itk.ImageRegistrationMethodv4Enums if hasattr(itk, "ImageRegistrationMethodv4Enums") else None
        strategy = enum.MetricSamplingStrategy_RANDOM if enum else 2
        registration.method.SetMetricSamplingStrategy(strategy)
        registration.method.SetMetricSamplingPercentage(0.1)
        registration.method.MetricSamplingReinitializeSeed(seed)
        registration.method.Update()
        assert 0.06 < registration.metric.GetNumberOfValidPoints() / 32**3 < 0.11
        results.append(registration.found())
    assert results[1] != results[2]
    last_bits = 0.0 if metric == "DISA" else 1e-12  # ITK adds up its threads' parts in whatever order they end
    np.testing.assert_allclose(results[0], results[1], rtol=0, atol=last_bits)


@both
def test_optimiser_weights_hold_parameters(metric: str) -> None:
    registration = Registration(metric, 6)
    weights = itk.OptimizerParameters[itk.D](3)
    for n, weight in enumerate((1.0, 0.0, 1.0)):
        weights[n] = weight
    registration.method.SetOptimizerWeights(weights)
    registration.method.Update()
    assert [value == 0.0 for value in registration.found()] == [False, True, False]


@both
def test_a_mask_takes_samples_away(metric: str) -> None:
    pixels = np.zeros((32, 32, 32), np.uint8)
    pixels[:, :, :16] = 1
    half = sitk.GetImageFromArray(pixels)
    half.CopyInformation(FIXED)
    counts = []
    for masked in (False, True):
        registration = Registration(metric, 1)
        if masked:
            image = to_itk(half, np.uint8)
            mask = itk.ImageMaskSpatialObject[3].New(Image=image)
            mask.Update()
            registration.metric.SetFixedImageMask(mask)
        registration.method.Update()
        counts.append(registration.metric.GetNumberOfValidPoints())
    assert 0.3 * counts[0] < counts[1] < 0.7 * counts[0]


@both
def test_images_apart_are_refused_and_the_registration_runs_after_it(metric: str) -> None:
    registration = Registration(metric, 3)
    away = itk.OptimizerParameters[itk.D](3)
    for n in range(3):
        away[n] = 1e4
    registration.transform.SetParameters(away)
    with pytest.raises(RuntimeError):
        registration.method.Update()
    for n in range(3):
        away[n] = 0.0
    registration.transform.SetParameters(away)
    registration.method.Modified()
    registration.method.Update()
    assert any(value != 0.0 for value in registration.found())
