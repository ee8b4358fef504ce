# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

import disa
import itk
from helpers.images import rotation
from helpers.itk_metric import (
    CENTRE,
    ImageType,
    Metric,
    box,
    central_differences,
    make_transform,
    metric_of,
    reference_value,
    set_parameters,
    to_itk,
    value_and_derivative,
)
from helpers.two_sides import mask_over


def versor(rng: np.random.Generator) -> list[float]:
    axis = rng.normal(size=3)
    return (axis / np.linalg.norm(axis) * np.sin(rng.uniform(0, 0.25))).tolist()


def shift(rng: np.random.Generator) -> list[float]:
    return rng.uniform(-15, 15, 3).tolist()


def matrix(rng: np.random.Generator) -> list[float]:
    return (np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3))).ravel().tolist()


TRANSFORMS: dict[str, Callable[[np.random.Generator], list[float]]] = {
    "TranslationTransform": shift,
    "Euler3DTransform": lambda rng: [*rng.uniform(-0.4, 0.4, 3), *shift(rng)],
    "VersorRigid3DTransform": lambda rng: [*versor(rng), *shift(rng)],
    "Similarity3DTransform": lambda rng: [*versor(rng), *shift(rng), rng.uniform(0.8, 1.2)],
    "AffineTransform": lambda rng: [*matrix(rng), *shift(rng)],
    "VersorTransform": versor,
    "QuaternionRigidTransform": lambda rng: [*versor(rng), 1.0, *shift(rng)],
    "CenteredAffineTransform": lambda rng: [*matrix(rng), *CENTRE, *shift(rng)],
    "CenteredEuler3DTransform": lambda rng: [*rng.uniform(-0.4, 0.4, 3), *CENTRE, *shift(rng)],
    "FixedCenterOfRotationAffineTransform": lambda rng: [*matrix(rng), *CENTRE, *shift(rng)],
    "ScalableAffineTransform": lambda rng: [*matrix(rng), *shift(rng)],
    "ScaleTransform": lambda rng: rng.uniform(0.8, 1.2, 3).tolist(),
    "ScaleLogarithmicTransform": lambda rng: rng.uniform(-0.2, 0.2, 3).tolist(),
    "ScaleVersor3DTransform": lambda rng: [*versor(rng), *shift(rng), *rng.uniform(0.8, 1.2, 3)],
    "ComposeScaleSkewVersor3DTransform": lambda rng: [
        *versor(rng),
        *shift(rng),
        *rng.uniform(0.8, 1.2, 3),
        *rng.uniform(-0.1, 0.1, 3),
    ],
    "ScaleSkewVersor3DTransform": lambda rng: [
        *versor(rng),
        *shift(rng),
        *rng.uniform(0.8, 1.2, 3),
        *rng.uniform(-0.1, 0.1, 6),
    ],
}


