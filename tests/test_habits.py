"""What users of ITK's own metrics are used to."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from itk_helpers import Metric, make_transform, metric_of, set_parameters, value_and_derivative
from test_deformable import b_spline, deformable_metric, field, volumes

import disa
import itk


@pytest.mark.parametrize("act", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_metric_is_neither_copied_nor_pickled(act: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"can be neither copied nor pickled") as caught:
        act(Metric.New())
    assert "\n" not in str(caught.value)


def test_gradient_filters_answer_and_change_nothing(make_features) -> None:
    fixed, moving = make_features(seed=1), make_features(seed=2)
    results = set()
    for use in (True, False):
        metric = metric_of(fixed, moving, make_transform("Euler3DTransform"))
        metric.SetUseFixedImageGradientFilter(use)
        metric.SetUseMovingImageGradientFilter(use)
        metric.SetGradientSource(itk.ObjectToObjectMetricBaseTemplateEnums.GradientSource_GRADIENT_SOURCE_BOTH)
        metric.Initialize()
        assert metric.GetUseFixedImageGradientFilter() == metric.GetUseMovingImageGradientFilter() == use
        assert metric.GetFixedImageGradientImage() is None and metric.GetMovingImageGradientImage() is None
        value, derivative = value_and_derivative(metric)
        results.add((value, derivative.tobytes()))
    assert len(results) == 1


@pytest.mark.parametrize("make", [b_spline, field], ids=["BSpline", "field"])
@pytest.mark.parametrize("source", ["PhysicalShift", "IndexShift", "Jacobian"])
def test_scale_estimators_take_deformable_transforms(make_features, make: Callable[[], Any], source: str) -> None:
    metric = deformable_metric(*volumes(make_features), make())
    estimator = getattr(itk, f"RegistrationParameterScalesFrom{source}")[type(metric)].New(Metric=metric)
    scales = itk.OptimizerParameters[itk.D]()
    estimator.EstimateScales(scales)
    assert len(scales) == (3 if metric.HasLocalSupport() else metric.GetNumberOfParameters())
    assert np.all(np.array(list(scales)) > 0)
    _, derivative = value_and_derivative(metric)
    step = itk.OptimizerParameters[itk.D](len(derivative))
    for i, value in enumerate(derivative):
        step[i] = value
    assert estimator.EstimateStepScale(step) > 0


def translated(features: disa.FeatureVolume, shift: float) -> Any:
    transform = make_transform("TranslationTransform")
    set_parameters(transform, [shift, 0.0, 0.0])
    return metric_of(features, features, transform)


@pytest.mark.parametrize(("cells", "warned"), [(0, False), (12, False), (13, True)])
def test_little_overlap_is_a_warning_with_its_share(make_features, capfd, cells: int, warned: bool) -> None:
    """14 cells of 8 mm along x; 2 of them overlap after a shift by 12, 1 after one by 13."""
    features = make_features(seed=5)
    metric = translated(features, 8.0 * cells)
    said = [line for line in capfd.readouterr().err.splitlines() if "overlap by" in line]
    assert len(said) == warned
    if warned:
        share = features.weights[:, :, : 14 - cells].sum() / features.weights.sum()
        assert float(re.search(r"overlap by ([0-9.]+) %", said[0])[1]) == pytest.approx(100 * share, abs=0.06)
    _, derivative = value_and_derivative(metric)
    assert np.isfinite(derivative).all() and derivative.any()
    assert 0 < abs(metric.GetValue()) < 1.01


def test_no_overlap_at_all_is_an_error(make_features) -> None:
    with pytest.raises(disa.RegistrationError, match="do not overlap"):
        translated(make_features(seed=5), 8.0 * 16)


def test_points_thrown_far_out_add_nothing_and_pull_nowhere(make_features) -> None:
    transform = b_spline()
    metric = deformable_metric(*volumes(make_features), transform)
    metric.GetValue()
    before = metric.GetNumberOfValidPoints()
    set_parameters(transform, np.full(transform.GetNumberOfParameters(), 1e6))
    value, derivative = value_and_derivative(metric)
    assert np.isfinite(value) and not derivative.any()
    assert 0 < metric.GetNumberOfValidPoints() < before  # those outside of the B-spline's domain stay where they are
