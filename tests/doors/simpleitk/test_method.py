# SPDX-License-Identifier: Apache-2.0
"""`disa.ImageRegistrationMethod` with DISA: what a script of SimpleITK's expects."""

from __future__ import annotations

import gc
import inspect
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from disa.features import cache as feature_cache
from disa.features.extractor import MetricExtractor
from disa.network import describer
from helpers.displaced import centre_of, displaced_images, error_of
from helpers.images import structured_image
from helpers.itk_metric import Metric
from helpers.itk_registration import displaced_pair, method_of, rigid
from helpers.network_runs import CountingExtractor
from helpers.simpleitk_engine import EVENTS, blobs, moved
from helpers.simpleitk_transforms import TRANSFORMS

Pair = tuple[sitk.Image, sitk.Image, list[float]]


@pytest.fixture(scope="module")
def pair() -> Pair:
    return displaced_images()


@pytest.fixture(scope="module")
def small_pair() -> Pair:
    fixed = structured_image((32, 30, 28), seed=3)
    return fixed, moved(fixed), centre_of(fixed)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> CountingExtractor:
    """Counts the runs of the network, from an empty memory on."""
    return CountingExtractor(monkeypatch)


def euler(centre: list[float]) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetCenter(centre)
    return transform


def method_for(pair: Pair, levels: int = 1) -> disa.ImageRegistrationMethod:
    """DISA and LBFGS2 from the identity about the centre."""
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA(model="disa-lc2", spacing=2.0, fixed_stride=4, moving_stride=2)
    method.SetOptimizerAsLBFGS2(numberOfIterations=40)
    method.SetShrinkFactorsPerLevel([1] * levels)
    method.SetSmoothingSigmasPerLevel([0.0] * levels)
    method.SetInitialTransform(euler(pair[2]))
    return method


def slow_method_for(pair: Pair, iterations: int = 100_000) -> disa.ImageRegistrationMethod:
    """One whose run ends only when it is ended."""
    method = method_for(pair)
    method.SetOptimizerAsGradientDescent(1e-9, iterations, 0.0, 5, method.Never)
    method.SetOptimizerScales([1.0] * 6)
    return method


def test_one_changed_line_recovers_a_known_displacement_as_through_itk(pair: Pair) -> None:
    method = method_for(pair, levels=2)
    transform = euler(pair[2])
    method.SetInitialTransform(transform)
    result = method.Execute(pair[0], pair[1])
    assert isinstance(result, sitk.Euler3DTransform)
    assert result.GetParameters() == transform.GetParameters()
    assert error_of(transform, pair[2]) < 1.5

    through_itk = rigid(pair[2])
    optimizer = itk.LBFGS2Optimizerv4Template[itk.D].New()
    optimizer.SetMaximumIterations(40)
    optimizer.SetSolutionAccuracy(1e-5)  # SimpleITK's defaults, where ITK has others
    optimizer.SetDeltaConvergenceTolerance(1e-5)
    optimizer.SetMaximumLineSearchEvaluations(40)
    method_of(displaced_pair(), Metric.New(), optimizer, through_itk).Update()
    np.testing.assert_allclose(transform.GetParameters(), list(through_itk.GetParameters()), rtol=1e-6, atol=1e-9)
    assert method.GetMetricValue() == pytest.approx(optimizer.GetValue(), rel=1e-9)


def test_the_call_of_the_metric_is_the_documented_one_and_has_the_itk_metrics_defaults() -> None:
    parameters = inspect.signature(disa.ImageRegistrationMethod.SetMetricAsDISA).parameters
    assert list(parameters)[:7] == [
        "self",
        "model",
        "spacing",
        "fixed_stride",
        "moving_stride",
        "reorientation_angle",
        "weighting",
    ]
    metric = Metric.New()
    assert {name: parameter.default for name, parameter in parameters.items() if name != "self"} == {
        "model": metric.GetModel(),
        "spacing": None,  # by the images, as the metric has it
        "fixed_stride": metric.GetFixedStride(),
        "moving_stride": metric.GetMovingStride(),
        "reorientation_angle": metric.GetReorientationAngle(),
        "weighting": True,
        "smoothing": None,  # by the level
        "providers": (),
    }


