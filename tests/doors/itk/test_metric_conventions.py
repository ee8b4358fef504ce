# SPDX-License-Identifier: Apache-2.0
"""What users of ITK's own metrics are used to."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import disa
import itk
from helpers.itk_chains import b_spline, deformable_metric, field, volumes
from helpers.itk_metric import ImageType, Metric, make_transform, metric_of, set_parameters, value_and_derivative


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


@pytest.mark.parametrize("name", ["Euler3DTransform", "AffineTransform"])
def test_value_and_derivative_come_in_one_call(make_features, name: str) -> None:
    transform = make_transform(name)
    metric = metric_of(make_features(seed=1), make_features(seed=2), transform)
    value, derivative = metric.GetValueAndDerivative()
    assert value == metric.GetValue() != 0.0
    assert isinstance(derivative, np.ndarray) and derivative.dtype == np.float64
    np.testing.assert_array_equal(derivative, value_and_derivative(metric)[1])
    derivative[:] = 0.0  # an array of its own
    assert metric.GetValueAndDerivative()[1].any()


def test_value_and_derivative_of_a_metric_without_images_are_refused() -> None:
    with pytest.raises(disa.RegistrationError, match=r"call Initialize first$"):
        Metric.New().GetValueAndDerivative()


def test_what_itks_own_signature_refuses_it_still_refuses(make_features) -> None:
    metric = metric_of(make_features(), make_features(), make_transform("Euler3DTransform"))
    with pytest.raises(TypeError, match="double &"):
        metric.GetValueAndDerivative(0.0, itk.Array[itk.D](6))


@pytest.mark.parametrize(
    ("types", "got"),
    [
        (lambda: (itk.Image[itk.F, 2],) * 2, r"got \[itk.Image\[itk.F,2\], itk.Image\[itk.F,2\]\]"),
        (lambda: (itk.Image[itk.SS, 3],) * 2, r"got \[itk.Image\[itk.SS,3\], itk.Image\[itk.SS,3\]\]"),
        (lambda: (itk.Image[itk.F, 3], itk.Image[itk.D, 3]), r"got \[itk.Image\[itk.F,3\], itk.Image\[itk.D,3\]\]"),
        (lambda: itk.Image[itk.F, 3], r"got \[itk.Image\[itk.F,3\]\]"),
        (lambda: (int, 3), r"got \[int, "),
    ],
)
def test_image_types_that_there_are_not_are_refused_in_one_line(types: Callable[[], Any], got: str) -> None:
    expected = r"^itk.DISAImageToImageMetricv4: expected the types \[itk.Image\[itk.F,3\], itk.Image\[itk.F,3\]\] or "
    with pytest.raises(TypeError, match=expected) as caught:
        itk.DISAImageToImageMetricv4[types()]
    assert re.search(got, str(caught.value)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SetFixedImage", lambda: itk.Image[itk.SS, 3].New()),
        ("SetMovingImage", lambda: itk.Image[itk.F, 2].New()),
        ("SetMovingImage", lambda: "ct.nii.gz"),
        ("SetVirtualDomainFromImage", lambda: itk.Image[itk.D, 3].New()),
        ("SetFixedImageMask", lambda: itk.Image[itk.UC, 3].New()),
        ("SetMovingImageMask", lambda: itk.EllipseSpatialObject[2].New()),
        ("SetFixedTransform", lambda: itk.AffineTransform[itk.D, 2].New()),
        ("SetMovingTransform", lambda: itk.Image[itk.F, 3].New()),
        ("SetFixedSampledPointSet", lambda: itk.PointSet[itk.F, 2].New()),
    ],
)
def test_objects_of_a_wrong_type_are_refused_in_one_line(name: str, value: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=f"^{name}: expected .*; got ") as caught:
        getattr(Metric.New(), name)(value())
    assert "\n" not in str(caught.value)


def test_a_filters_output_is_an_image() -> None:
    cast = itk.CastImageFilter[itk.Image[itk.SS, 3], ImageType].New(itk.image_from_array(np.ones((4, 4, 4), np.int16)))
    metric = Metric.New(FixedImage=cast, MovingImage=cast.GetOutput())
    assert metric.GetFixedImage() == metric.GetMovingImage() == cast.GetOutput()


@pytest.mark.parametrize("name", ["SetFixedStride", "SetMovingStride"])
@pytest.mark.parametrize("stride", [0, -2, 3, 8])
def test_a_stride_that_no_network_has_is_refused(name: str, stride: int) -> None:
    with pytest.raises(disa.RegistrationError, match=rf"^{name}: expected 4, 2 or 1 voxels, got {stride}$"):
        getattr(Metric.New(), name)(stride)
