# SPDX-License-Identifier: Apache-2.0
"""What levels mean for DISA in SimpleITK's class, and gradient descent whose rate is estimated once a level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from helpers.displaced import displaced_images, error_of
from helpers.network_runs import CountingExtractor

Pair = tuple[sitk.Image, sitk.Image, list[float]]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return displaced_images()


def method_with(shrink: Sequence[int], sigmas: Sequence[float], **settings: Any) -> disa.ImageRegistrationMethod:
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA(spacing=2.0, **settings)
    method.SetOptimizerAsLBFGS2(numberOfIterations=60)
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel(sigmas)
    return method


def end_of(method: disa.ImageRegistrationMethod, pair: Pair) -> tuple[tuple[float, ...], float]:
    """Parameters and value of a run from the identity."""
    method.SetInitialTransform(sitk.Euler3DTransform(pair[2], 0.0, 0.0, 0.0))
    result = method.Execute(pair[0], pair[1])
    return result.GetParameters(), method.GetMetricValue()


@pytest.mark.parametrize(
    ("shrink", "smoothing"),
    [([1], [0.0]), ([4], [0.0]), ([2, 1], [12.0, 0.0]), ([1, 1, 1], [24.0, 12.0, 0.0]), ([4, 2, 1], [24.0, 12.0, 0.0])],
)
def test_the_number_of_levels_says_how_smooth_they_are(pair: Pair, shrink: list[int], smoothing: list[float]) -> None:
    sigmas = [0.0] * len(shrink)
    by_level = end_of(method_with(shrink, sigmas), pair)
    assert by_level == end_of(method_with(shrink, sigmas, smoothing=smoothing), pair)
    assert by_level != end_of(method_with(shrink, sigmas, smoothing=3.0), pair)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_every_number_of_levels_ends_near(pair: Pair, levels: int) -> None:
    method = method_with([1] * levels, [0.0] * levels)
    transform = sitk.Euler3DTransform(pair[2], 0.0, 0.0, 0.0)
    before = error_of(transform, pair[2])
    method.SetInitialTransform(transform, True)
    method.Execute(pair[0], pair[1])
    assert before > 4.0
    assert error_of(transform, pair[2]) < 1.5


def test_one_smoothing_a_level_or_one_for_all(pair: Pair) -> None:
    method = method_with([2, 1], [0.0, 0.0], smoothing=[12.0, 6.0, 0.0])
    with pytest.raises(disa.RegistrationError, match="smoothing has 3 numbers for 2 levels") as caught:
        end_of(method, pair)
    assert "\n" not in str(caught.value)


def test_a_level_that_smooths_descriptors_does_not_smooth_the_images(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = CountingExtractor(monkeypatch)
    ends = [end_of(method_with([4, 2, 1], sigmas), pair) for sigmas in ([0.0, 0.0, 0.0], [2.0, 1.0, 0.0])]
    assert ends[0] == ends[1]
    assert len(runs.strides) < 5  # of the first run, the second takes them from memory
    assert end_of(method_with([4, 2, 1], [0.0, 0.0, 3.0]), pair) != ends[0]  # but the last level's sigma counts


@pytest.mark.parametrize("sampling", ["NONE", "RANDOM"])
@pytest.mark.parametrize("shrink", [[4, 2, 1], [4, 2], [2, 1], [1]])
def test_gradient_descent_as_the_tutorials_have_it_ends_near(pair: Pair, shrink: list[int], sampling: str) -> None:
    method = method_with(shrink, [float(factor // 2) for factor in shrink])
    method.SetMetricSamplingStrategy(getattr(method, sampling))
    method.SetMetricSamplingPercentage(0.05 if shrink[-1] == 1 else 0.5, seed=1)
    method.SetOptimizerAsGradientDescent(1.0, 100, 1e-6, 10)
    method.SetOptimizerScalesFromPhysicalShift()
    transform = sitk.Euler3DTransform(pair[2], 0.0, 0.0, 0.0)
    before = error_of(transform, pair[2])
    method.SetInitialTransform(transform, True)
    method.Execute(pair[0], pair[1])
    assert error_of(transform, pair[2]) < 0.25 * before


def test_a_step_that_was_too_long_is_taken_back_and_the_rate_is_halved(pair: Pair) -> None:
    method = method_with([1], [0.0])
    method.SetOptimizerAsGradientDescent(1.0, 60, 1e-9, 10, method.Once, 12.0)  # a first step of 12 mm
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(sitk.Euler3DTransform(pair[2], 0.0, 0.0, 0.0), True)
    rates: list[float] = []
    values: list[float] = []
    method.AddCommand(sitk.sitkIterationEvent, lambda: rates.append(method.GetOptimizerLearningRate()))
    method.AddCommand(sitk.sitkIterationEvent, lambda: values.append(method.GetMetricValue()))
    method.Execute(pair[0], pair[1])
    best = np.minimum.accumulate(values)
    worse = np.flatnonzero(np.array(values[1:]) > best[:-1]) + 1
    assert len(worse) > 0
    for k in range(1, len(rates)):
        assert rates[k] == pytest.approx(rates[k - 1] * (0.5 if k in worse else 1.0))
    assert values[-1] <= best[-1] + 1e-4


def test_a_rate_that_is_given_is_kept(pair: Pair) -> None:
    method = method_with([1], [0.0])
    method.SetOptimizerAsGradientDescent(3000.0, 10, 1e-9, 20, method.Never)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(sitk.Euler3DTransform(pair[2], 0.0, 0.0, 0.0), True)
    rates: list[float] = []
    method.AddCommand(sitk.sitkIterationEvent, lambda: rates.append(method.GetOptimizerLearningRate()))
    method.Execute(pair[0], pair[1])
    assert rates == [3000.0] * 10