OPTIMIZERS: dict[str, Callable[[sitk.ImageRegistrationMethod], None]] = {
    "GradientDescent": lambda m: m.SetOptimizerAsGradientDescent(1.0, 20, maximumStepSizeInPhysicalUnits=1.0),
    "GradientDescentLineSearch": lambda m: m.SetOptimizerAsGradientDescentLineSearch(1.0, 5),
    "ConjugateGradientLineSearch": lambda m: m.SetOptimizerAsConjugateGradientLineSearch(1.0, 5),
    "RegularStepGradientDescent": lambda m: m.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, 20),
    "LBFGSB": lambda m: (m.SetOptimizerAsLBFGSB(numberOfIterations=15), m.SetOptimizerScales([])),
    "LBFGS2": lambda m: (m.SetOptimizerAsLBFGS2(numberOfIterations=15), m.SetOptimizerScales([])),
    "Exhaustive": lambda m: (
        m.SetOptimizerAsExhaustive([0, 0, 0, 2, 2, 2], 2.5),
        m.SetOptimizerScales([1.0] * 6),
    ),
    "Amoeba": lambda m: (m.SetOptimizerAsAmoeba(1.0, 100), m.SetOptimizerScales([30.0] * 3 + [1.0] * 3)),
    "Powell": lambda m: m.SetOptimizerAsPowell(2, 20, 1.0),
    "OnePlusOneEvolutionary": lambda m: m.SetOptimizerAsOnePlusOneEvolutionary(150, seed=2),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_comes_nearer(pair: Pair, optimizer: str) -> None:
    method = method_for(pair)
    method.SetOptimizerScalesFromPhysicalShift()
    OPTIMIZERS[optimizer](method)
    start = method.MetricEvaluate(pair[0], pair[1])
    before = error_of(method.GetInitialTransform(), pair[2])
    result = method.Execute(pair[0], pair[1])
    assert error_of(result, pair[2]) < 0.75 * before
    assert method.GetMetricValue() < start
    assert method.GetOptimizerStopConditionDescription()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_transform_comes_nearer(small_pair: Pair, name: str) -> None:
    method = method_for(small_pair)
    transform = TRANSFORMS[name](small_pair[0])
    if isinstance(transform, sitk.ScaleTransform):
        transform.SetScale((1.15, 0.9, 1.1))  # the images differ by a pose, so the identity is about the best
    method.SetInitialTransform(transform)
    method.SetOptimizerAsGradientDescent(1.0, 8, maximumStepSizeInPhysicalUnits=1.0)
    method.SetOptimizerScalesFromPhysicalShift()
    start = method.MetricEvaluate(small_pair[0], small_pair[1])
    method.Execute(small_pair[0], small_pair[1])
    assert method.GetMetricValue() < start - 1e-4  # a new evaluation may take re-oriented descriptors


def test_a_transform_that_simpleitk_cannot_return_is_returned(small_pair: Pair) -> None:
    """SimpleITK's table of classes lacks it: its own Execute registers and then raises KeyError."""
    method = method_for(small_pair)
    transform = sitk.ComposeScaleSkewVersor3DTransform()
    transform.SetCenter(small_pair[2])
    method.SetInitialTransform(transform)
    method.SetOptimizerAsGradientDescent(1.0, 8, maximumStepSizeInPhysicalUnits=1.0)
    method.SetOptimizerScalesFromPhysicalShift()
    start = method.MetricEvaluate(small_pair[0], small_pair[1])
    result = method.Execute(small_pair[0], small_pair[1])
    assert result.GetParameters() == transform.GetParameters()
    assert method.MetricEvaluate(small_pair[0], small_pair[1]) < start - 1e-4


@pytest.mark.parametrize("source", ["PhysicalShift", "IndexShift", "Jacobian"])
def test_every_scales_estimator_brings_it_nearer(pair: Pair, source: str) -> None:
    method = method_for(pair)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, 20)
    getattr(method, f"SetOptimizerScalesFrom{source}")()
    scales: list[tuple[float, ...]] = []
    method.AddCommand(sitk.sitkIterationEvent, lambda: scales.append(method.GetOptimizerScales()))
    before = error_of(method.GetInitialTransform(), pair[2])
    assert error_of(method.Execute(pair[0], pair[1]), pair[2]) < 0.75 * before
    # A radian moves the image's voxels by tens of mm.
    assert all(angle > 10.0 * shift for found in scales for angle in found[:3] for shift in found[3:])