@pytest.mark.parametrize("quantized", [False, True], ids=["float", "int8"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_derivative_is_the_values_slope(make_features, name: str, quantized: bool) -> None:
    fixed = make_features(seed=1, quantized=quantized)
    moving = make_features((26, 25, 24), seed=2, quantized=quantized, spacing=4.3, direction=rotation(5, -8, 3))
    transform = make_transform(name)
    metric = metric_of(fixed, moving, transform)
    rng = np.random.default_rng(3)
    identity = list(transform.GetParameters())
    for parameters in [identity] + [TRANSFORMS[name](rng) for _ in range(20)]:
        set_parameters(transform, parameters)
        expected = central_differences(metric, transform)
        _, derivative = value_and_derivative(metric)
        assert np.linalg.norm(derivative - expected) < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_derivative_at_identity_on_one_common_grid(make_features, name: str) -> None:
    """Every point lies on a cell, where the blend has a kink."""
    fixed, moving = make_features(seed=1, quantized=False), make_features(seed=2, quantized=False)
    transform = make_transform(name)
    metric = metric_of(fixed, moving, transform)
    expected = central_differences(metric, transform)
    _, derivative = value_and_derivative(metric)
    assert np.linalg.norm(derivative - expected) < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("quantized", [False, True], ids=["float", "int8"])
def test_the_value_is_equation_2(make_features, quantized: bool) -> None:
    fixed = make_features((6, 7, 8), seed=1, quantized=quantized)
    moving = make_features((13, 12, 14), seed=1, quantized=quantized, spacing=4.0, direction=rotation(5, -8, 3))
    transform = make_transform("Euler3DTransform")
    metric = metric_of(fixed, moving, transform)
    for parameters in ([0.0] * 6, [0.1, -0.2, 0.05, 4.0, -7.0, 2.5], [0.0, 0.0, 0.0, 30.0, 0.0, 0.0]):
        set_parameters(transform, parameters)
        assert metric.GetValue() == pytest.approx(reference_value(fixed, moving, transform), rel=1e-5)


def test_int8_is_within_one_percent_of_float(image: sitk.Image) -> None:
    transform = make_transform("Euler3DTransform")
    transform.SetCenter(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
    metrics = [
        metric_of(
            disa.extract_features(image, quantize=quantize),
            disa.extract_features(image, stride=2, quantize=quantize),
            transform,
        )
        for quantize in (True, False)
    ]
    rng = np.random.default_rng(0)
    best = abs(metrics[1].GetValue())
    for _ in range(20):
        set_parameters(transform, [*rng.uniform(-0.1, 0.1, 3), *rng.uniform(-6, 6, 3)])
        quantized, exact = (m.GetValue() for m in metrics)
        assert abs(quantized - exact) < 0.01 * max(abs(exact), 0.1 * best)


def test_results_do_not_depend_on_the_work_units(make_features) -> None:
    transform = make_transform("AffineTransform")
    metric = metric_of(make_features((24, 24, 24)), make_features((24, 24, 24), seed=4), transform)
    set_parameters(transform, TRANSFORMS["AffineTransform"](np.random.default_rng(0)))
    results = []
    for units in (1, 2, 3, 16):
        metric.SetMaximumNumberOfWorkUnits(units)
        assert metric.GetMaximumNumberOfWorkUnits() == units
        value, derivative = value_and_derivative(metric)
        results.append((value, *derivative))
    assert len(set(results)) == 1


def test_losing_overlap_never_pays_and_the_border_is_continuous(make_features) -> None:
    features = make_features(seed=5)
    transform = make_transform("TranslationTransform")
    metric = metric_of(features, features, transform)
    values = []
    for x in np.arange(0.0, 140.0, 0.5):
        set_parameters(transform, [x, 0.0, 0.0])
        values.append(metric.GetValue())
    assert values[0] == min(values)
    assert values[-1] == 0.0 and metric.GetNumberOfValidPoints() == 0
    assert np.abs(np.diff(values)).max() < 0.1 * abs(values[0])
    _, derivative = value_and_derivative(metric)
    assert not derivative.any()


def test_a_composite_optimises_its_last_transform_only(make_features) -> None:
    fixed, moving = make_features(seed=1), make_features(seed=2, direction=rotation(0, 4, 9))
    before = make_transform("AffineTransform")
    set_parameters(before, TRANSFORMS["AffineTransform"](np.random.default_rng(8)))
    last = make_transform("Euler3DTransform")
    composite = itk.CompositeTransform[itk.D, 3].New()
    composite.AddTransform(before)
    composite.AddTransform(last)
    composite.SetOnlyMostRecentTransformToOptimizeOn()
    metric = metric_of(fixed, moving, composite)
    set_parameters(last, [0.1, 0.05, -0.2, 3.0, 1.0, -2.0])
    _, derivative = value_and_derivative(metric)
    expected = central_differences(metric, last)
    assert derivative.shape == (6,)
    assert np.linalg.norm(derivative - expected) < 1e-3 * np.linalg.norm(expected)


def test_a_fixed_transform_moves_the_samples(make_features) -> None:
    """Fixed points seen through F from virtual points v: the moving point is M(v), v = F^-1(p)."""
    fixed, moving = make_features(seed=1), make_features(seed=2)
    towards, onwards = make_transform("Euler3DTransform"), make_transform("Euler3DTransform")
    set_parameters(towards, [0.1, 0.0, -0.05, 3.0, -2.0, 1.0])
    set_parameters(onwards, [0.0, 0.2, 0.0, 1.0, 4.0, -3.0])
    whole = itk.CompositeTransform[itk.D, 3].New()
    whole.AddTransform(onwards)
    whole.AddTransform(towards.GetInverseTransform())
    expected = metric_of(fixed, moving, whole).GetValue()

    metric = Metric.New()
    metric.SetFixedImage(box(fixed))
    metric.SetMovingImage(box(moving))
    metric.SetFixedFeatures(fixed)
    metric.SetMovingFeatures(moving)
    metric.SetFixedTransform(towards)
    metric.SetMovingTransform(onwards)
    metric.SetVirtualDomain([100.0] * 3, [-1000.0] * 3, itk.matrix_from_array(np.eye(3)), region(30))
    metric.Initialize()
    assert metric.GetValue() == pytest.approx(expected, rel=1e-6)


def region(size: int) -> Any:
    result = itk.ImageRegion[3]()
    result.SetSize([size] * 3)
    return result


def test_masks_take_cells_away(make_features) -> None:
    features = make_features(seed=6)
    half = np.zeros(features.weights.shape, bool)
    half[:, :, :7] = True
    transform = make_transform("TranslationTransform")
    metric = metric_of(features, features, transform)
    metric.GetValue()
    everything = metric.GetNumberOfValidPoints()
    metric.SetFixedImageMask(mask_over(features, half))
    metric.Initialize()
    masked_fixed = metric.GetValue()
    assert metric.GetNumberOfValidPoints() == half.sum() < everything
    metric.SetFixedImageMask(None)
    metric.SetMovingImageMask(mask_over(features, half))
    metric.Initialize()
    masked_moving = metric.GetValue()
    share = features.weights[half].sum() / features.weights.sum()
    assert masked_moving == pytest.approx(masked_fixed * share, rel=1e-5)


def test_the_border_of_a_moving_mask_is_continuous(make_features) -> None:
    features = make_features(seed=5)
    half = np.zeros(features.weights.shape, bool)
    half[:, :, :7] = True
    transform = make_transform("TranslationTransform")
    metric = metric_of(features, features, transform)
    metric.SetMovingImageMask(mask_over(features, half))
    metric.Initialize()
    values = []
    for x in np.arange(-8.0, 8.0, 0.25):
        set_parameters(transform, [x, 0.0, 0.0])
        values.append(metric.GetValue())
        _, derivative = value_and_derivative(metric)
        expected = central_differences(metric, transform)
        assert np.linalg.norm(derivative - expected) < 1e-3 * np.linalg.norm(expected)
    assert np.abs(np.diff(values)).max() < 0.05 * abs(min(values))


def test_a_mask_that_leaves_nothing_is_an_error(make_features) -> None:
    features = make_features()
    metric = metric_of(features, features, make_transform("TranslationTransform"))
    metric.SetFixedImageMask(mask_over(features, np.zeros(features.weights.shape, bool)))
    with pytest.raises(disa.RegistrationError, match="fixed mask"):
        metric.Initialize()


def test_sampled_points_at_the_cells_are_the_cells(make_features) -> None:
    features = make_features((5, 6, 7), seed=7)
    moving = make_features(seed=8)
    transform = make_transform("TranslationTransform")
    dense = metric_of(features, moving, transform).GetValue()
    points = itk.PointSet[itk.F, 3].New()
    frame = np.asarray(features.direction).reshape(3, 3) * features.spacing
    for i, (z, y, x) in enumerate(np.ndindex(*features.weights.shape)):
        points.SetPoint(i, (frame @ (x, y, z) + features.origin).tolist())
    metric = metric_of(features, moving, transform)
    metric.SetFixedSampledPointSet(points)
    metric.SetUseSampledPointSet(True)
    metric.Initialize()
    assert metric.GetValue() == pytest.approx(dense, rel=1e-4)


def test_images_without_overlap_are_an_error(image: sitk.Image) -> None:
    far = sitk.Image(image)
    far.SetOrigin((1e4, 0.0, 0.0))
    metric = Metric.New(FixedImage=to_itk(image), MovingImage=to_itk(far))
    with pytest.raises(disa.RegistrationError, match="do not overlap") as caught:
        metric.Initialize()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            lambda m: m.SetFixedImage(itk.image_from_array(np.full((9, 9, 9), 3, np.float32))),
            "^fixed image: every voxel is 3",
        ),
        (
            lambda m: m.SetMovingImage(itk.image_from_array(np.full((9, 9, 9), np.nan, np.float32))),
            "^moving image: .*NaN",
        ),
        (
            lambda m: m.SetMovingImage(itk.image_from_array(np.zeros((1, 9, 9), np.float32))),
            "2 slices or more",
        ),
        (lambda m: m.SetMovingImage(_without_pixels()), "^moving image: has no pixels"),
        (lambda m: m.SetMovingTransform(None), "MovingTransform is not present"),
        (lambda m: m.SetModel("/nowhere/net.onnx"), "no such model file"),
        (lambda m: m.SetExecutionProviders(["NoSuchProvider"]), "NoSuchProvider"),
        (
            lambda m: m.SetMovingTransform(itk.ThinPlateSplineKernelTransform[itk.D, 3].New()),
            "displacement field and probe pressure transforms",
        ),
        (lambda m: m.SetMovingTransform(_flat()), "invertible"),
        (lambda m: m.SetFixedImage(None), "FixedImage is not present"),
    ],
)
def test_what_cannot_be_registered_is_refused_in_one_line(
    image: sitk.Image, spoil: Callable[[Any], None], expected: str
) -> None:
    metric = Metric.New(FixedImage=to_itk(image), MovingImage=to_itk(image))
    spoil(metric)
    with pytest.raises(disa.RegistrationError, match=expected) as caught:
        metric.Initialize()
    assert "\n" not in str(caught.value)


