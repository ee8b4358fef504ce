# SPDX-License-Identifier: Apache-2.0
"""SimpleITK's registration method beside the engine that runs ITK's metrics in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import SimpleITK as sitk

import disa
from disa.doors.simpleitk.compiled import _engine

EVENTS = {name: getattr(sitk, name) for name in dir(sitk) if name.startswith("sitk") and name.endswith("Event")}

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "GradientDescent": {"learningRate": 1.0, "numberOfIterations": 8},
    "GradientDescentLineSearch": {"learningRate": 1.0, "numberOfIterations": 4},
    "ConjugateGradientLineSearch": {"learningRate": 1.0, "numberOfIterations": 4},
    "RegularStepGradientDescent": {"learningRate": 0.5, "minStep": 1e-3, "numberOfIterations": 8},
    "LBFGSB": {"numberOfIterations": 5},
    "LBFGS2": {"numberOfIterations": 4},
    "Exhaustive": {"numberOfSteps": [1, 0, 0, 1, 1, 0], "stepLength": 0.2},
    "Amoeba": {"simplexDelta": 0.05, "numberOfIterations": 15},
    "Powell": {"numberOfIterations": 2, "maximumLineIterations": 10, "stepLength": 0.1},
    "OnePlusOneEvolutionary": {"numberOfIterations": 15, "seed": 5},
}

METRICS: dict[str, dict[str, float]] = {
    "MeanSquares": {},
    "MattesMutualInformation": {"numberOfHistogramBins": 24},
    "JointHistogramMutualInformation": {"numberOfHistogramBins": 16, "varianceForJointPDFSmoothing": 1.2},
    "Correlation": {},
    "ANTSNeighborhoodCorrelation": {"radius": 2},
    "Demons": {"intensityDifferenceThreshold": 0.002},
}


class EngineMethod(disa.ImageRegistrationMethod):
    """The registration engine with a metric of ITK's, by the same calls as SimpleITK's method."""

    metric: tuple[str, dict[str, float]]

    def _engine_metric(self) -> _engine.MetricSettings:
        settings = _engine.MetricSettings()
        settings.name, settings.numbers = self.metric
        return settings


def make_methods(metric: str) -> list[sitk.ImageRegistrationMethod]:
    """SimpleITK's method with a metric, and the engine with the same; one work unit each."""
    own, engine = sitk.ImageRegistrationMethod(), EngineMethod()
    getattr(own, f"SetMetricAs{metric}")(**METRICS[metric])
    engine.metric = (metric, METRICS[metric])
    for method in (own, engine):
        method.SetNumberOfWorkUnits(1)
    return [own, engine]


def state_of(method: sitk.ImageRegistrationMethod) -> list[float]:
    """What every getter says."""
    try:
        position = method.GetOptimizerPosition()
    except RuntimeError:  # SimpleITK's before it has a metric
        position = ()
    return [
        method.GetCurrentLevel(),
        method.GetOptimizerIteration(),
        method.GetMetricNumberOfValidPoints(),
        method.GetMetricValue(),
        method.GetOptimizerLearningRate(),
        method.GetOptimizerConvergenceValue(),
        method.GetProgress(),
        *position,
        *method.GetOptimizerScales(),
    ]


def record(method: sitk.ImageRegistrationMethod, event: int = sitk.sitkIterationEvent) -> list[list[float]]:
    """A list that grows by the state at each event."""
    states: list[list[float]] = []
    method.AddCommand(event, lambda: states.append(state_of(method)))
    return states


def blobs(seed: int, size: tuple[int, int, int] = (24, 22, 20)) -> sitk.Image:
    """Smooth random intensities of (x, y, z) size, on an oblique grid."""
    noise = np.random.default_rng(seed).normal(size=size[::-1]).astype(np.float32)
    image = sitk.Cast(100.0 * sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(noise), 2.0), sitk.sitkFloat32)
    image.SetSpacing((1.0, 1.1, 1.2))
    image.SetOrigin((-10.0, 4.0, 2.5))
    image.SetDirection(sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.1, -0.05, 0.2).GetMatrix())
    return image


def moved(image: sitk.Image) -> sitk.Image:
    """The image under a small turn and shift."""
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    return sitk.Resample(image, sitk.Euler3DTransform(middle, 0.03, -0.02, 0.04, (0.8, -0.5, 0.4)))


def run_both(
    metric: str,
    make_transform: Callable[[sitk.Image], sitk.Transform],
    set_up: Callable[[sitk.ImageRegistrationMethod], None],
    in_place: bool = True,
) -> list[dict[str, Any]]:
    """The iterations, the result and the final state of a registration by SimpleITK and by the engine."""
    fixed = blobs(0)
    moving = moved(fixed)
    outcomes = []
    for method in make_methods(metric):
        transform = make_transform(fixed)
        method.SetInitialTransform(transform, in_place)
        set_up(method)
        states = record(method)
        result = method.Execute(fixed, moving)
        outcomes.append(
            {
                "iterations": states,
                "final": state_of(method),
                "description": method.GetOptimizerStopConditionDescription(),
                "transform": (transform.GetFixedParameters(), transform.GetParameters()),
                "initial": method.GetInitialTransform().GetParameters(),
                "result": (type(result), result.GetName(), result.GetFixedParameters(), result.GetParameters()),
            }
        )
    return outcomes


def assert_alike(one: Any, other: Any, relative: float = 1e-8, absolute: float = 1e-8) -> None:
    """Numbers within rounding, everything else equal.

    Two builds of ITK, by two compilers, round a float pixel of a smoothed image and a sum of many samples differently
    in the last bit (1e-7), and some iterations multiply that.
    """
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_alike(one[key], other[key], relative, absolute)
    elif isinstance(one, (list, tuple)) and any(not isinstance(item, (int, float)) for item in one):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_alike(a, b, relative, absolute)
    elif isinstance(one, (list, tuple)):
        np.testing.assert_allclose(other, one, rtol=relative, atol=absolute)
    else:
        assert other == one