def test_parameters_of_weight_0_stay(pair: Pair) -> None:
    method = method_for(pair)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, 10)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetOptimizerWeights([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    found = method.Execute(pair[0], pair[1]).GetParameters()
    assert found[:3] == (0.0, 0.0, 0.0) and all(value != 0.0 for value in found[3:])


def test_pixel_types_need_not_be_equal_and_may_be_integers(pair: Pair) -> None:
    as_float = method_for(pair).Execute(sitk.Cast(pair[0], sitk.sitkInt16), sitk.Cast(pair[1], sitk.sitkFloat64))
    assert error_of(as_float, pair[2]) < 2.5


def test_two_dimensions_are_one_clear_error() -> None:
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    method.SetOptimizerAsLBFGS2()
    method.SetInitialTransform(sitk.Euler2DTransform())
    image = sitk.Image(16, 16, sitk.sitkFloat32)
    expected = "fixed image: DISA registers 3-D images, got a 2-D one; choose another metric for it"
    for call in (method.Execute, method.MetricEvaluate):
        with pytest.raises(disa.ImageError) as caught:
            call(image, image)
        assert str(caught.value) == expected


def bad_inputs() -> dict[str, tuple[Callable[[disa.ImageRegistrationMethod], Any], str]]:
    field = TRANSFORMS["DisplacementField"](blobs(0))
    field.SetInterpolator(sitk.sitkNearestNeighbor)
    return {
        "no optimiser": (lambda m: None, "no optimiser is set"),
        "no transform": (lambda m: m.SetInitialTransform(sitk.Transform(3, sitk.sitkIdentity)), "nothing to optimise"),
        "2-D transform": (lambda m: m.SetInitialTransform(sitk.Euler2DTransform()), "expected a 3-D transform"),
        "quadratic": (
            lambda m: m.SetInitialTransform(sitk.BSplineTransformInitializer(blobs(0), [2, 2, 2], 2)),
            "B-splines of order 3, got one of order 2",
        ),
        "nearest": (lambda m: m.SetInitialTransform(field), "linear interpolation"),
        "levels": (lambda m: m.SetShrinkFactorsPerLevel([2, 1]), "2 and 1 levels; give both as many"),
        "mask": (lambda m: m.SetMetricFixedMask(sitk.Image(9, 9, sitk.sitkUInt8)), "fixed mask: DISA registers 3-D"),
        "domain": (lambda m: m.SetVirtualDomain([9, 9], [0, 0], [1, 1], [1, 0, 0, 1]), "virtual domain: expected"),
        "apart": (lambda m: m.SetInitialTransform(sitk.TranslationTransform(3, (1e4, 0, 0))), "do not overlap"),
    }


@pytest.mark.parametrize("case", bad_inputs())
def test_what_cannot_be_run_is_one_line(small_pair: Pair, case: str) -> None:
    spoil, message = bad_inputs()[case]
    method = disa.ImageRegistrationMethod()
    method.SetMetricAsDISA()
    if case != "no optimiser":
        method.SetOptimizerAsLBFGS2()
    method.SetInitialTransform(euler(small_pair[2]))
    spoil(method)
    with pytest.raises(disa.DISAError, match=message) as caught:
        method.Execute(small_pair[0], small_pair[1])
    assert "\n" not in str(caught.value)


def test_a_bad_image_and_bad_settings_are_one_line(small_pair: Pair) -> None:
    method = method_for(small_pair)
    with pytest.raises(disa.ImageError, match=r"^moving image: every voxel is 0; expected an image with"):
        method.Execute(small_pair[0], sitk.Abs(small_pair[1] * 0.0))
    with pytest.raises(disa.ImageError, match=r"^moving image: expected one real number a voxel, got vector"):
        method.Execute(small_pair[0], sitk.Compose(small_pair[1], small_pair[1]))
    bad = {"spacing": 0.0, "smoothing": -1.0, "reorientation_angle": float("nan"), "providers": "CPUExecutionProvider"}
    for name, value in bad.items():
        with pytest.raises(disa.RegistrationError, match=f"^{name}: expected"):
            method.SetMetricAsDISA(**{name: value})
    with pytest.raises(disa.ModelError):
        method.SetMetricAsDISA(model="no-such-model")
    method.Execute(small_pair[0], small_pair[1])  # DISA is still set as it was


def test_the_network_runs_once_per_image_over_all_calls(small_pair: Pair, runs: CountingExtractor) -> None:
    method = method_for(small_pair, levels=2)
    method.MetricEvaluate(small_pair[0], small_pair[1])
    assert runs.strides == [2, 2]
    method.MetricEvaluate(sitk.Image(small_pair[0]), sitk.Cast(small_pair[1], sitk.sitkFloat64))  # the same content
    method.SetInitialTransform(sitk.Euler3DTransform(small_pair[2], 0.02, 0.01, 0.0))  # turned by less than 3 degrees
    method.MetricEvaluate(small_pair[0], small_pair[1])
    assert runs.strides == [2, 2]
    other = method_for(small_pair)
    other.MetricEvaluate(small_pair[0], small_pair[1])
    assert runs.strides == [2, 2]
    changed = sitk.Image(small_pair[0])
    changed[20, 20, 20] = 5e3
    method.MetricEvaluate(changed, small_pair[1])
    assert runs.strides == [2, 2, 2]


def test_a_run_is_the_same_however_often_and_whoever_ran_before(small_pair: Pair, runs: CountingExtractor) -> None:
    results = []
    for start in (0.0, 0.0, 0.03, 0.0):
        method = method_for(small_pair, levels=2)
        method.SetInitialTransform(sitk.Euler3DTransform(small_pair[2], start, 0.0, 0.0))
        results.append(method.Execute(small_pair[0], small_pair[1]).GetParameters())
    assert results[0] == results[1] == results[3] != results[2]


@pytest.mark.parametrize(("angle", "again"), [(3.0, 1), (30.0, 0), (0.0, 0)])
def test_the_reorientation_angle_decides_on_another_run(
    small_pair: Pair, runs: CountingExtractor, angle: float, again: int
) -> None:
    method = method_for(small_pair)
    method.SetMetricAsDISA(reorientation_angle=angle)
    method.MetricEvaluate(small_pair[0], small_pair[1])
    method.SetInitialTransform(sitk.Euler3DTransform(small_pair[2], 0.0, 0.0, 0.2))
    method.MetricEvaluate(small_pair[0], small_pair[1])
    assert runs.strides == [2, 2] + [2] * again


def test_ready_made_features_are_used(small_pair: Pair, runs: CountingExtractor) -> None:
    fixed, moving = disa.extract_features(small_pair[0]), disa.extract_features(small_pair[1], stride=2)
    runs.strides.clear()
    method = method_for(small_pair)
    method.SetMetricFixedFeatures(fixed)
    method.SetMetricMovingFeatures(moving)
    given = method.MetricEvaluate(small_pair[0], small_pair[1])
    assert runs.strides == []
    method.SetMetricFixedFeatures(None)
    method.SetMetricMovingFeatures(None)
    assert method.MetricEvaluate(small_pair[0], small_pair[1]) != given  # these are smoothed
    assert runs.strides == [2, 2]


def test_features_of_another_network_are_refused(small_pair: Pair) -> None:
    features = disa.extract_features(small_pair[0])
    frame = {name: getattr(features, name) for name in ("scale", "weights", "origin", "spacing", "direction")}
    method = method_for(small_pair)
    method.SetMetricFixedFeatures(disa.FeatureVolume(data=features.data, **frame, network="00000001"))
    with pytest.raises(disa.RegistrationError, match=rf"of two networks \(00000001 and {features.network}\)") as caught:
        method.Execute(*small_pair[:2])
    assert "\n" not in str(caught.value)


def test_without_weighting_all_samples_count_alike(small_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    method = method_for(small_pair)
    weighted = method.MetricEvaluate(small_pair[0], small_pair[1])
    method.SetMetricAsDISA(weighting=False)
    alike = method.MetricEvaluate(small_pair[0], small_pair[1])
    assert abs(alike - weighted) > 1e-3
    seen: list[disa.FeatureVolume] = []
    original = MetricExtractor.__call__

    def record(self: MetricExtractor, *arguments: Any) -> disa.FeatureVolume:
        seen.append(original(self, *arguments))
        return seen[-1]

    monkeypatch.setattr(MetricExtractor, "__call__", record)
    method.MetricEvaluate(small_pair[0], small_pair[1])
    assert len(seen) == 2
    assert all(set(np.unique(features.weights)) == {0.0, 1.0} for features in seen)


def test_model_spacing_and_strides_are_used(small_pair: Pair, runs: CountingExtractor) -> None:
    method = method_for(small_pair)
    values = []
    for settings in ({}, {"spacing": 3.0}, {"fixed_stride": 2}, {"moving_stride": 4}, {"smoothing": 5.0}):
        method.SetMetricAsDISA(**settings)  # type: ignore[arg-type]
        values.append(method.MetricEvaluate(small_pair[0], small_pair[1]))
    assert len(set(values)) == 5
    assert runs.strides == [2, 2, 2, 2, 4, 4]


def test_masks_and_the_virtual_domain_take_samples_away(small_pair: Pair) -> None:
    def half(image: sitk.Image) -> sitk.Image:
        array = np.zeros(image.GetSize()[::-1], np.uint8)
        array[:, :, : array.shape[2] // 2] = 1
        mask = sitk.GetImageFromArray(array)
        mask.CopyInformation(image)
        return mask

    def points(set_up: Callable[[disa.ImageRegistrationMethod], Any]) -> int:
        method = slow_method_for(small_pair, iterations=1)
        set_up(method)
        method.Execute(small_pair[0], small_pair[1])
        return method.GetMetricNumberOfValidPoints()

    whole = points(lambda m: None)
    for set_up in (
        lambda m: m.SetMetricFixedMask(half(small_pair[0])),
        lambda m: m.SetVirtualDomainFromImage(half(small_pair[0])[: small_pair[0].GetSize()[0] // 2, :, :]),
    ):
        assert 0.3 * whole < points(set_up) < 0.7 * whole


def test_labels_beyond_a_byte_are_inside_and_a_mask_has_a_place(small_pair: Pair) -> None:
    def value(label: float) -> float:
        mask = sitk.Cast(small_pair[0] > 0.0, sitk.sitkFloat32) * label
        method = slow_method_for(small_pair, iterations=1)
        method.SetMetricFixedMask(sitk.Cast(mask, sitk.sitkInt32))
        return method.MetricEvaluate(*small_pair[:2])

    assert value(1) == value(1024)  # a label of the cortex; SimpleITK's eight bits would make 0 of it
    method = slow_method_for(small_pair, iterations=1)
    method.SetMetricFixedMask(sitk.GetImageFromArray(np.ones(small_pair[0].GetSize()[::-1], np.uint8)))
    with pytest.raises(disa.ImageError, match=r"^fixed mask: has the size of the fixed image, but origin 0"):
        method.MetricEvaluate(*small_pair[:2])


def test_sampling_strategies_shrinking_and_smoothing_are_taken(pair: Pair) -> None:
    method = method_for(pair)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentagePerLevel([0.1, 0.05], seed=4)
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([2.0, 0.0])
    method.SetInterpolator(sitk.sitkBSpline)
    points: list[int] = []
    method.AddCommand(sitk.sitkIterationEvent, lambda: points.append(method.GetMetricNumberOfValidPoints()))
    result = method.Execute(pair[0], pair[1])
    assert error_of(result, pair[2]) < 3.0
    assert max(points) < 0.11 * pair[0].GetNumberOfPixels()


def test_not_in_place_the_transform_stays_and_a_composite_comes_back(pair: Pair) -> None:
    method = method_for(pair)
    transform = euler(pair[2])
    method.SetInitialTransform(transform, inPlace=False)
    result = method.Execute(pair[0], pair[1])
    assert isinstance(result, sitk.CompositeTransform) and result.GetNumberOfTransforms() == 1
    assert transform.GetParameters() == method.GetInitialTransform().GetParameters() == (0.0,) * 6
    assert error_of(result, pair[2]) < 2.5


def test_initial_transforms_are_part_of_the_way(pair: Pair) -> None:
    known = sitk.Euler3DTransform(pair[2], 0.06, -0.05, 0.08)
    moving_initial = method_for(pair)
    moving_initial.SetInitialTransform(sitk.TranslationTransform(3))
    moving_initial.SetMovingInitialTransform(known)
    found = moving_initial.Execute(pair[0], pair[1])
    assert error_of(sitk.CompositeTransform([known, found]), pair[2]) < 2.0

    fixed_initial = method_for(pair)
    fixed_initial.SetFixedInitialTransform(sitk.TranslationTransform(3, (3.0, 0.0, 0.0)))
    fixed_initial.SetInitialTransform(sitk.TranslationTransform(3, (3.0, 0.0, 0.0)))
    plain = method_for(pair)
    plain.SetInitialTransform(sitk.TranslationTransform(3))
    assert fixed_initial.MetricEvaluate(*pair[:2]) == pytest.approx(plain.MetricEvaluate(*pair[:2]), abs=0.02)


def test_commands_are_objects_or_functions_that_come_and_go(small_pair: Pair) -> None:
    class Counter(sitk.Command):
        count = 0

        def Execute(self) -> None:
            self.count += 1

    method = slow_method_for(small_pair, iterations=6)
    kept, lost = Counter(), Counter()
    late: list[int] = []
    method.AddCommand(sitk.sitkIterationEvent, kept)
    method.AddCommand(sitk.sitkIterationEvent, lost)
    del lost
    gc.collect()

    def change() -> None:
        if method.GetOptimizerIteration() == 2:
            method.AddCommand(sitk.sitkIterationEvent, lambda: late.append(method.GetOptimizerIteration()))
        if method.GetOptimizerIteration() == 4:
            method.RemoveAllCommands()

    method.AddCommand(sitk.sitkIterationEvent, change)
    method.Execute(small_pair[0], small_pair[1])
    assert kept.count == 5
    assert late[-1] in (3, 4) and late[0] in (2, 3)
    assert not method.HasCommand(sitk.sitkIterationEvent)


def test_an_exception_of_a_command_leaves_execute_and_the_method_goes_on_working(pair: Pair) -> None:
    method = method_for(pair)
    transform = euler(pair[2])
    method.SetInitialTransform(transform)

    def fail() -> None:
        if method.GetOptimizerIteration() == 2:
            raise KeyError("of mine")

    method.AddCommand(sitk.sitkIterationEvent, fail)
    with pytest.raises(KeyError, match="of mine"):
        method.Execute(pair[0], pair[1])
    assert transform.GetParameters() != (0.0,) * 6
    assert method.GetOptimizerIteration() == 2
    method.RemoveAllCommands()
    assert error_of(method.Execute(pair[0], pair[1]), pair[2]) < 2.5


def test_abort_ends_at_an_iteration_by_an_abort_event(small_pair: Pair) -> None:
    method = slow_method_for(small_pair)
    seen: list[str] = []
    for name in ("sitkAbortEvent", "sitkEndEvent", "sitkDeleteEvent"):
        method.AddCommand(EVENTS[name], lambda n=name: seen.append(n))
    method.AddCommand(sitk.sitkIterationEvent, lambda: method.GetOptimizerIteration() == 3 and method.Abort())
    with pytest.raises(disa.RegistrationError, match=r"^the registration was aborted$"):
        method.Execute(small_pair[0], small_pair[1])
    assert seen == ["sitkAbortEvent", "sitkDeleteEvent"]
    assert method.GetOptimizerIteration() == 3


ERRORS = [disa.ImageError, disa.ModelError, disa.ConfigError, KeyboardInterrupt, MemoryError]


@pytest.mark.parametrize("error", ERRORS)
def test_what_is_raised_while_the_engine_runs_the_network_arrives_as_itself(
    small_pair: Pair, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    raised = error("of the network")

    def fail(*args: Any, **kwargs: Any) -> None:
        raise raised

    feature_cache.clear()
    method = method_for(small_pair)
    for call in (method.Execute, method.MetricEvaluate):
        with monkeypatch.context() as patch:
            patch.setattr(describer, "run_network", fail)
            with pytest.raises(error) as caught:
                call(small_pair[0], small_pair[1])
        assert caught.value is raised
    method.Execute(small_pair[0], small_pair[1])


INTERRUPTED = """
import signal
import SimpleITK as sitk
import disa

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs the tests in the background ignores it
noise = sitk.AdditiveGaussianNoise(sitk.Image([24, 24, 24], sitk.sitkFloat32), 100.0, 0.0, 1)
fixed = sitk.SmoothingRecursiveGaussian(noise, 2.0)
transform = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.01, 0.0, 0.0)
method = disa.ImageRegistrationMethod()
method.SetMetricAsDISA()
method.SetOptimizerAsGradientDescent(1e-9, 10**9, 0.0, 5, method.Never)
method.SetInitialTransform(transform)
method.AddCommand(sitk.sitkIterationEvent, lambda: method.GetOptimizerIteration() == 1 and print("started", flush=True))
before = transform.GetParameters()
try:
    method.Execute(fixed, fixed)
except KeyboardInterrupt:
    assert 0 < method.GetOptimizerIteration() < 10**9 - 1
    assert method.GetCurrentLevel() == 0 and method.GetOptimizerPosition() == ()
    assert method.GetInitialTransform().GetParameters() == transform.GetParameters() != before
    print("interrupted")
"""


def test_ctrl_c_ends_a_run_between_iterations() -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        try:
            said, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (said, errors, process.returncode) == ("interrupted\n", "", 0)


def test_python_goes_on_while_a_registration_runs(small_pair: Pair) -> None:
    import threading

    method = slow_method_for(small_pair)
    stopped = threading.Event()
    method.AddCommand(sitk.sitkIterationEvent, lambda: stopped.is_set() and method.StopRegistration())
    timer = threading.Timer(0.2, stopped.set)
    timer.start()
    method.Execute(small_pair[0], small_pair[1])
    assert stopped.is_set() and method.GetOptimizerIteration() > 0


def test_another_metric_is_simpleitks_own(pair: Pair) -> None:
    fixed = blobs(0)
    outcomes = []
    for kind in (sitk.ImageRegistrationMethod, disa.ImageRegistrationMethod):
        method = kind()
        if kind is disa.ImageRegistrationMethod:
            method.SetMetricAsDISA()
        method.SetMetricAsMattesMutualInformation(24)
        method.SetNumberOfWorkUnits(1)
        method.SetInitialTransform(TRANSFORMS["Euler3D"](fixed))
        method.SetOptimizerAsRegularStepGradientDescent(0.3, 1e-3, 5)
        states: list[float] = []
        method.AddCommand(sitk.sitkIterationEvent, lambda m=method, s=states: s.append(m.GetMetricValue()))
        result = method.Execute(fixed, moved(fixed))
        outcomes.append((states, result.GetParameters(), method.GetMetricValue(), method.GetOptimizerIteration()))
        with pytest.raises(RuntimeError, match="must be the same"):
            method.Execute(fixed, sitk.Cast(fixed, sitk.sitkFloat64))
    assert outcomes[0] == outcomes[1]


def test_the_number_of_threads_changes_nothing(small_pair: Pair) -> None:
    results = set()
    for threads in (1, 2, 5):
        method = method_for(small_pair)
        method.SetNumberOfThreads(threads)
        results.add(method.Execute(small_pair[0], small_pair[1]).GetParameters())
    assert len(results) == 1


def test_it_says_what_it_is(small_pair: Pair) -> None:
    method = method_for(small_pair)
    assert "model='disa-lc2', spacing=2.0" in str(method)
    printed: list[str] = []
    method.AddCommand(sitk.sitkIterationEvent, lambda: printed.append(str(method)))
    method.Execute(small_pair[0], small_pair[1])
    assert "LBFGS2Optimizerv4Template" in printed[0]
