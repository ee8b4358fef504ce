# SPDX-License-Identifier: Apache-2.0
"""Descriptors smoothed at extraction."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

import disa
from helpers.widening import widened


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
