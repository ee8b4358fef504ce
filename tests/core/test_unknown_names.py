# SPDX-License-Identifier: Apache-2.0
"""Names, kinds and settings that the compiled code does not know are refused in one line with those it does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from disa.core import _core
from disa.doors.simpleitk.compiled import _engine
from disa.errors import RegistrationError
from disa.geometry.grid import Grid
from helpers.simpleitk_engine import METRICS, OPTIMIZERS, EngineMethod

SHAPE = (9, 8, 7)


def image() -> _engine.FloatImage:
    rng = np.random.default_rng(4)
    pixels = rng.normal(size=SHAPE).astype(np.float32)
    return _engine.FloatImage(pixels, Grid.isotropic(SHAPE[::-1], np.zeros(3), 1.0))


@pytest.fixture
def settings() -> _engine.RegistrationSettings:
    """A registration by ITK's mean squares that runs."""
    made = _engine.RegistrationSettings()
    made.fixed = made.moving = image()
    made.initial = _engine.TransformDescription("TranslationTransform", parameters=np.zeros(3))
    made.metric.name = "MeanSquares"
    made.optimizer.name = "Exhaustive"
    made.optimizer.numbers = {"stepLength": 0.5}
    made.optimizer.number_of_steps = [0, 0, 1]
    return made


def run(settings: _engine.RegistrationSettings) -> None:
    _engine.RegistrationEngine(settings).run()


def refused(settings: _engine.RegistrationSettings) -> str:
    with pytest.raises(RegistrationError) as caught:
        run(settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_settings_that_the_others_are_changed_from_run(settings: _engine.RegistrationSettings) -> None:
    run(settings)


def test_pose_kind(make_features: Callable[..., _core.FeatureVolume]) -> None:
    with pytest.raises(RegistrationError) as caught:
        _core.PoseSearch("elastic", np.eye(3).ravel(), np.zeros(3), np.zeros(3), 1.0)
    assert str(caught.value) == 'kind: expected one of affine, rigid, similarity, translation, got "elastic"'


@pytest.mark.parametrize("name", ["Newton", "gradientdescent"])
def test_optimizer(settings: _engine.RegistrationSettings, name: str) -> None:
    settings.optimizer.name = name
    message = refused(settings)
    assert message.startswith("optimizer: expected one of ") and message.endswith(f', got "{name}"')
    assert all(known in message for known in OPTIMIZERS)


def test_metric(settings: _engine.RegistrationSettings) -> None:
    settings.metric.name = "MutualInformation"
    message = refused(settings)
    assert message.startswith("metric: expected one of ") and message.endswith(', got "MutualInformation"')
    assert all(known in message for known in METRICS)


def test_transform(settings: _engine.RegistrationSettings) -> None:
    settings.initial = _engine.TransformDescription("ThinPlateSplineTransform")
    message = refused(settings)
    assert message.startswith("transform: expected one of AffineTransform, BSplineSmoothing")
    assert message.endswith(', got "ThinPlateSplineTransform"')


def test_scales_estimator(settings: _engine.RegistrationSettings) -> None:
    settings.scales.estimator = "Hessian"
    expected = 'scales estimator: expected one of IndexShift, Jacobian, PhysicalShift, got "Hessian"'
    assert refused(settings) == expected


@pytest.mark.parametrize("strategy", [-1, 3])
def test_sampling_strategy(settings: _engine.RegistrationSettings, strategy: int) -> None:
    settings.sampling_strategy = strategy
    expected = f"sampling strategy: expected one of 0 (none), 1 (regular), 2 (random), got {strategy}"
    assert refused(settings) == expected


def test_event(settings: _engine.RegistrationSettings) -> None:
    engine = _engine.RegistrationEngine(settings)
    with pytest.raises(RegistrationError) as caught:
        engine.add_observer("Pause", print)
    assert str(caught.value).startswith("event: expected one of Abort, Any, ")
    assert str(caught.value).endswith(', got "Pause"')


def test_settings_of_an_optimizer(settings: _engine.RegistrationSettings) -> None:
    settings.optimizer.numbers = {"step_length": 0.5}
    assert refused(settings) == 'optimizer Exhaustive: expected a setting "stepLength", got step_length'
    settings.optimizer.numbers = {"stepLength": 0.5, "momentum": 0.9}
    assert refused(settings) == 'optimizer Exhaustive: expected stepLength, got "momentum"'


def test_when_a_learning_rate_is_estimated(settings: _engine.RegistrationSettings) -> None:
    method = EngineMethod()
    method.SetOptimizerAsGradientDescent(1.0, 2)
    settings.optimizer.name = "GradientDescent"
    settings.optimizer.numbers = {**method._settings.optimizer.numbers, "estimateLearningRate": 3.0}
    assert refused(settings).startswith(
        "estimateLearningRate: expected one of 0 (never), 1 (once), 2 (each iteration), got 3"
    )


def test_settings_of_a_metric(settings: _engine.RegistrationSettings) -> None:
    settings.metric.numbers = {"radius": 2.0}
    assert refused(settings) == 'metric MeanSquares: expected no settings, got "radius"'
    settings.metric.name, settings.metric.numbers = "MattesMutualInformation", {}
    assert refused(settings) == ('metric MattesMutualInformation: expected a setting "numberOfHistogramBins", got none')


def test_settings_of_a_scales_estimator(settings: _engine.RegistrationSettings) -> None:
    settings.scales.estimator = "Jacobian"
    settings.scales.numbers = {"radius": 5.0}
    assert refused(settings) == 'scales estimator Jacobian: expected a setting "centralRegionRadius", got radius'


def test_options_of_a_transform(settings: _engine.RegistrationSettings) -> None:
    settings.initial = _engine.TransformDescription(
        "TranslationTransform", parameters=np.zeros(3), options={"order": [3.0]}
    )
    assert refused(settings) == 'transform TranslationTransform: expected no settings, got "order"'
    name = "GaussianSmoothingOnUpdateDisplacementFieldTransform"
    fixed = np.array([2.0, 2, 2, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1])
    field = {"fixed_parameters": fixed, "parameters": np.zeros(24)}
    settings.initial = _engine.TransformDescription(name, **field)
    assert refused(settings) == f'transform {name}: expected a setting "varianceForUpdateField", got none'
    settings.initial = _engine.TransformDescription(name, **field, options={"varianceForUpdateField": []})
    assert refused(settings) == f'transform {name}: expected 1 numbers as "varianceForUpdateField", got 0'


def test_kernel() -> None:
    cells, index = np.zeros((2, 2, 2, 16), np.int8), np.zeros((3, 1))
    with pytest.raises(RegistrationError, match=r'^evaluate_kernel: no kernel "fast"'):
        _core.evaluate_kernel("fast", cells, np.zeros((1, 16), np.int8), index)
