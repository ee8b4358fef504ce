# SPDX-License-Identifier: Apache-2.0
"""Calls of `disa.ImageRegistrationMethod` before, during and after a run: what is defined, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import SimpleITK as sitk

import disa
from helpers.simpleitk_engine import EVENTS, blobs, moved

METRICS: dict[str, Callable[[disa.ImageRegistrationMethod], Any]] = {
    "DISA": lambda m: m.SetMetricAsDISA(),
    "Mattes": lambda m: m.SetMetricAsMattesMutualInformation(24),
}

UNDEFINED = ("GetOptimizerIteration", "GetMetricValue", "GetMetricNumberOfValidPoints")

DEFINED: dict[str, Any] = {
    "GetOptimizerPosition": (),
    "GetOptimizerConvergenceValue": 0.0,
    "GetOptimizerStopConditionDescription": "",
    "GetOptimizerScales": (),
    "GetOptimizerWeights": (),
    "GetCurrentLevel": 0,
    "GetOptimizerLearningRate": 0.0,
    "GetProgress": 0.0,
}
"""What SimpleITK's own class answers before a run, at each try."""

FIXED, MOVING = blobs(0), moved(blobs(0))


def method_of(metric: str) -> disa.ImageRegistrationMethod:
    method = disa.ImageRegistrationMethod()
    METRICS[metric](method)
    method.SetInitialTransform(sitk.TranslationTransform(3))
    method.SetOptimizerAsGradientDescent(0.5, 5, 0.0, 5, method.Never)
    return method


def answers(method: sitk.ImageRegistrationMethod) -> dict[str, Any]:
    return {name: getattr(method, name)() for name in (*UNDEFINED, *DEFINED)}


@pytest.mark.parametrize("metric", METRICS)
def test_before_a_run_getters_answer_as_simpleitks_or_are_refused(metric: str) -> None:
    for own in (sitk.ImageRegistrationMethod(), method_of(metric)):
        assert {name: getattr(own, name)() for name in DEFINED} == DEFINED
    method = method_of(metric)
    method.MetricEvaluate(FIXED, MOVING)  # SimpleITK's own class ends the process where it is then asked
    for name in UNDEFINED:
        with pytest.raises(disa.RegistrationError) as caught:
            getattr(method, name)()
        assert str(caught.value) == f"{name}: nothing has been registered yet; call Execute first"


@pytest.mark.parametrize("metric", METRICS)
def test_what_the_last_run_left_stays_whatever_is_evaluated_or_fails_after_it(metric: str) -> None:
    method = method_of(metric)
    method.Execute(FIXED, MOVING)
    left = answers(method)
    assert left["GetOptimizerIteration"] == 5
    assert left["GetMetricValue"] < 0.0 < left["GetMetricNumberOfValidPoints"]
    method.MetricEvaluate(FIXED, MOVING)
    assert answers(method) == left
    with pytest.raises(RuntimeError):
        method.Execute(FIXED, sitk.Image(8, 8, sitk.sitkFloat32))
    assert answers(method) == left


def test_a_run_of_simpleitks_that_fails_leaves_what_it_reached_and_one_that_never_began_nothing() -> None:
    method = method_of("Mattes")
    with pytest.raises(RuntimeError, match="must be the same"):
        method.Execute(FIXED, sitk.Cast(MOVING, sitk.sitkInt16))
    with pytest.raises(disa.RegistrationError, match="nothing has been registered yet"):
        method.GetMetricValue()
    method.SetInitialTransform(sitk.TranslationTransform(3, (1e4, 0.0, 0.0)))
    with pytest.raises(RuntimeError, match="All samples map outside"):
        method.Execute(FIXED, MOVING)
    assert (method.GetOptimizerIteration(), method.GetMetricNumberOfValidPoints()) == (0, 0)
    assert "All samples map outside" in method.GetOptimizerStopConditionDescription()


@pytest.mark.parametrize("first", METRICS)
def test_getters_answer_by_the_run_that_was_last_whichever_metric_it_had(first: str) -> None:
    method = method_of(first)
    method.Execute(FIXED, MOVING)
    first_value = method.GetMetricValue()
    second = next(name for name in METRICS if name != first)
    METRICS[second](method)
    assert method.GetMetricValue() == first_value
    method.SetInitialTransform(sitk.TranslationTransform(3))
    method.Execute(FIXED, MOVING)
    alone = method_of(second)
    alone.Execute(FIXED, MOVING)
    assert method.GetMetricValue() == pytest.approx(alone.GetMetricValue(), rel=1e-9)
    assert method.GetMetricValue() != first_value


