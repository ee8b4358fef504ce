from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from itk_helpers import Metric, to_itk

import disa
from disa.core import _core
from disa.smoothing import widen


def gaussian_matrix(count: int, sigma: float) -> np.ndarray:
    """What one axis of `count` cells is multiplied with; beyond the ends lie zeros."""
    offset = np.arange(count)[:, None] - np.arange(count)
    wide = np.arange(-np.ceil(4 * sigma), np.ceil(4 * sigma) + 1)
    kernel = np.exp(-0.5 * (offset / sigma) ** 2) * (np.abs(offset) <= wide[-1])
    return kernel / np.exp(-0.5 * (wide / sigma) ** 2).sum()


@pytest.mark.parametrize("sigma", [0.3, 1.0, 1.67, 5.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 12, 7), (9, 3, 40)])
def test_smoothing_is_a_gaussian_along_each_axis(shape: tuple[int, int, int], sigma: float) -> None:
    descriptors = np.random.default_rng(1).normal(size=(*shape, 16)).astype(np.float32)
    z, y, x = (gaussian_matrix(n, sigma) for n in shape)
    expected = np.einsum("zZ,yY,xX,ZYXc->zyxc", z, y, x, descriptors, optimize=True)
    before = descriptors.copy()
    np.testing.assert_allclose(_core.smooth_descriptors(descriptors, sigma), expected, atol=1e-6)
    np.testing.assert_array_equal(descriptors, before)


def test_the_kernel_has_a_wide_and_a_narrow_part_of_sum_one() -> None:
    point = np.zeros((41, 41, 41, 1), np.float32)
    point[20, 20, 20] = 1.0
    response = widen(point, 4.0)[..., 0]
    z, y, x = np.indices(response.shape) - 20
    squared = z**2 + y**2 + x**2
    assert response.sum() == pytest.approx(1.0, abs=1e-3)
    variance = (response * squared).sum() / 3
    assert variance == pytest.approx(0.85 * 4.0**2 + 0.15 * 0.5**2, rel=0.01)
    assert response[20, 20, 20] > 20 * response[20, 20, 22]


def test_extracted_descriptors_are_smoothed_in_mm(image: sitk.Image) -> None:
    plain = disa.extract_features(image, spacing=3.0, stride=2, quantize=False)
    smooth = disa.extract_features(image, spacing=3.0, stride=2, smoothing=9.0, quantize=False)
    inside = np.abs(plain.data).max(axis=-1, keepdims=True) > 0
    np.testing.assert_allclose(smooth.data, widen(plain.data, 9.0 / 6.0) * inside, atol=1e-6)
    np.testing.assert_array_equal(smooth.weights, plain.weights)


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
