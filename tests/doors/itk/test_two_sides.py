# SPDX-License-Identifier: Apache-2.0
"""ITK's metric compares both ways: its value against numpy, its derivative against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import disa
import itk
from helpers.images import rotation
from helpers.itk_chains import b_spline
from helpers.itk_metric import central_differences, make_transform, set_parameters, value_and_derivative
from helpers.two_sides import centred, composed, inverse, map_of, mask_over, metric_over, term

POSE = [0.1, -0.15, 0.05, 6.0, -9.0, 4.0]


@pytest.fixture
def volumes(make_features) -> tuple[disa.FeatureVolume, disa.FeatureVolume]:
    place = {"spacing": 7.1, "origin": (9.0, -13.0, 4.0), "direction": rotation(5, -8, 3)}
    return make_features(seed=1, quantized=False), make_features((12, 13, 16), seed=2, quantized=False, **place)


def half_of(features: disa.FeatureVolume, *, upper: bool) -> np.ndarray:
    inside = np.zeros(features.weights.shape, bool)
    middle = inside.shape[2] // 2
    inside[:, :, middle:] = upper
    inside[:, :, :middle] = not upper
    return inside


@pytest.mark.parametrize("masks", ["none", "fixed", "moving", "both"])
@pytest.mark.parametrize("with_fixed_transform", [False, True])
def test_the_value_is_the_formula_of_the_docs(volumes, masks: str, with_fixed_transform: bool) -> None:
    fixed, moving = volumes
    transform, towards = make_transform("Euler3DTransform"), make_transform("Euler3DTransform")
    set_parameters(transform, POSE)
    metric = metric_over(fixed, moving, MovingTransform=transform)
    if with_fixed_transform:
        set_parameters(towards, [0.05, 0.0, -0.1, 3.0, 2.0, -4.0])
        metric.SetFixedTransform(towards)
        region = itk.ImageRegion[3]()
        region.SetSize([30] * 3)
        metric.SetVirtualDomain([100.0] * 3, [-1000.0] * 3, itk.matrix_from_array(np.eye(3)), region)
    seen = [np.ones(volume.weights.shape, bool) for volume in volumes]
    if masks in ("fixed", "both"):
        seen[0] = half_of(fixed, upper=False)
        metric.SetFixedImageMask(mask_over(fixed, seen[0]))
    if masks in ("moving", "both"):
        seen[1] = half_of(moving, upper=False)
        metric.SetMovingImageMask(mask_over(moving, seen[1]))
    metric.Initialize()

    fixed_data, moving_data = (
        centred(volume) * inside[..., None] for volume, inside in zip(volumes, seen, strict=True)
    )
    fixed_weights, moving_weights = (v.weights * inside for v, inside in zip(volumes, seen, strict=True))
    count = (np.count_nonzero(fixed_weights) + 1) // 2
    there = composed(map_of(transform), inverse(map_of(towards)))
    forward = term(fixed, fixed_data, fixed_weights, count, moving, moving_data, there)
    backward = term(moving, moving_data, moving_weights, count, fixed, fixed_data, inverse(there))
    assert forward != pytest.approx(backward, rel=0.05)
    assert metric.GetValue() == pytest.approx((forward + backward) / 2, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "name", ["TranslationTransform", "Euler3DTransform", "VersorRigid3DTransform", "AffineTransform"]
)
def test_the_derivative_is_the_slope_of_both_terms(volumes, name: str, masked: bool) -> None:
    fixed, moving = volumes
    transform, towards = make_transform(name), make_transform("Euler3DTransform")
    set_parameters(towards, [0.05, 0.0, -0.1, 3.0, 2.0, -4.0])
    metric = metric_over(fixed, moving, MovingTransform=transform, FixedTransform=towards)
    if masked:
        metric.SetFixedImageMask(mask_over(fixed, half_of(fixed, upper=False)))
        metric.SetMovingImageMask(mask_over(moving, half_of(moving, upper=False)))
    metric.Initialize()
    rng = np.random.default_rng(3)
    start = np.array(list(transform.GetParameters()))
    for _ in range(6):  # some of these take samples across borders and masks
        turned = 0.08 * rng.normal(size=len(start)) * (np.arange(len(start)) < len(start) - 3)
        shifted = rng.uniform(-25, 25, len(start)) * (np.arange(len(start)) >= len(start) - 3)
        set_parameters(transform, start + turned + shifted)
        expected = central_differences(metric, transform)
        _, derivative = value_and_derivative(metric)
        assert np.linalg.norm(derivative - expected) < 1e-3 * np.linalg.norm(expected)


def test_the_roles_may_be_exchanged(make_features) -> None:
    one, other = make_features((12, 12, 12), seed=1), make_features((12, 12, 12), seed=2, direction=rotation(4, 0, 7))
    transform, back = make_transform("AffineTransform"), make_transform("AffineTransform")
    set_parameters(transform, [*(rotation(6, 2, -9) * 1.1).ravel(), 4.0, -3.0, 8.0])
    transform.GetInverse(back)
    values = []
    for fixed, moving, used in ((one, other, transform), (other, one, back)):
        metric = metric_over(fixed, moving, MovingTransform=used)
        metric.Initialize()
        values.append(metric.GetValue())
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_under_the_widest_kernel_descriptors_keep_their_mean(volumes) -> None:
    """There any overlap pays, so images that hardly touch are drawn together; less their mean they are not."""
    fixed, moving = (volume.replaced(data=0.5 * volume.data + np.float32(0.1)) for volume in volumes)
    values = []
    for smoothing in (24.0, 23.9):
        metric = metric_over(fixed, moving, VoxelSpacing=2.0, FeatureSmoothing=smoothing)
        metric.Initialize()
        values.append(metric.GetValue())
    assert values[0] < -0.05 < 4 * values[1]


def sampled(fixed: disa.FeatureVolume, metric: Any) -> None:
    points = itk.PointSet[itk.F, 3].New()
    axes = np.reshape(fixed.direction, (3, 3)) * fixed.spacing
    for number, (z, y, x) in enumerate(np.ndindex(*fixed.weights.shape)):
        points.SetPoint(number, (axes @ (x, y, z) + fixed.origin).tolist())
    metric.SetFixedSampledPointSet(points)
    metric.SetUseSampledPointSet(True)


@pytest.mark.parametrize("why", ["sampled points", "B-spline", "given fixed", "given moving"])
def test_what_compares_one_way_takes_every_fixed_sample(volumes, why: str) -> None:
    fixed, moving = volumes
    metric = metric_over(fixed, moving)
    if why == "sampled points":
        sampled(fixed, metric)
    elif why == "B-spline":
        metric.SetMovingTransform(b_spline())
    elif why == "given fixed":
        metric.SetFixedFeatures(fixed)
    else:
        metric.SetMovingFeatures(moving)
    metric.Initialize()
    data = [v.data * float(v.scale) for v in volumes] if "given" in why else [centred(v) for v in volumes]
    there = (np.eye(3), np.zeros(3))
    expected = term(fixed, data[0], fixed.weights, fixed.weights.size, moving, data[1], there)
    assert metric.GetValue() == pytest.approx(expected, rel=1e-4)


def test_results_do_not_depend_on_the_work_units(make_features) -> None:
    transform = make_transform("AffineTransform")
    metric = metric_over(make_features((24, 24, 24)), make_features((24, 24, 24), seed=4), MovingTransform=transform)
    metric.Initialize()
    set_parameters(transform, [*rotation(5, 3, -4).ravel(), 3.0, 2.0, 1.0])
    results = set()
    for units in (1, 2, 3, 16):
        metric.SetMaximumNumberOfWorkUnits(units)
        value, derivative = value_and_derivative(metric)
        results.add((value, derivative.tobytes()))
    assert len(results) == 1


def test_a_moving_mask_that_leaves_nothing_is_an_error(volumes) -> None:
    fixed, moving = volumes
    metric = metric_over(fixed, moving)
    metric.SetMovingImageMask(mask_over(moving, np.zeros(moving.weights.shape, bool)))
    with pytest.raises(disa.RegistrationError, match="moving mask") as caught:
        metric.Initialize()
    assert "\n" not in str(caught.value)


def test_a_small_moving_image_in_a_large_fixed_one_is_no_little_overlap(make_features, capfd) -> None:
    fixed, moving = make_features((24, 24, 24)), make_features((6, 6, 6), origin=(83.0, 60.0, 91.0))
    metric_over(fixed, moving).Initialize()
    assert "overlap by" not in capfd.readouterr().err
