# SPDX-License-Identifier: Apache-2.0
"""What SimpleITK's own tests of its registration method expect, of DISA and of Mattes through the same class."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from helpers.displaced import centre_of
from helpers.images import structured_image

METRICS: dict[str, Callable[[disa.ImageRegistrationMethod], Any]] = {
    "DISA": lambda m: m.SetMetricAsDISA(),
    "Mattes": lambda m: m.SetMetricAsMattesMutualInformation(32),
}

FIXED = structured_image((32, 32, 32), seed=3)
CENTRE = centre_of(FIXED)
SHIFT = (3.0, -2.0, 1.5)
"""mm, in voxels of 2 mm."""
MOVING = sitk.Resample(FIXED, sitk.TranslationTransform(3, tuple(-s for s in SHIFT)), sitk.sitkLinear, 0.0)

both = pytest.mark.parametrize("metric", METRICS)


def method_of(metric: str, iterations: int = 20) -> disa.ImageRegistrationMethod:
    """A translation by gradient descent in steps of a bounded length."""
    method = disa.ImageRegistrationMethod()
    METRICS[metric](method)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        1.0, 1e-3, iterations, relaxationFactor=0.6, gradientMagnitudeTolerance=1e-9
    )
    method.SetInitialTransform(sitk.TranslationTransform(3))
    method.SetNumberOfWorkUnits(1)
    return method


def slow_method_of(metric: str, iterations: int) -> disa.ImageRegistrationMethod:
    """One that hardly moves, so that it ends by its number of iterations."""
    method = method_of(metric)
    method.SetOptimizerAsGradientDescent(1e-6, iterations, 0.0, 5, method.Never)
    return method


def half_mask(inside: bool = True) -> sitk.Image:
    pixels = np.full((32, 32, 32), not inside, np.uint8)
    pixels[:, :, :16] = inside
    mask = sitk.GetImageFromArray(pixels)
    mask.CopyInformation(FIXED)
    return mask


@both
def test_a_known_translation_is_found(metric: str) -> None:
    method = method_of(metric, 60)
    found = method.Execute(FIXED, MOVING)
    np.testing.assert_allclose(found.GetParameters(), SHIFT, atol=0.5)
    assert method.GetMetricValue() < method_of(metric).MetricEvaluate(FIXED, MOVING)


@both
def test_the_metric_is_least_where_the_images_agree_and_evaluation_changes_nothing(metric: str) -> None:
    method = method_of(metric)
    transform = sitk.TranslationTransform(3)
    method.SetInitialTransform(transform)
    values = {}
    for shift in (0.0, 4.0, -4.0, 8.0):
        transform.SetOffset((shift, 0.0, 0.0))
        method.SetInitialTransform(transform)
        values[shift] = method.MetricEvaluate(FIXED, FIXED)
        assert transform.GetOffset() == (shift, 0.0, 0.0)
    assert values[0.0] < values[4.0] < values[8.0]
    assert values[0.0] < values[-4.0]
    assert method.GetInitialTransform().GetParameters() == (8.0, 0.0, 0.0)


@both
def test_evaluation_needs_no_optimiser_and_takes_no_account_of_levels_and_samples(metric: str) -> None:
    plain = disa.ImageRegistrationMethod()
    METRICS[metric](plain)
    plain.SetInitialTransform(sitk.TranslationTransform(3))
    plain.SetNumberOfWorkUnits(1)
    settled = method_of(metric)
    settled.SetShrinkFactorsPerLevel([4, 2])
    settled.SetSmoothingSigmasPerLevel([4.0, 2.0])
    settled.SetMetricSamplingStrategy(settled.RANDOM)
    settled.SetMetricSamplingPercentage(0.02, 3)
    assert settled.MetricEvaluate(FIXED, MOVING) == pytest.approx(plain.MetricEvaluate(FIXED, MOVING), rel=1e-9)


@both
@pytest.mark.parametrize("in_place", [True, False])
def test_the_initial_transform_is_changed_in_place_alone(metric: str, in_place: bool) -> None:
    transform = sitk.TranslationTransform(3, (1.0, 0.0, 0.0))
    method = method_of(metric, 5)
    method.SetInitialTransform(transform, in_place)
    assert method.GetInitialTransformInPlace() is in_place
    found = method.Execute(FIXED, MOVING)
    point = (3.0, 4.0, 5.0)
    if in_place:
        assert type(found) is sitk.TranslationTransform
        assert transform.GetParameters() == found.GetParameters() != (1.0, 0.0, 0.0)
    else:
        assert type(found) is sitk.CompositeTransform
        assert transform.GetParameters() == (1.0, 0.0, 0.0)
        assert found.TransformPoint(point) != transform.TransformPoint(point)


@both
def test_moving_and_fixed_initial_transforms_are_applied_and_not_changed(metric: str) -> None:
    known = sitk.TranslationTransform(3, SHIFT)
    method = method_of(metric, 60)
    method.SetMovingInitialTransform(known)
    found = method.Execute(FIXED, MOVING)
    assert known.GetOffset() == SHIFT
    np.testing.assert_allclose(found.GetParameters(), (0.0,) * 3, atol=0.5)
    method = method_of(metric, 60)
    method.SetFixedInitialTransform(sitk.TranslationTransform(3, tuple(-s for s in SHIFT)))
    found = method.Execute(FIXED, FIXED)
    np.testing.assert_allclose(found.GetParameters(), tuple(-s for s in SHIFT), atol=0.5)


@both
def test_events_come_in_order_and_levels_count_up(metric: str) -> None:
    method = slow_method_of(metric, 3)
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([0.0, 0.0])
    seen: list[tuple[str, int, int]] = []
    for name in ("Start", "MultiResolutionIteration", "Iteration", "End", "Delete"):
        method.AddCommand(
            getattr(sitk, f"sitk{name}Event"),
            lambda n=name: seen.append((n, method.GetCurrentLevel(), method.GetOptimizerIteration())),
        )
    method.Execute(FIXED, MOVING)
    names = [name for name, _, _ in seen]
    level = ["MultiResolutionIteration", *3 * ["Iteration"]]
    assert names == ["Start", *level, *level, "End", "Delete"]
    assert [(level, iteration) for name, level, iteration in seen if name == "Iteration"] == list(
        itertools.product((0, 1), (0, 1, 2))
    )
    assert method.GetCurrentLevel() == 0  # nothing runs


@both
def test_commands_are_told_kept_and_removed(metric: str) -> None:
    method = slow_method_of(metric, 2)
    calls: list[str] = []
    assert not method.HasCommand(sitk.sitkIterationEvent)
    for name in ("one", "two"):
        method.AddCommand(sitk.sitkIterationEvent, lambda n=name: calls.append(n))
    method.AddCommand(sitk.sitkAnyEvent, lambda: calls.append("any"))
    assert method.HasCommand(sitk.sitkIterationEvent) and not method.HasCommand(sitk.sitkEndEvent)
    method.Execute(FIXED, MOVING)
    assert calls.count("one") == calls.count("two") == 2
    assert calls.count("any") >= 5
    method.RemoveAllCommands()
    assert not method.HasCommand(sitk.sitkIterationEvent)
    calls.clear()
    method.Execute(FIXED, MOVING)
    assert calls == []


STOPS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "iterations": (lambda m: m.SetOptimizerAsRegularStepGradientDescent(0.1, 1e-9, 4), "Maximum number of iterations"),
    "step": (lambda m: m.SetOptimizerAsRegularStepGradientDescent(0.1, 0.5, 50), "less than minimum step"),
    "gradient": (
        lambda m: m.SetOptimizerAsRegularStepGradientDescent(0.1, 1e-9, 50, gradientMagnitudeTolerance=1e6),
        "gradient magnitude tolerance",
    ),
    "convergence": (
        lambda m: m.SetOptimizerAsGradientDescent(1e-9, 200, 1e-2, 5, m.Never),
        "Convergence checker passed",
    ),
    "evaluations": (
        lambda m: m.SetOptimizerAsAmoeba(1.0, 6),
        "exceeded",
    ),
}


@both
@pytest.mark.parametrize("stop", STOPS)
def test_the_stop_condition_is_told(metric: str, stop: str) -> None:
    set_optimizer, told = STOPS[stop]
    method = method_of(metric)
    assert method.GetOptimizerStopConditionDescription() == ""
    set_optimizer(method)
    method.Execute(FIXED, MOVING)
    assert told in method.GetOptimizerStopConditionDescription()
    if stop == "iterations":
        assert method.GetOptimizerIteration() == 4


@both
def test_a_command_stops_a_run_at_its_iteration_and_its_result_is_returned(metric: str) -> None:
    method = slow_method_of(metric, 1000)
    assert method.StopRegistration() is False
    answers: list[bool] = []

    def stop() -> None:
        if method.GetOptimizerIteration() == 3:
            answers.append(method.StopRegistration())

    method.AddCommand(sitk.sitkIterationEvent, stop)
    found = method.Execute(FIXED, MOVING)
    assert answers == [True]
    assert method.GetOptimizerIteration() in (3, 4)
    assert all(value != 0.0 for value in found.GetParameters())
    assert method.StopRegistration() is False


def test_abort_ends_a_run_with_disa_by_an_error() -> None:
    method = slow_method_of("DISA", 1000)
    method.AddCommand(sitk.sitkIterationEvent, lambda: method.GetOptimizerIteration() == 2 and method.Abort())
    with pytest.raises(RuntimeError, match=r"^the registration was aborted$"):
        method.Execute(FIXED, MOVING)
    assert method.GetOptimizerIteration() == 2
    method.RemoveAllCommands()
    slow = slow_method_of("DISA", 2)
    slow.Execute(FIXED, MOVING)


def points_of(method: disa.ImageRegistrationMethod) -> int:
    method.Execute(FIXED, MOVING)
    return method.GetMetricNumberOfValidPoints()


@both
def test_a_mask_of_ones_or_without_voxels_changes_nothing_and_half_a_mask_takes_half(metric: str) -> None:
    plain = slow_method_of(metric, 1)
    whole = points_of(plain)
    value = plain.GetMetricValue()
    for mask in (sitk.Image(), half_mask() * 0 + 1):
        method = slow_method_of(metric, 1)
        method.SetMetricFixedMask(mask)
        method.SetMetricMovingMask(mask)
        assert points_of(method) == whole
        assert method.GetMetricValue() == pytest.approx(value, rel=1e-6)
    for side, inside in itertools.product(("Fixed", "Moving"), (True, False)):
        method = slow_method_of(metric, 1)
        getattr(method, f"SetMetric{side}Mask")(half_mask(inside))
        points = points_of(method)
        assert method.GetMetricValue() != pytest.approx(value, rel=1e-2)
        if (side, metric) != ("Moving", "DISA"):  # there what lies outside counts as a descriptor of 0
            assert 0.3 * whole < points < 0.7 * whole


@both
def test_a_mask_keeps_what_lies_outside_of_it_from_deciding(metric: str) -> None:
    pixels = sitk.GetArrayFromImage(MOVING)
    pixels[:, :, 18:] = np.roll(pixels, 9, axis=0)[:, :, 18:]
    spoilt = sitk.GetImageFromArray(pixels)
    spoilt.CopyInformation(MOVING)
    method = method_of(metric, 60)
    method.SetMetricFixedMask(half_mask())
    np.testing.assert_allclose(method.Execute(FIXED, spoilt).GetParameters(), SHIFT, atol=1.0)


@both
def test_sampling_percentages_are_of_all_voxels_by_level(metric: str) -> None:
    for strategy, percentages in (("REGULAR", [0.05, 0.1]), ("RANDOM", [0.04, 0.02])):
        method = slow_method_of(metric, 1)
        method.SetShrinkFactorsPerLevel([1, 1])
        method.SetSmoothingSigmasPerLevel([0.0, 0.0])
        method.SetMetricSamplingStrategy(getattr(method, strategy))
        method.SetMetricSamplingPercentagePerLevel(percentages, 7)
        assert method.GetMetricSamplingPercentagePerLevel() == tuple(percentages)
        points: list[int] = []
        method.AddCommand(
            sitk.sitkIterationEvent, lambda m=method, p=points: p.append(m.GetMetricNumberOfValidPoints())
        )
        method.Execute(FIXED, MOVING)
        for count, percentage in zip(points, percentages, strict=True):
            assert 0.7 * percentage < count / 32**3 < 1.35 * percentage, strategy


@both
def test_a_seed_makes_random_samples_the_same_and_another_seed_others(metric: str) -> None:
    values = []
    for seed in (5, 5, 6):
        method = slow_method_of(metric, 1)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(0.05, seed)
        method.Execute(FIXED, MOVING)
        values.append(method.GetMetricValue())
    assert values[0] == values[1] != values[2]


@both
def test_weights_hold_parameters_and_must_be_as_many(metric: str) -> None:
    method = method_of(metric, 10)
    method.SetInitialTransform(sitk.Euler3DTransform(CENTRE))
    method.SetOptimizerScalesFromPhysicalShift()
    assert method.GetOptimizerWeights() == ()
    method.SetOptimizerWeights([0, 0, 0, 1, 0, 1])
    assert method.GetOptimizerWeights() == (0, 0, 0, 1, 0, 1)
    found = method.Execute(FIXED, MOVING).GetParameters()
    assert [value == 0.0 for value in found] == [True, True, True, False, True, False]
    method.SetOptimizerWeights([1.0] * 5)
    with pytest.raises(RuntimeError, match="weights"):
        method.Execute(FIXED, MOVING)
    method.SetOptimizerWeights([])
    method.Execute(FIXED, MOVING)


@both
def test_scales_divide_the_steps_and_estimators_find_them(metric: str) -> None:
    def shift(scales: list[float]) -> np.ndarray:
        method = slow_method_of(metric, 1)
        method.SetOptimizerAsGradientDescent(1e-3, 1, 0.0, 5, method.Never)
        method.SetOptimizerScales(scales)
        assert method.GetOptimizerScales() == tuple(scales)
        return np.array(method.Execute(FIXED, MOVING).GetParameters())

    np.testing.assert_allclose(shift([1.0, 2.0, 4.0]) * (1, 2, 4), shift([1.0] * 3), rtol=1e-6)
    method = method_of(metric, 2)
    method.SetInitialTransform(sitk.Euler3DTransform(CENTRE))
    method.SetOptimizerScalesFromPhysicalShift()
    found: list[tuple[float, ...]] = []
    method.AddCommand(sitk.sitkIterationEvent, lambda: found.append(method.GetOptimizerScales()))
    method.Execute(FIXED, MOVING)
    assert len(found[0]) == 6 and min(found[0][:3]) > 10.0 * max(found[0][3:]) > 0.0


@both
def test_exhaustive_search_visits_every_step_about_the_start_and_ends_at_the_best(metric: str) -> None:
    method = method_of(metric)
    method.SetOptimizerAsExhaustive([2, 1, 0], 1.5)
    places: list[tuple[float, ...]] = []
    values: list[float] = []

    def note() -> None:
        places.append(method.GetOptimizerPosition())
        values.append(method.GetMetricValue())

    method.AddCommand(sitk.sitkIterationEvent, note)
    found = method.Execute(FIXED, MOVING).GetParameters()
    expected = {(1.5 * x, 1.5 * y, 0.0) for x in range(-2, 3) for y in range(-1, 2)}
    assert len(places) == 15 and set(places) == expected
    assert found == places[int(np.argmin(values))] == (3.0, -1.5, 0.0)


@both
def test_levels_must_be_as_many_in_both_lists(metric: str) -> None:
    method = method_of(metric)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    with pytest.raises(RuntimeError):
        method.Execute(FIXED, MOVING)
    method.SetSmoothingSigmasPerLevel([2.0, 1.0, 0.0])
    method.Execute(FIXED, MOVING)


@both
def test_without_an_optimiser_or_a_moveable_transform_nothing_is_registered(metric: str) -> None:
    method = disa.ImageRegistrationMethod()
    METRICS[metric](method)
    method.SetInitialTransform(sitk.TranslationTransform(3))
    with pytest.raises(disa.RegistrationError, match=r"^no optimiser is set; call one of the SetOptimizerAs methods$"):
        method.Execute(FIXED, MOVING)
    method.SetInitialTransform(sitk.TranslationTransform(2))
    method.SetOptimizerAsLBFGS2()
    with pytest.raises(RuntimeError):
        method.Execute(FIXED, MOVING)


@both
def test_one_object_runs_again_from_where_it_was_left(metric: str) -> None:
    method = method_of(metric, 2)
    transform = sitk.TranslationTransform(3)
    method.SetInitialTransform(transform)
    errors = []
    for _ in range(3):
        method.Execute(FIXED, MOVING)
        errors.append(np.linalg.norm(np.subtract(transform.GetOffset(), SHIFT)))
    assert errors[2] < errors[0]
    transform.SetOffset((0.0, 0.0, 0.0))
    method.SetInitialTransform(transform)
    method.Execute(FIXED, MOVING)
    assert np.linalg.norm(np.subtract(transform.GetOffset(), SHIFT)) == pytest.approx(errors[0], abs=1e-6)


@both
def test_the_virtual_domain_says_where_samples_lie(metric: str) -> None:
    whole = points_of(slow_method_of(metric, 1))
    method = slow_method_of(metric, 1)
    method.SetVirtualDomain((32, 32, 16), FIXED.GetOrigin(), FIXED.GetSpacing(), FIXED.GetDirection())
    assert 0.3 * whole < points_of(method) < 0.7 * whole
