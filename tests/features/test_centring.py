# SPDX-License-Identifier: Apache-2.0
"""Descriptors less what all have in common, and samples that lie well inside of the other image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from disa.core import FeatureVolume, _core
from disa.features.volumes import well_inside
from disa.geometry.grid import Grid
from helpers.images import rotation


@pytest.mark.parametrize("quantized", [True, False])
def test_the_weighted_mean_is_taken_off_and_nothing_beyond(
    make_features: Callable[..., FeatureVolume], quantized: bool
) -> None:
    features = make_features((9, 8, 7), quantized=quantized)
    data = features.data.copy()
    data[:2] = 0
    features = features.replaced(data=data, weights=np.where(data.any(axis=-1), features.weights, 0).astype(np.float32))
    values = data.astype(float) * features.scale
    mean = np.average(values.reshape(-1, 16), axis=0, weights=features.weights.ravel())
    np.testing.assert_allclose(_core.mean_of(features), mean, atol=1e-6)
    centred = _core.centred(features, mean.tolist())
    assert centred.data.dtype == features.data.dtype
    assert not centred.data[:2].any()
    step = centred.scale if quantized else 1e-6
    np.testing.assert_allclose(centred.data[2:] * float(centred.scale), values[2:] - mean, atol=0.51 * step + 1e-6)


@pytest.mark.parametrize("inset", [0, 1, 2])
def test_samples_are_left_that_lie_well_inside(make_features: Callable[..., FeatureVolume], inset: int) -> None:
    samples = make_features((10, 11, 12), seed=1)
    field = make_features((12, 13, 14), seed=2)
    data = field.data.copy()
    data[:3] = 0
    field = field.replaced(data=data)
    matrix, offset = rotation(5, 8, -12), np.array([12.0, -7.0, 3.0])
    kept = well_inside(samples, field, matrix, offset, inset)
    cells = np.argwhere(samples.weights > 0)
    points = Grid.of(samples).points(cells[:, ::-1]) @ matrix.T + offset
    nearest = np.rint(Grid.of(field).indices(points)).astype(int)
    inside = np.pad(data.any(axis=-1), 40)
    for (x, y, z), cell in zip(np.clip(nearest, -30, 50) + 40, cells, strict=True):
        around = inside[z - inset : z + inset + 1, y - inset : y + inset + 1, x - inset : x + inset + 1]
        expected = samples.weights[tuple(cell)] if around.all() else 0.0
        assert kept.weights[tuple(cell)] == expected
    assert 0 < np.count_nonzero(kept.weights) < np.count_nonzero(samples.weights)