def test_a_metric_without_images_is_refused_in_one_line() -> None:
    metric = Metric.New()
    with pytest.raises(disa.RegistrationError, match="FixedImage is not present"):
        metric.Initialize()
    for evaluate in (metric.GetValue, lambda: metric.GetDerivative(itk.Array[itk.D](6))):
        with pytest.raises(RuntimeError, match=r"^DISAImageToImageMetricv4 has no samples yet; ") as caught:
            evaluate()
        assert "\n" not in str(caught.value)


def _without_pixels() -> Any:
    image = ImageType.New()
    image.SetRegions([9, 9, 9])
    return image


def _flat() -> Any:
    transform = itk.AffineTransform[itk.D, 3].New()
    set_parameters(transform, [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    return transform


@pytest.mark.parametrize(
    ("setter", "value"),
    [
        ("SetVoxelSpacing", 0.0),
        ("SetVoxelSpacing", float("nan")),
        ("SetReorientationAngle", -1.0),
        ("SetFeatureSmoothing", -1.0),
    ],
)
def test_settings_out_of_range_are_refused(setter: str, value: float) -> None:
    with pytest.raises(ValueError, match=setter):
        getattr(Metric.New(), setter)(value)


def test_two_networks_do_not_mix(make_features) -> None:
    one, other = make_features(network="0000beef"), make_features(network="220505fa")
    with pytest.raises(disa.RegistrationError, match=r"of two networks \(0000beef and 220505fa\)") as caught:
        metric_of(one, other, make_transform("TranslationTransform"))
    assert "\n" not in str(caught.value)
    for same in (one, make_features()):
        metric_of(one, same, make_transform("TranslationTransform"))


def test_float_and_int8_do_not_mix(make_features) -> None:
    with pytest.raises(disa.RegistrationError, match="quantise both or neither"):
        metric_of(make_features(), make_features(quantized=False), make_transform("TranslationTransform"))


def test_float_and_double_images_give_the_same(image: sitk.Image) -> None:
    values = []
    for pixel, kind in ((np.float32, itk.F), (np.float64, itk.D)):
        pixel_image = to_itk(image, pixel)
        images = itk.Image[kind, 3]
        metric = itk.DISAImageToImageMetricv4[images, images].New(
            FixedImage=pixel_image, MovingImage=pixel_image, FeatureSmoothing=0.0
        )
        metric.Initialize()
        values.append(metric.GetValue())
    assert values[0] == pytest.approx(values[1], rel=1e-4)
    assert values[0] < -0.2


def test_what_the_wheel_calls_reaches_our_virtual_functions(make_features) -> None:
    """Its proxy calls late slots of our vtable; another layout would answer nonsense or crash."""
    metric = metric_of(make_features(), make_features(), make_transform("AffineTransform"))
    assert metric.GetNameOfClass() == "DISAImageToImageMetricv4"
    assert metric.GetFloatingPointCorrectionResolution() == 1e6
    assert metric.GetNumberOfSkippedFixedSampledPoints() == 0
    assert metric.GetNumberOfParameters() == 12
    assert not metric.HasLocalSupport()
    assert "ReorientationAngle: 3 degrees" in str(metric)


def test_the_object_lives_as_long_as_somebody_holds_it(make_features) -> None:
    metric = metric_of(make_features(), make_features(), make_transform("TranslationTransform"))
    assert metric.GetReferenceCount() == 1
    method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(Metric=metric)
    assert metric.GetReferenceCount() == 2
    held = method.GetMetric()
    del metric
    assert np.isfinite(itk.down_cast(held).GetReferenceCount())
