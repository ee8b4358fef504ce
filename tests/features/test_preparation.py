# SPDX-License-Identifier: Apache-2.0
"""What the network is shown: outliers and padding do not decide the deviation."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from disa.features.preparation import limited, normalize
from helpers.images import structured_image

TISSUE = (slice(8, 24),) * 3


def ct() -> np.ndarray:
    """Air, a body of 0 to 100 HU and bone of 1200, shape (32, 32, 32)."""
    pixels = np.full((32, 32, 32), -1000.0, np.float32)
    pixels[4:28, 4:28, 4:28] = np.random.default_rng(0).uniform(0.0, 100.0, (24, 24, 24))
    pixels[14:17, 14:17] = 1200.0
    return pixels


def seen(pixels: np.ndarray) -> np.ndarray:
    """Normalised."""
    return sitk.GetArrayFromImage(normalize(limited(sitk.GetImageFromArray(pixels))))


def ball(background: float, spread: float) -> np.ndarray:
    """Of about 1000 in a background of one value."""
    z, y, x = np.indices((32, 32, 32))
    inside = (z - 16) ** 2 + (y - 16) ** 2 + (x - 16) ** 2 < 100
    return np.where(inside, np.random.default_rng(2).normal(1000.0, spread, inside.shape), background).astype(
        np.float32
    )


@pytest.mark.parametrize(
    "pixels",
    [sitk.GetArrayFromImage(structured_image()), ct(), *(ball(b, s) for b in (0.0, -900.0, 5e3) for s in (0.0, 20.0))],
)
def test_an_image_without_outliers_is_itself(pixels: np.ndarray) -> None:
    """Nor is the background of a ball padding, bright or dark, even if the ball is of one value."""
    image = sitk.GetImageFromArray(pixels)
    assert limited(image) is image


@pytest.mark.parametrize("value", [1e6, 1e5, -1e6, 3e38])
@pytest.mark.parametrize("count", [1, 3])
def test_broken_voxels_leave_the_others_as_they_were(value: float, count: int) -> None:
    """0.01 % of the voxels is 3 of them."""
    spoilt = ct()
    spoilt.reshape(-1)[np.random.default_rng(1).choice(spoilt.size, count, replace=False)] = value
    one, other = seen(ct()), seen(spoilt)
    touched = spoilt != ct()
    np.testing.assert_allclose(other[~touched], one[~touched], atol=0.1)  # deviations, of which bone is 3 above 0
    assert np.abs(other).max() < 20


def test_metal_does_not_darken_the_tissue() -> None:
    with_metal = ct()
    with_metal[10:13, 10:13, 10:13] = 30_000.0
    kept = np.ones(with_metal.shape, bool)
    kept[10:13, 10:13, 10:13] = False
    scale = np.std(seen(with_metal)[kept]) / np.std(seen(ct())[kept])
    assert 0.85 < scale < 1.1


@pytest.mark.parametrize("value", [-2000.0, -3024.0, -32768.0, 63536.0, 65535.0])
def test_padding_beyond_a_round_field_of_view_is_air(value: float) -> None:
    _, y, x = np.indices((32, 32, 32))
    beyond = np.hypot(y - 15.5, x - 15.5) > 16.0
    padded = np.where(beyond, np.float32(value), ct())
    with_air = np.where(beyond, np.float32(-1000.0), ct())
    np.testing.assert_array_equal(seen(padded), seen(with_air))


def test_a_small_bright_object_is_kept_within_limits() -> None:
    """0.5 % of the voxels of an emission image hold what is looked for."""
    pixels = np.random.default_rng(3).gamma(1.0, 0.5, (40, 40, 40)).astype(np.float32)
    pixels[10:17, 10:17, 10:16] = 9.0
    np.testing.assert_array_equal(sitk.GetArrayFromImage(limited(sitk.GetImageFromArray(pixels)))[12, 12, 12], 9.0)
