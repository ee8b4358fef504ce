# SPDX-License-Identifier: Apache-2.0
"""DISA and a metric of ITK's as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import disa
import itk
from helpers.displaced import error_of
from helpers.itk_metric import ImageType, Metric, set_parameters, value_and_derivative
from helpers.itk_registration import displaced_pair, method_of, rigid

Multi = itk.ObjectToObjectMultiMetricv4[3, 3, ImageType]
Correlation = itk.CorrelationImageToImageMetricv4[ImageType, ImageType]


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any, list[float]]:
    return displaced_pair()


def both(pair: tuple[Any, Any, list[float]], transform: Any) -> tuple[Any, list[Any]]:
    metrics = [
        kind.New(FixedImage=pair[0], MovingImage=pair[1], MovingTransform=transform) for kind in (Metric, Correlation)
    ]
    multi = Multi.New()
    for metric in metrics:
        multi.AddMetric(metric)
    return multi, metrics


def test_value_and_derivative_are_the_parts_as_itk_weighs_them(pair: tuple[Any, Any, list[float]]) -> None:
    transform = rigid(pair[2])
    set_parameters(transform, [0.02, -0.03, 0.05, 2.0, -1.0, 1.5])
    multi, metrics = both(pair, transform)
    assert multi.GetNumberOfMetrics() == 2
    multi.SetMetricWeights([3.0, 1.0])
    multi.Initialize()
    assert multi.GetMetricWeights() == [0.75, 0.25]
    value, derivative = value_and_derivative(multi)
    parts = [value_and_derivative(metric) for metric in metrics]
    assert value == parts[0][0]
    assert multi.GetValueArray() == pytest.approx([part[0] for part in parts], rel=1e-9)
    assert multi.GetWeightedValue() == pytest.approx(0.75 * parts[0][0] + 0.25 * parts[1][0], rel=1e-9)
    lengths = [np.linalg.norm(part[1]) for part in parts]
    expected = sum(w * part[1] / n for w, part, n in zip((0.75, 0.25), parts, lengths, strict=True)) * np.mean(lengths)
    np.testing.assert_allclose(derivative, expected, rtol=1e-6)


def test_itks_registration_method_takes_it(pair: tuple[Any, Any, list[float]]) -> None:
    transform = rigid(pair[2])
    multi, _ = both(pair, transform)
    scales = itk.RegistrationParameterScalesFromPhysicalShift[type(multi)].New(Metric=multi)
    optimizer = itk.RegularStepGradientDescentOptimizerv4[itk.D].New(
        ScalesEstimator=scales, LearningRate=3.0, MinimumStepLength=0.01, NumberOfIterations=60
    )
    method = method_of(pair, multi, optimizer, transform, levels=1)
    method.SetFixedImage(1, pair[0])
    method.SetMovingImage(1, pair[1])
    before = error_of(transform, pair[2])
    method.Update()
    assert before > 8.0
    assert error_of(transform, pair[2]) < 1.5


@pytest.mark.parametrize("source", ["PhysicalShift", "Jacobian"])
def test_scales_are_those_of_the_metric_alone(pair: tuple[Any, Any, list[float]], source: str) -> None:
    multi, metrics = both(pair, rigid(pair[2]))
    multi.Initialize()
    found = []
    for metric in (multi, metrics[0]):
        template = getattr(itk, f"RegistrationParameterScalesFrom{source}")
        scales = itk.OptimizerParameters[itk.D]()
        template[type(metric)].New(Metric=metric).EstimateScales(scales)
        found.append(list(scales))
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_what_is_no_metric_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a metric of two 3-D images"):
        Multi.New().AddMetric(ImageType.New())
    with pytest.raises(disa.RegistrationError, match="No metrics are assigned"):
        Multi.New().Initialize()


def test_it_keeps_its_metrics_alive(pair: tuple[Any, Any, list[float]]) -> None:
    multi, metrics = both(pair, rigid(pair[2]))
    assert [metric.GetReferenceCount() for metric in metrics] == [2, 2]
    multi.ClearMetricQueue()
    assert [metric.GetReferenceCount() for metric in metrics] == [1, 1]
    assert multi.GetReferenceCount() == 1
