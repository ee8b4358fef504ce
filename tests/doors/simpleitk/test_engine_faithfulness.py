# SPDX-License-Identifier: Apache-2.0
"""SimpleITK's own metrics inside the registration engine give SimpleITK's own iterates: the engine is then trusted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from helpers.simpleitk_engine import (
    EVENTS,
    METRICS,
    OPTIMIZERS,
    assert_alike,
    blobs,
    make_methods,
    moved,
    record,
    run_both,
    state_of,
)
from helpers.simpleitk_transforms import TRANSFORMS, centred, composite, field


def set_optimizer(method: sitk.ImageRegistrationMethod, name: str) -> None:
    getattr(method, f"SetOptimizerAs{name}")(**OPTIMIZERS[name])


@pytest.mark.parametrize("metric", ["MeanSquares", "MattesMutualInformation"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_takes_simpleitks_steps(optimizer: str, metric: str) -> None:
    def set_up(method: sitk.ImageRegistrationMethod) -> None:
        set_optimizer(method, optimizer)
        if optimizer not in ("LBFGS2", "LBFGSB", "Exhaustive"):
            method.SetOptimizerScales([200.0] * 3 + [1.0] * 3)

    own, engine = run_both(metric, TRANSFORMS["Euler3D"], set_up)
    assert len(own["iterations"]) >= 2
    assert_alike(own, engine, 1e-6)


@pytest.mark.parametrize("metric", ["MeanSquares", "MattesMutualInformation"])
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_every_transform_goes_simpleitks_way(transform: str, metric: str) -> None:
    def set_up(method: sitk.ImageRegistrationMethod) -> None:
        method.SetOptimizerAsGradientDescent(1.0, 3, maximumStepSizeInPhysicalUnits=0.3)
        method.SetOptimizerScalesFromPhysicalShift()

    own, engine = run_both(metric, TRANSFORMS[transform], set_up)
    assert len(own["iterations"]) == 3
    assert own["transform"] != (
        TRANSFORMS[transform](blobs(0)).GetFixedParameters(),
        TRANSFORMS[transform](blobs(0)).GetParameters(),
    )
    # ITK fits a B-spline to a field's update in float.
    assert_alike(own, engine, 1e-6, absolute=1e-6 if transform == "DisplacementField-BSpline" else 1e-8)


def test_a_transform_that_simpleitk_fails_to_return_goes_its_way_too() -> None:
    fixed = blobs(0)
    outcomes = []
    for method in make_methods("MeanSquares"):
        transform = centred(sitk.ComposeScaleSkewVersor3DTransform)(fixed)
        method.SetInitialTransform(transform)
        method.SetOptimizerAsGradientDescent(1.0, 3, maximumStepSizeInPhysicalUnits=0.3)
        method.SetOptimizerScalesFromPhysicalShift()
        states = record(method)
        with contextlib.suppress(KeyError):  # SimpleITK's, when it has registered
            assert method.Execute(fixed, moved(fixed)).GetParameters() == transform.GetParameters()
        outcomes.append({"iterations": states, "held": transform.GetParameters()})
    assert len(outcomes[0]["iterations"]) == 3
    assert_alike(*outcomes, 1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_of_the_engine_is_simpleitks(metric: str) -> None:
    def set_up(method: sitk.ImageRegistrationMethod) -> None:
        method.SetOptimizerAsGradientDescent(0.3, 3)
        method.SetOptimizerScalesFromPhysicalShift()

    make = TRANSFORMS["DisplacementField-Gaussian" if metric == "Demons" else "Translation"]
    assert_alike(*run_both(metric, make, set_up), 1e-6)


SETTINGS: dict[str, Callable[[sitk.ImageRegistrationMethod], None]] = {
    "Jacobian": lambda m: m.SetOptimizerScalesFromJacobian(3),
    "IndexShift": lambda m: m.SetOptimizerScalesFromIndexShift(4, 0.02),
    "PhysicalShift": lambda m: m.SetOptimizerScalesFromPhysicalShift(4, 0.02),
    "scales": lambda m: m.SetOptimizerScales([100.0, 200.0, 300.0, 1.0, 2.0, 3.0]),
    "weights": lambda m: m.SetOptimizerWeights([0.0, 1.0, 0.5, 1.0, 0.0, 1.0]),
    "levels": lambda m: (m.SetShrinkFactorsPerLevel([3, 2, 1]), m.SetSmoothingSigmasPerLevel([2.0, 1.0, 0.0])),
    "voxels": lambda m: (
        m.SetShrinkFactorsPerLevel([2, 1]),
        m.SetSmoothingSigmasPerLevel([1.5, 0.5]),
        m.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff(),
    ),
    "regular": lambda m: (m.SetMetricSamplingStrategy(m.REGULAR), m.SetMetricSamplingPercentage(0.2, 7)),
    "random": lambda m: (m.SetMetricSamplingStrategy(m.RANDOM), m.SetMetricSamplingPercentage(0.2, 7)),
    "per level": lambda m: (
        SETTINGS["levels"](m),
        m.SetMetricSamplingStrategy(m.RANDOM),
        m.SetMetricSamplingPercentagePerLevel([0.5, 0.3, 0.1], 3),
    ),
    "fixed mask": lambda m: m.SetMetricFixedMask(blobs(0) > 0.0),
    "moving mask": lambda m: m.SetMetricMovingMask(sitk.Cast(moved(blobs(0)) > -5.0, sitk.sitkInt16)),
    "both masks": lambda m: (SETTINGS["fixed mask"](m), SETTINGS["moving mask"](m), SETTINGS["random"](m)),
    "virtual domain": lambda m: m.SetVirtualDomain(
        [12, 10, 9], [-6.0, 6.0, 5.0], [1.7, 1.6, 1.5], [1, 0, 0, 0, 1, 0, 0, 0, 1]
    ),
    "virtual image": lambda m: m.SetVirtualDomainFromImage(blobs(0)[2:20:2, 3:18, 1:15]),
    "no gradient filters": lambda m: (
        m.MetricUseFixedImageGradientFilterOff(),
        m.MetricUseMovingImageGradientFilterOff(),
    ),
    "moving initial": lambda m: m.SetMovingInitialTransform(sitk.TranslationTransform(3, (0.3, 0.5, -0.4))),
    "moving initial composite": lambda m: m.SetMovingInitialTransform(composite(blobs(0))),
    "fixed initial": lambda m: m.SetFixedInitialTransform(sitk.Euler3DTransform((0, 0, 0), 0.02, 0.0, 0.01, (1, 0, 0))),
    "each iteration": lambda m: m.SetOptimizerAsGradientDescent(
        0.5, 4, estimateLearningRate=m.EachIteration, maximumStepSizeInPhysicalUnits=0.2
    ),
    "never": lambda m: m.SetOptimizerAsGradientDescent(1e-4, 4, 1e-9, 3, m.Never),
    "bounds": lambda m: m.SetOptimizerAsLBFGSB(numberOfIterations=4, lowerBound=-0.05, upperBound=0.3),
    "lower bound": lambda m: m.SetOptimizerAsLBFGSB(numberOfIterations=4, lowerBound=-0.05),
    "restarts": lambda m: m.SetOptimizerAsAmoeba(0.05, 25, withRestarts=True),
}


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "copied"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_means_what_it_does_in_simpleitk(setting: str, in_place: bool) -> None:
    def set_up(method: sitk.ImageRegistrationMethod) -> None:
        method.SetOptimizerAsGradientDescent(1.0, 4, maximumStepSizeInPhysicalUnits=0.2)
        method.SetOptimizerScalesFromPhysicalShift()
        if "bound" in setting or setting == "restarts":
            method.SetOptimizerScales([])  # scales make SimpleITK's LBFGSB crash
        SETTINGS[setting](method)

    assert_alike(*run_both("MattesMutualInformation", TRANSFORMS["Euler3D"], set_up, in_place), 1e-5)


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "copied"])
def test_b_splines_grow_with_the_levels(in_place: bool) -> None:
    fixed = blobs(0)
    outcomes = []
    for method in make_methods("MeanSquares"):
        transform = TRANSFORMS["BSpline"](fixed)
        method.SetInitialTransformAsBSpline(transform, inPlace=in_place, scaleFactors=[1, 2])
        method.SetOptimizerAsLBFGS2(numberOfIterations=3)
        method.SetShrinkFactorsPerLevel([2, 1])
        method.SetSmoothingSigmasPerLevel([1.0, 0.0])
        counts: list[int] = []
        method.AddCommand(
            sitk.sitkIterationEvent, lambda t=transform, c=counts: c.append(len(t.GetParameters()) if in_place else 0)
        )
        result = method.Execute(fixed, moved(fixed))
        outcomes.append(
            {
                "counts": counts,
                "type": type(result),
                "result": (result.GetFixedParameters(), result.GetParameters()),
                "held": (transform.GetFixedParameters(), transform.GetParameters()),
            }
        )
    assert not in_place or len(set(outcomes[0]["counts"])) == 2
    assert_alike(*outcomes, 1e-5)


def test_displacement_fields_shrink_with_the_levels_and_keep_their_smoothing() -> None:
    fixed = blobs(0)
    outcomes = []
    for method in make_methods("MeanSquares"):
        transform = field(fixed, "Gaussian")
        method.SetInitialTransform(transform)
        method.SetOptimizerAsGradientDescent(1.0, 3, maximumStepSizeInPhysicalUnits=0.3)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([3, 2])
        method.SetSmoothingSigmasPerLevel([1.0, 0.0])
        result = method.Execute(fixed, moved(fixed))
        outcomes.append(
            {
                "held": (transform.GetFixedParameters(), transform.GetParameters()),
                "result": (result.GetFixedParameters(), result.GetParameters()),
                "variances": "".join(line for line in str(transform).splitlines() if "Variance" in line),
            }
        )
    assert outcomes[0]["held"][0][:3] == (12.0, 11.0, 10.0)
    assert_alike(*outcomes, 1e-5)


def test_every_event_comes_in_simpleitks_order_with_live_getters() -> None:
    fixed = blobs(0)
    logs: list[list[Any]] = []
    for method in make_methods("MattesMutualInformation"):
        transform = TRANSFORMS["Euler3D"](fixed)
        method.SetInitialTransform(transform)
        method.SetOptimizerAsRegularStepGradientDescent(0.3, 1e-3, 3)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([2, 1])
        method.SetSmoothingSigmasPerLevel([1.0, 0.0])
        log: list[Any] = []
        for name, event in EVENTS.items():
            assert not method.HasCommand(event)
            method.AddCommand(
                event,
                lambda n=name, m=method, t=transform, o=log: o.append(
                    (n, [*state_of(m), *t.GetParameters(), *m.GetInitialTransform().GetParameters()])
                ),
            )
            assert method.HasCommand(event)
        method.Execute(fixed, moved(fixed))
        logs.append(log)
    assert {name for name, _ in logs[0]} >= {"sitkStartEvent", "sitkIterationEvent", "sitkEndEvent", "sitkDeleteEvent"}
    assert [name for name, _ in logs[0]] == [name for name, _ in logs[1]]
    assert_alike([state for _, state in logs[0]], [state for _, state in logs[1]], 1e-6)


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"Demons"}))  # which takes no composite, as SimpleITK gives it
def test_metric_evaluate_gives_simpleitks_value(metric: str) -> None:
    fixed = blobs(0)
    values = []
    for method in make_methods(metric):
        method.SetInitialTransform(TRANSFORMS["Affine"](fixed))
        method.SetMovingInitialTransform(sitk.TranslationTransform(3, (0.5, 0.3, 0.0)))
        method.SetFixedInitialTransform(sitk.TranslationTransform(3, (0.1, 0.0, 0.2)))
        method.SetMetricFixedMask(fixed > -20.0)
        values.append(method.MetricEvaluate(fixed, moved(fixed)))
    assert values[0] != 0.0
    assert values[1] == pytest.approx(values[0], rel=1e-9)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_stop_registration_stops_where_simpleitk_does(optimizer: str) -> None:
    fixed = blobs(0)
    outcomes = []
    for method in make_methods("MeanSquares"):
        method.SetInitialTransform(TRANSFORMS["Euler3D"](fixed))
        set_optimizer(method, optimizer)
        answers: list[bool] = []
        method.AddCommand(sitk.sitkIterationEvent, lambda m=method, a=answers: a.append(m.StopRegistration()))
        assert method.StopRegistration() is False
        result = method.Execute(fixed, moved(fixed))
        outcomes.append(
            {
                "answers": answers,
                "result": result.GetParameters(),
                "description": method.GetOptimizerStopConditionDescription(),
            }
        )
    assert all(outcomes[0]["answers"]) == (optimizer not in ("LBFGSB", "LBFGS2", "Amoeba"))
    assert_alike(*outcomes, 1e-6)


Method = sitk.ImageRegistrationMethod
Run = Callable[[], sitk.Transform]


def _shift(transform: sitk.Transform, x: float) -> None:
    transform.SetParameters((0.0, 0.0, 0.0, x, 0.0, 0.0))


def _in_a_command(method: Method, change: Callable[[], None]) -> None:
    method.AddCommand(sitk.sitkIterationEvent, lambda: method.GetOptimizerIteration() == 1 and change())


def _copied_first(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    copy = sitk.Transform(transform)
    method.SetInitialTransform(transform)
    return [run(), copy]


def _copy_changed(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    copy = sitk.Transform(transform)
    _shift(copy, 9.0)
    return [run(), copy]


def _changed(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    _shift(transform, 9.0)
    return [run()]


def _changed_and_changed_back(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    _shift(transform, 9.0)
    _shift(transform, 0.0)
    return [run()]


def _given_to_another_method(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    other = type(method)()
    other.SetInitialTransform(transform)
    return [run(), other.GetInitialTransform()]


def _changed_by_a_command(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    _in_a_command(method, lambda: _shift(transform, 9.0))
    return [run()]


def _replaced_by_a_command(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    other = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.1, 0.0, 0.0)
    _in_a_command(method, lambda: method.SetInitialTransform(other))
    return [run(), other]


def _run_again(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    run()
    return [run()]


def _result_changed_between_runs(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    result = run()
    _shift(result, 9.0)
    return [run(), result]


def _changed_between_runs(method: Method, transform: sitk.Transform, run: Run) -> list[sitk.Transform]:
    run()
    _shift(transform, 9.0)
    return [run()]


@pytest.mark.parametrize("in_place", [True, False], ids=["in place", "copied"])
@pytest.mark.parametrize(
    "use",
    [
        _copied_first,
        _copy_changed,
        _changed,
        _changed_and_changed_back,
        _given_to_another_method,
        _changed_by_a_command,
        _replaced_by_a_command,
        _run_again,
        _result_changed_between_runs,
        _changed_between_runs,
    ],
)
def test_the_transform_is_the_methods_until_either_is_changed(use: Callable[..., Any], in_place: bool) -> None:
    fixed = blobs(0)
    outcomes = []
    for method in make_methods("MeanSquares"):
        transform = TRANSFORMS["Euler3D"](fixed)
        if use is not _copied_first:
            method.SetInitialTransform(transform, in_place)
        method.SetOptimizerAsRegularStepGradientDescent(0.3, 1e-3, 3)
        handles = use(method, transform, lambda m=method: m.Execute(fixed, moved(fixed)))
        outcomes.append([handle.GetParameters() for handle in (*handles, transform, method.GetInitialTransform())])
    assert_alike(*outcomes, 1e-6)


@pytest.mark.parametrize("name", ["Euler3D", "BSpline", "DisplacementField", "Composite"])
def test_a_handle_of_the_base_class_is_optimised_too(name: str) -> None:
    fixed = blobs(0)
    outcomes = []
    for method in make_methods("MeanSquares"):
        transform = sitk.Transform(TRANSFORMS[name](fixed))
        method.SetInitialTransform(transform)
        method.SetOptimizerAsGradientDescent(1.0, 2, maximumStepSizeInPhysicalUnits=0.3)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([2, 1])
        method.SetSmoothingSigmasPerLevel([1.0, 0.0])
        seen: list[float] = []
        method.AddCommand(sitk.sitkIterationEvent, lambda t=transform, s=seen: s.append(sum(t.GetParameters())))
        result = method.Execute(fixed, moved(fixed))
        outcomes.append((seen, type(result).__name__, result.GetParameters(), transform.GetParameters()))
    assert_alike(*outcomes, 1e-5)


def test_random_seeds_decide_the_samples() -> None:
    fixed = blobs(0)
    values = []
    for seed in (3, 3, 4):
        method = make_methods("MeanSquares")[1]
        method.SetInitialTransform(TRANSFORMS["Translation"](fixed))
        method.SetOptimizerAsRegularStepGradientDescent(0.3, 1e-3, 2)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(0.1, seed)
        method.Execute(fixed, moved(fixed))
        values.append(method.GetMetricValue())
    assert values[0] == values[1] != values[2]


def test_the_number_of_work_units_is_used() -> None:
    fixed = blobs(0)
    values = set()
    for units in (1, 4, 7):
        method = make_methods("MeanSquares")[1]
        method.SetNumberOfWorkUnits(units)
        method.SetInitialTransform(TRANSFORMS["Euler3D"](fixed))
        values.add(method.MetricEvaluate(fixed, moved(fixed)))
    assert len(values) > 1  # ITK's sums depend on it, in the last digits
    np.testing.assert_allclose(list(values), next(iter(values)), rtol=1e-9)
