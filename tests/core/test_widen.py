"""The compiled smoothing of descriptors."""

from __future__ import annotations

import numpy as np
import pytest

from disa.core import _core
from disa.geometry.grid import Grid
from helpers.widening import features_of, widened


@pytest.mark.parametrize("sigma", [2.0, 9.0, 40.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 12, 7), (9, 3, 40)])
def test_smoothing_is_two_gaussians_in_mm_along_each_axis(shape: tuple[int, int, int], sigma: float) -> None:
    descriptors = np.random.default_rng(1).normal(size=(*shape, 16)).astype(np.float32)
    x, y, z = spacing = (2.0, 4.0, 3.0)
    everywhere = Grid.isotropic((1, 1, 1), np.zeros(3), 1e4)
    smooth = _core.widen(features_of(descriptors, spacing), everywhere, sigma)
    np.testing.assert_allclose(smooth.data, widened(descriptors, (sigma / z, sigma / y, sigma / x)), atol=2e-6)


def test_descriptors_outside_the_image_stay_zero() -> None:
    descriptors = np.ones((8, 8, 8, 16), np.float32)
    image = Grid.isotropic((4, 8, 8), np.zeros(3), 2.0)
    smooth = _core.widen(features_of(descriptors, (2.0, 2.0, 2.0)), image, 6.0)
    assert np.all(smooth.data[..., :4, :] > 0)
    assert np.all(smooth.data[..., 4:, :] == 0)
