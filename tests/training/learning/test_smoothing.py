# SPDX-License-Identifier: Apache-2.0
"""The kernel over descriptors, against the one that registrations smooth by."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.core import _core  # noqa: E402
from disa.geometry.grid import Grid  # noqa: E402
from disa.training.learning.smoothing import kernel_reach, smoothed  # noqa: E402
from helpers.widening import features_of  # noqa: E402


def test_every_crop_is_smoothed_as_a_registration_would() -> None:
    widths = [0.0, 3.0, 6.0, 12.0]
    field = np.random.default_rng(1).normal(size=(4, 16, 10, 10, 10)).astype(np.float32)
    got = smoothed(torch.from_numpy(field), torch.tensor(widths), 2, kernel_reach(12.0, 2)).numpy()
    np.testing.assert_allclose(got[0], field[0], rtol=1e-6)
    for one, smooth, width in zip(field[1:], got[1:], widths[1:], strict=True):
        features = features_of(np.ascontiguousarray(np.moveaxis(one, 0, -1)), (4.0, 4.0, 4.0))
        expected = np.moveaxis(np.asarray(_core.widen(features, Grid.of(features), 2.0 * width).data), -1, 0)
        np.testing.assert_allclose(smooth, expected, atol=1e-5)


def test_nothing_is_done_where_no_width_is_above_0() -> None:
    field = torch.randn(1, 2, 4, 4, 4)
    assert smoothed(field, torch.zeros(1), 2, kernel_reach(0.0, 2)) is field
