from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from itk_helpers import ImageType, Metric, make_transform, set_parameters, to_itk
from test_deformable import b_spline, composite, field

import disa
import itk
from disa.core import FeatureVolume, _core


def gaussian_matrix(count: int, sigma: float) -> np.ndarray:
    """What one axis of `count` cells is multiplied with; beyond the ends lie zeros."""
    offset = np.arange(count)[:, None] - np.arange(count)
    wide = np.arange(-np.ceil(4 * sigma), np.ceil(4 * sigma) + 1)
    kernel = np.exp(-0.5 * (offset / sigma) ** 2) * (np.abs(offset) <= wide[-1])
    return kernel / np.exp(-0.5 * (wide / sigma) ** 2).sum()


def widened(descriptors: np.ndarray, sigmas: tuple[float, float, float]) -> np.ndarray:
    """Descriptors (z, y, x, channels) under the kernel, sigmas in cells."""
    result = np.zeros_like(descriptors)
    for share, ratio in ((0.15, 1 / 8), (0.85, 1.0)):
        z, y, x = (gaussian_matrix(n, ratio * s) for n, s in zip(descriptors.shape, sigmas, strict=False))
        result += share * np.einsum("zZ,yY,xX,ZYXc->zyxc", z, y, x, descriptors, optimize=True)
    return result


def features_of(descriptors: np.ndarray, spacing: tuple[float, float, float]) -> FeatureVolume:
    weights = np.ones(descriptors.shape[:3], np.float32)
    return FeatureVolume(
        data=descriptors, scale=1.0, weights=weights, origin=(0, 0, 0), spacing=spacing, direction=np.eye(3).ravel()
    )


@pytest.mark.parametrize("sigma", [2.0, 9.0, 40.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 12, 7), (9, 3, 40)])
def test_smoothing_is_two_gaussians_in_mm_along_each_axis(shape: tuple[int, int, int], sigma: float) -> None:
    descriptors = np.random.default_rng(1).normal(size=(*shape, 16)).astype(np.float32)
    x, y, z = spacing = (2.0, 4.0, 3.0)
    everywhere = _core.Frame((1, 1, 1), (0, 0, 0), (1e4, 1e4, 1e4), np.eye(3).ravel())
    smooth = _core.widen(features_of(descriptors, spacing), everywhere, sigma)
    np.testing.assert_allclose(smooth.data, widened(descriptors, (sigma / z, sigma / y, sigma / x)), atol=2e-6)


def test_descriptors_outside_the_image_stay_zero() -> None:
    descriptors = np.ones((8, 8, 8, 16), np.float32)
    image = _core.Frame((4, 8, 8), (0, 0, 0), (2, 2, 2), np.eye(3).ravel())
    smooth = _core.widen(features_of(descriptors, (2.0, 2.0, 2.0)), image, 6.0)
    assert np.all(smooth.data[..., :4, :] > 0)
    assert np.all(smooth.data[..., 4:, :] == 0)


def test_extracted_descriptors_are_smoothed_in_mm(image: sitk.Image) -> None:
    plain = disa.extract_features(image, spacing=3.0, stride=2, quantize=False)
    smooth = disa.extract_features(image, spacing=3.0, stride=2, smoothing=9.0, quantize=False)
    inside = np.abs(plain.data).max(axis=-1, keepdims=True) > 0
    np.testing.assert_allclose(smooth.data, widened(plain.data, (1.5, 1.5, 1.5)) * inside, atol=1e-6)
    np.testing.assert_array_equal(smooth.weights, plain.weights)


def test_smooth_int8_descriptors_are_the_float_ones_within_half_a_step(image: sitk.Image) -> None:
    exact = disa.extract_features(image, stride=2, smoothing=12.0, quantize=False)
    coarse = disa.extract_features(image, stride=2, smoothing=12.0)
    # Half a step of each of the two roundings; a mean of many of the first shrinks, but not at its bound.
    first = disa.extract_features(image, stride=2).scale
    assert np.abs(coarse.data * coarse.scale - exact.data).max() <= 0.5 * (first + coarse.scale) + 1e-6


@pytest.mark.parametrize("smoothing", [-1.0, float("nan"), float("inf")])
def test_a_smoothing_below_zero_is_refused(image: sitk.Image, smoothing: float) -> None:
    with pytest.raises(disa.ImageError, match=r"^smoothing: expected 0 mm or more"):
        disa.extract_features(image, smoothing=smoothing)


