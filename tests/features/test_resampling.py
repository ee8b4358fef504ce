"""Smoothing and resampling before the network."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from disa.features.network_grid import covering_grid
from disa.features.preparation import smooth_for
from disa.geometry.grid import Grid
from helpers.images import structured_image


@pytest.mark.parametrize("spacing", [3.0, 8.0])
def test_smoothing_over_very_many_voxels_has_its_width(spacing: float) -> None:
    """The kernel of 8 mm over voxels of 0.1 mm, 34 voxels wide, is more than one pass can hold."""
    image = sitk.Image([401, 5, 5], sitk.sitkFloat32)
    image.SetSpacing((0.1, 10.0, 10.0))
    image[200, 2, 2] = 1.0
    kernel = sitk.GetArrayFromImage(smooth_for(image, spacing))[2, 2]
    offsets = 0.1 * (np.arange(401) - 200)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-3)
    assert (kernel * offsets**2).sum() == pytest.approx(
        (spacing**2 - 0.1**2) / (8 * np.log(2)), rel=0.1
    )  # 1 % of its tails is cut off


def test_resampling_does_not_alias() -> None:
    """Stripes too fine for the grid vanish; coarse ones stay."""
    z, _, _ = np.indices((64, 64, 64))
    for period, low, high in ((2.5, 0.0, 0.12), (16.0, 0.8, 1.0)):
        stripes = sitk.GetImageFromArray(np.sin(2 * np.pi * z / period).astype(np.float32))
        grid = covering_grid(Grid.of(stripes), 2.0)
        seen = grid.linear(smooth_for(stripes, 2.0), is_continued=True)
        values = sitk.GetArrayFromImage(seen)[12:-12, 12:-12, 12:-12]
        assert low <= np.abs(values).max() <= high


def test_coarse_axes_are_not_blurred() -> None:
    image = structured_image()
    image.SetSpacing((1.0, 2.0, 5.0))
    smooth = sitk.GetArrayFromImage(smooth_for(image, 2.0))
    pixels = sitk.GetArrayFromImage(image)
    assert np.abs(smooth - pixels).max() > 1.0
    np.testing.assert_allclose(smooth.mean(axis=2), pixels.mean(axis=2), atol=40.0)
    image.SetSpacing((2.0, 2.0, 5.0))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(smooth_for(image, 2.0)), pixels)
