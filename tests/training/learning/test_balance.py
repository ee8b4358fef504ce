"""How pairs are weighed in the loss."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.learning.balance import BinStatistics, BinWeights, interval_shares, weighted_error  # noqa: E402

EXTENT = (-0.5, 1.0)


def test_intervals_are_how_often_a_value_is_closest_to_a_uniform_t() -> None:
    random = np.random.default_rng(1)
    values = random.uniform(-0.4, 0.9, (2, 3, 7)).astype(np.float32)
    t = random.uniform(*EXTENT, 40_000)
    got = interval_shares(torch.from_numpy(values), EXTENT).numpy()
    np.testing.assert_allclose(got.sum(-1), 1, rtol=1e-5)
    for row in np.ndindex(2, 3):
        nearest = np.abs(values[row][:, None] - t).argmin(0)
        np.testing.assert_allclose(got[row], np.bincount(nearest, minlength=7) / len(t), atol=0.01)


def test_the_two_parts_of_the_error_are_blended() -> None:
    torch.manual_seed(2)
    predicted, target, weights = torch.rand(2, 4, 5), torch.rand(2, 4, 5), torch.rand(8)
    squares = (predicted - target).square()
    of_bins = (weights[(8 * target).long()] * squares).mean()
    of_intervals = (interval_shares(target, (0.0, 1.0)) * squares).sum() / 8
    got = weighted_error(predicted, target, weights, (0.0, 1.0), 0.25)
    torch.testing.assert_close(got, 0.75 * of_bins + 0.25 * of_intervals)


def test_errors_count_bins_alike() -> None:
    target = torch.cat([torch.full((900,), 0.1), torch.full((100,), 0.9)])
    predicted = torch.where(target > 0.5, target + 0.3, target + 0.1)
    statistics = BinStatistics(2, (0.0, 1.0))
    statistics.add(predicted[:500], target[:500])
    statistics.add(predicted[500:], target[500:])
    assert statistics.error == pytest.approx((0.01 + 0.09) / 2, rel=1e-4)
    assert statistics.correlation == pytest.approx(1.0, abs=1e-6)
    weights = BinWeights(2, (0.0, 1.0), torch.device("cpu"))
    for _ in range(300):
        weights.update(target)
    value = weighted_error(predicted, target, weights.update(target), (0.0, 1.0), 0.0)
    assert float(value) == pytest.approx((0.01 + 0.09) / 2, rel=6e-2)