@pytest.mark.parametrize("voxels", [12.0, 0.0])
def test_the_metric_smooths_the_moving_descriptors_only(image: sitk.Image, voxels: float) -> None:
    metric = Metric.New(FixedImage=to_itk(image), MovingImage=to_itk(image), FeatureSpacing=2.0)
    assert metric.GetFeatureSmoothing() == 12.0
    metric.SetFeatureSmoothing(voxels)
    metric.Initialize()
    fixed, moving = metric.GetFixedFeatures(), metric.GetMovingFeatures()
    np.testing.assert_array_equal(fixed.data, disa.extract_features(image, spacing=2.0, stride=4).data)
    spacing = moving.spacing[0] / 2
    expected = disa.extract_features(image, spacing=spacing, stride=2, smoothing=2.0 * voxels)
    np.testing.assert_array_equal(moving.data, expected.data)


def test_each_further_level_halves_the_smoothing_and_a_new_registration_starts_wide(image: sitk.Image) -> None:
    fixed = to_itk(image)
    metric = Metric.New()
    for _ in range(2):
        by_level: dict[int, float] = {}
        transform = itk.Euler3DTransform[itk.D].New()
        set_parameters(transform, [0.02, 0.0, 0.0, 3.0, -2.0, 0.0])
        optimizer = itk.LBFGS2Optimizerv4Template[itk.D].New(MaximumIterations=5)
        method = itk.ImageRegistrationMethodv4[ImageType, ImageType].New(
            FixedImage=fixed, MovingImage=fixed, Metric=metric, Optimizer=optimizer, InitialTransform=transform
        )
        method.SetNumberOfLevels(3)
        method.SetShrinkFactorsPerLevel([1] * 3)
        method.SetSmoothingSigmasPerLevel([0] * 3)
        method.InPlaceOn()

        def record(method: Any = method, by_level: dict[int, float] = by_level) -> None:
            by_level[int(method.GetCurrentLevel())] = metric.GetCurrentFeatureSmoothing()

        optimizer.AddObserver(itk.StartEvent(), record)
        method.Update()
        assert by_level == {0: 12.0, 1: 6.0, 2: 3.0}


RIGID = (
    "TranslationTransform",
    "Euler3DTransform",
    "CenteredEuler3DTransform",
    "VersorTransform",
    "VersorRigid3DTransform",
)
SCALING = (
    "ScaleTransform",
    "ScaleLogarithmicTransform",
    "Similarity3DTransform",
    "ScaleVersor3DTransform",
    "ScaleSkewVersor3DTransform",
    "ComposeScaleSkewVersor3DTransform",
    "AffineTransform",
    "CenteredAffineTransform",
)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        *((lambda name=name: make_transform(name), 12.0) for name in RIGID),
        *((lambda name=name: make_transform(name), 0.0) for name in SCALING),
        (b_spline, 0.0),
        (field, 0.0),
        (lambda: composite(make_transform("AffineTransform"), make_transform("Euler3DTransform")), 12.0),
        (lambda: composite(make_transform("Euler3DTransform"), make_transform("AffineTransform")), 0.0),
    ],
    ids=[*RIGID, *SCALING, "BSpline", "field", "rigid before affine", "affine before rigid"],
)
def test_transforms_that_may_scale_or_deform_are_not_smoothed_unless_asked(
    make: Callable[[], Any], expected: float
) -> None:
    transform = make()
    if "Matrix" in dir(transform):  # at a turn, too
        set_parameters(transform, np.array(list(transform.GetParameters())) + 0.05)
    metric = Metric.New(MovingTransform=transform)
    assert metric.GetFeatureSmoothing() == expected
    metric.SetFeatureSmoothing(5.0)
    assert metric.GetFeatureSmoothing() == 5.0


def test_only_an_optimiser_starts_a_further_level(image: sitk.Image) -> None:
    transform = itk.Euler3DTransform[itk.D].New()
    metric = Metric.New(FixedImage=to_itk(image), MovingImage=to_itk(image), MovingTransform=transform)
    metric.Initialize()
    value = metric.GetValue()
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 12.0
    assert metric.GetValue() == value

    metric.SetParameters(transform.GetParameters())
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 6.0
    assert metric.GetValue() < value  # a narrower kernel, a sharper optimum

    metric.SetParameters(transform.GetParameters())
    set_parameters(transform, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 12.0

    metric.SetParameters(transform.GetParameters())
    metric.SetFeatureSmoothing(8.0)
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 8.0

    metric.SetParameters(transform.GetParameters())
    metric.SetMovingImage(to_itk(image + 1.0))
    metric.Initialize()
    assert metric.GetCurrentFeatureSmoothing() == 8.0
