# SPDX-License-Identifier: Apache-2.0
"""The metric inside ITK's own registration method."""

from __future__ import annotations

import contextlib
import signal
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa.features import cache
from disa.network import describer
from helpers.displaced import TRUTH, centre_of, error_of
from helpers.images import rotation, structured_image
from helpers.itk_chains import b_spline
from helpers.itk_metric import Metric, set_parameters, to_itk
from helpers.itk_registration import displaced_pair, method_of, rigid
from helpers.network_runs import CountingExtractor


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any, list[float]]:
    return displaced_pair()


def make_optimizer(name: str, metric: Any) -> Any:
    scales = itk.RegistrationParameterScalesFromPhysicalShift[type(metric)].New(Metric=metric)
    if name == "RegularStepGradientDescent":
        return itk.RegularStepGradientDescentOptimizerv4[itk.D].New(
            ScalesEstimator=scales, LearningRate=3.0, MinimumStepLength=0.01, NumberOfIterations=100
        )
    if name == "GradientDescent":
        # A second level starts where the gradient is nearly 0, and the learning rate is estimated from that gradient:
        # ITK's own correlation metric then ends 300 mm off here. Its best pose is the remedy that ITK has.
        return itk.GradientDescentOptimizerv4Template[itk.D].New(
            ScalesEstimator=scales,
            MaximumStepSizeInPhysicalUnits=0.5,
            NumberOfIterations=200,
            ReturnBestParametersAndValue=True,
        )
    if name == "LBFGS":
        return itk.LBFGSOptimizerv4.New(GradientConvergenceTolerance=1e-5)
    return itk.LBFGS2Optimizerv4Template[itk.D].New()


@pytest.mark.parametrize("name", ["RegularStepGradientDescent", "GradientDescent", "LBFGS", "LBFGS2"])
def test_itks_optimisers_recover_a_known_displacement(pair: tuple[Any, Any, list[float]], name: str) -> None:
    transform = rigid(pair[2])
    before = error_of(transform, pair[2])
    metric = Metric.New()
    method_of(pair, metric, make_optimizer(name, metric), transform).Update()
    assert before > 8.0
    assert error_of(transform, pair[2]) < 1.5


@pytest.mark.parametrize("source", ["PhysicalShift", "IndexShift", "Jacobian"])
def test_the_usual_lines_for_scale_estimators_work(pair: tuple[Any, Any, list[float]], source: str) -> None:
    metric = Metric.New(FixedImage=pair[0], MovingImage=pair[1], MovingTransform=rigid(pair[2]))
    metric.Initialize()
    estimator = getattr(itk, f"RegistrationParameterScalesFrom{source}")[type(metric)].New(Metric=metric)
    scales = itk.OptimizerParameters[itk.D]()
    estimator.EstimateScales(scales)
    values = np.array([scales[i] for i in range(6)])
    assert np.all(values > 0)
    assert values[:3].min() > 100 * values[3:].max()


def test_observers_see_every_iteration(pair: tuple[Any, Any, list[float]]) -> None:
    metric = Metric.New()
    optimizer = make_optimizer("RegularStepGradientDescent", metric)
    optimizer.SetNumberOfIterations(5)
    seen: list[float] = []
    optimizer.AddObserver(itk.IterationEvent(), lambda: seen.append(optimizer.GetValue()))
    method_of(pair, metric, optimizer, rigid(pair[2]), levels=1).Update()
    assert len(seen) == 5
    assert seen[-1] < seen[0] < 0


@pytest.mark.parametrize(("angle", "moving_runs"), [(0.0, 1), (30.0, 1), (3.0, 2)])
def test_the_network_runs_once_per_volume_and_again_where_the_rotation_changed(
    pair: tuple[Any, Any, list[float]], monkeypatch: pytest.MonkeyPatch, angle: float, moving_runs: int
) -> None:
    counter = CountingExtractor(monkeypatch)
    metric = Metric.New()
    metric.SetReorientationAngle(angle)
    method_of(pair, metric, make_optimizer("LBFGS2", metric), rigid(pair[2]), levels=3).Update()
    assert counter.strides == [2] * (1 + moving_runs)