@pytest.mark.parametrize("metric", METRICS)
def test_at_every_event_getters_answer_the_same_each_time(metric: str) -> None:
    runs: list[list[tuple[str, dict[str, Any]]]] = []
    names = ("GetCurrentLevel", "GetOptimizerStopConditionDescription", "GetOptimizerLearningRate", *UNDEFINED)
    for _ in range(2):
        method = method_of(metric)
        method.SetNumberOfWorkUnits(1)
        seen: list[tuple[str, dict[str, Any]]] = []
        for event, number in EVENTS.items():
            if event != "sitkAnyEvent":
                method.AddCommand(
                    number,
                    lambda e=event, m=method, s=seen: s.append((e, {name: getattr(m, name)() for name in names})),
                )
        method.Execute(FIXED, MOVING)
        runs.append(seen)
    assert runs[0] == runs[1]
    assert [event for event, _ in runs[0]] == [
        "sitkStartEvent",
        "sitkMultiResolutionIterationEvent",
        *5 * ["sitkIterationEvent"],
        "sitkEndEvent",
        "sitkDeleteEvent",
    ]
    assert runs[0][-1][1]["GetMetricValue"] == method.GetMetricValue()


@pytest.mark.parametrize("event", ["sitkStartEvent", "sitkIterationEvent", "sitkEndEvent", "sitkDeleteEvent"])
@pytest.mark.parametrize("metric", METRICS)
def test_a_command_that_calls_its_own_method_again_is_refused_and_the_run_goes_on(metric: str, event: str) -> None:
    undisturbed = method_of(metric)
    undisturbed.SetNumberOfWorkUnits(1)
    expected = undisturbed.Execute(FIXED, MOVING).GetParameters()
    method = method_of(metric)
    method.SetNumberOfWorkUnits(1)
    said: list[str] = []

    def call_again() -> None:
        for call in (method.Execute, method.MetricEvaluate):
            with pytest.raises(disa.RegistrationError) as caught:
                call(FIXED, MOVING)
            said.append(str(caught.value))
            method.GetMetricNumberOfValidPoints()

    method.AddCommand(EVENTS[event], call_again)
    assert method.Execute(FIXED, MOVING).GetParameters() == expected
    assert method.GetOptimizerIteration() == 5
    text = "{}: this registration method is running; call it when Execute has ended, or of another one"
    assert said[:2] == [text.format("Execute"), text.format("MetricEvaluate")]
    assert len(said) == (10 if event == "sitkIterationEvent" else 2)


def test_a_command_may_run_another_registration() -> None:
    outer, inner = method_of("DISA"), method_of("DISA")
    outer.AddCommand(sitk.sitkIterationEvent, lambda: inner.Execute(FIXED, MOVING))
    found = outer.Execute(FIXED, MOVING).GetParameters()
    assert outer.GetOptimizerIteration() == inner.GetOptimizerIteration() == 5
    assert found == method_of("DISA").Execute(FIXED, MOVING).GetParameters()


def test_a_second_thread_is_refused_too_and_after_an_error_the_method_runs_again() -> None:
    method = method_of("DISA")
    said: list[str] = []

    def try_it() -> None:
        try:
            method.Execute(FIXED, MOVING)
        except RuntimeError as error:
            said.append(str(error))

    def in_a_thread() -> None:
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join(60)
        raise KeyError("of mine")

    method.AddCommand(sitk.sitkIterationEvent, in_a_thread)
    with pytest.raises(KeyError, match="of mine"):
        method.Execute(FIXED, MOVING)
    assert len(said) == 1 and said[0].startswith("Execute: this registration method is running")
    method.RemoveAllCommands()
    method.Execute(FIXED, MOVING)


UNCAUGHT = """
import disa
import SimpleITK as sitk

noise = sitk.AdditiveGaussianNoise(sitk.Image([24, 24, 24], sitk.sitkFloat32), 100.0, 0.0, 1)
image = sitk.SmoothingRecursiveGaussian(noise, 2.0)
method = disa.ImageRegistrationMethod()
method.SetMetricAsDISA()
method.SetInitialTransform(sitk.TranslationTransform(3))
method.SetOptimizerAsGradientDescent(0.5, 5)
method.AddCommand(sitk.sitkIterationEvent, lambda: method.Execute(image, image))
try:
    method.Execute(image, image)
except RuntimeError as error:
    print(error)
"""


def test_a_command_that_does_not_catch_it_ends_the_run_by_it() -> None:
    ran = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Execute: this registration method is running")