def test_a_modified_image_or_setting_is_extracted_anew(
    pair: tuple[Any, Any, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = CountingExtractor(monkeypatch)
    fixed = to_itk(structured_image())
    metric = Metric.New(FixedImage=fixed, MovingImage=pair[1])
    for act, expected in (
        (lambda: None, [2, 2]),
        (lambda: None, []),
        (lambda: (fixed.SetPixel([20, 20, 20], 5e3), fixed.Modified()), [2]),
        (lambda: metric.SetVoxelSpacing(2.5), [2, 2]),
        (lambda: metric.SetFixedStride(2), []),
        (lambda: metric.SetMovingStride(4), [4]),
        (lambda: metric.SetFixedStride(4), [4]),
        (lambda: metric.SetMovingTransform(b_spline()), []),
    ):
        counter.strides.clear()
        act()
        metric.Initialize()
        assert counter.strides == expected


def test_moving_descriptors_are_parallel_to_the_fixed_ones_under_the_transform(
    oblique_image: sitk.Image,
) -> None:
    fixed, moving = oblique_image, structured_image(seed=9, direction=rotation(40, 5, -20).ravel().tolist())
    transform = itk.AffineTransform[itk.D, 3].New()
    turn = rotation(12, 20, -7)
    set_parameters(transform, [*(turn * 1.1).ravel(), 0.0, 0.0, 0.0])
    transform.SetCenter(centre_of(fixed))
    metric = Metric.New(FixedImage=to_itk(fixed), MovingImage=to_itk(moving), MovingTransform=transform)
    metric.Initialize()
    expected = turn @ np.asarray(fixed.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(np.asarray(metric.GetMovingFeatures().direction).reshape(3, 3), expected, atol=1e-8)
    np.testing.assert_allclose(metric.GetFixedFeatures().direction, fixed.GetDirection(), atol=1e-12)


def test_given_features_are_used_and_given_back(
    pair: tuple[Any, Any, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed, moving = disa.extract_features(pair[0]), disa.extract_features(pair[1], stride=2)
    counter = CountingExtractor(monkeypatch)
    metric = Metric.New(FixedImage=pair[0], MovingImage=pair[1])
    assert metric.GetFixedFeatures() is None
    metric.SetFixedFeatures(fixed)
    metric.SetMovingFeatures(moving)
    metric.Initialize()
    assert counter.strides == []
    np.testing.assert_array_equal(metric.GetFixedFeatures().data, fixed.data)
    np.testing.assert_array_equal(metric.GetMovingFeatures().data, moving.data)


def test_a_moving_initial_transform_is_respected(pair: tuple[Any, Any, list[float]]) -> None:
    metric = Metric.New()
    transform = itk.TranslationTransform[itk.D, 3].New()
    initial = rigid(pair[2])
    set_parameters(initial, [*TRUTH[:3], 0.0, 0.0, 0.0])
    method = method_of(pair, metric, make_optimizer("LBFGS2", metric), transform, levels=1)
    method.SetMovingInitialTransform(initial)
    method.Update()
    whole = itk.CompositeTransform[itk.D, 3].New()
    whole.AddTransform(initial)
    whole.AddTransform(transform)
    assert error_of(whole, pair[2]) < 1.5


def test_a_fixed_initial_transform_moves_the_samples(pair: tuple[Any, Any, list[float]]) -> None:
    """The fixed image is carried away, and the initial transform says whereto."""
    shift = [4.0, -7.0, 11.0]
    carried = itk.TranslationTransform[itk.D, 3].New()
    carried.SetOffset(shift)
    fixed = itk.image_duplicator(pair[0])
    fixed.SetOrigin([a + b for a, b in zip(pair[0].GetOrigin(), shift, strict=True)])
    metric = Metric.New()
    transform = rigid(pair[2])
    method = method_of((fixed, *pair[1:]), metric, make_optimizer("LBFGS2", metric), transform, levels=1)
    method.SetFixedInitialTransform(carried)
    method.Update()
    assert error_of(transform, pair[2]) < 1.5


def test_a_method_is_run_again_and_its_metric_serves_a_second_pair(pair: tuple[Any, Any, list[float]]) -> None:
    metric = Metric.New()
    method = method_of(pair, metric, make_optimizer("LBFGS2", metric), rigid(pair[2]), levels=1)
    method.Update()
    first = metric.GetFixedFeatures().data.copy()
    transform = rigid(pair[2])
    method.SetInitialTransform(transform)
    method.Update()
    assert error_of(transform, pair[2]) < 1.5
    np.testing.assert_array_equal(metric.GetFixedFeatures().data, first)

    other = to_itk(structured_image(seed=9))
    method.SetFixedImage(other)
    method.SetMovingImage(other)
    method.SetInitialTransform(rigid(pair[2]))
    method.Update()
    alone = Metric.New(FixedImage=other, MovingImage=other)
    alone.Initialize()
    np.testing.assert_array_equal(metric.GetFixedFeatures().data, alone.GetFixedFeatures().data)


def test_a_seed_makes_random_samples_the_same(pair: tuple[Any, Any, list[float]]) -> None:
    ends = []
    for seed in (7, 7, 8):
        transform = rigid(pair[2])
        metric = Metric.New()
        method = method_of(pair, metric, make_optimizer("LBFGS2", metric), transform, levels=1)
        method.SetMetricSamplingStrategy(itk.ImageRegistrationMethodv4Enums.MetricSamplingStrategy_RANDOM)
        method.SetMetricSamplingPercentage(0.05)
        method.MetricSamplingReinitializeSeed(seed)
        method.Update()
        ends.append(list(transform.GetParameters()))
    assert ends[0] == ends[1] != ends[2]


@pytest.mark.parametrize("strategy", ["REGULAR", "RANDOM"])
def test_itks_sampling_strategies_are_taken(pair: tuple[Any, Any, list[float]], strategy: str) -> None:
    metric = Metric.New()
    transform = rigid(pair[2])
    method = method_of(pair, metric, make_optimizer("LBFGS2", metric), transform, levels=1)
    kind = itk.ImageRegistrationMethodv4Enums
    method.SetMetricSamplingStrategy(getattr(kind, f"MetricSamplingStrategy_{strategy}"))
    method.SetMetricSamplingPercentage(0.05)
    method.MetricSamplingReinitializeSeed(7)
    method.Update()
    assert error_of(transform, pair[2]) < 3.0


def test_a_bad_image_ends_the_registration_in_one_line(pair: tuple[Any, Any, list[float]]) -> None:
    metric = Metric.New()
    constant = itk.image_from_array(np.zeros((20, 20, 20), np.float32))
    method = method_of((pair[0], constant, pair[2]), metric, make_optimizer("LBFGS2", metric), rigid(pair[2]))
    with pytest.raises(RuntimeError) as caught:
        method.Update()
    assert str(caught.value) == "moving image: every voxel is 0; expected an image with structure"


def test_ctrl_c_during_a_run_of_the_network_is_not_lost(
    pair: tuple[Any, Any, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """ITK's wrapping makes a RuntimeError of it, after which Python goes on."""

    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    cache.clear()
    monkeypatch.setattr(describer, "run_network", interrupt)
    metric = Metric.New()
    method = method_of(pair, metric, make_optimizer("LBFGS2", metric), rigid(pair[2]))
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for run in (method.Update, metric.Initialize):
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 (raised some time after the call)
                with contextlib.suppress(RuntimeError):
                    run()
                for _ in range(1000):
                    pass
    finally:
        signal.signal(signal.SIGINT, previous)
