# SPDX-License-Identifier: Apache-2.0
"""Crops, positions and the cache of the training side, on volumes made up here."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.training.config import TrainingConfig  # noqa: E402
from disa.training.model.network import DISANet  # noqa: E402
from disa.training.sampling.compare import make_batch, predict  # noqa: E402
from disa.training.sampling.crops import read_descriptors, sample_crops  # noqa: E402
from disa.training.sampling.geometry import grid_to_grid  # noqa: E402
from disa.training.sampling.pairs import PairSampler  # noqa: E402
from helpers.wavy_volumes import CONFIG, oblique_affine, wavy  # noqa: E402


def test_moving_points_are_the_same_places_in_the_turned_grid() -> None:
    torch.manual_seed(1)
    sampler = PairSampler([wavy(oblique_affine(1))], CONFIG, np.random.default_rng(1))
    pairs = [sampler.draw() for _ in range(2)]
    batch = make_batch(pairs, CONFIG, augment=False)
    parallel, _ = sample_crops([p.moving for p in pairs], [p.moving_grid for p in pairs])
    back = grid_to_grid([p.seen_grid for p in pairs], [p.moving_grid for p in pairs])
    places = batch.moving_points @ torch.tensor(back[:, :, :3]).float().mT + torch.tensor(back[:, None, :, 3])
    assert (places - batch.moving_points).abs().max() > 1  # the grids do differ
    torch.testing.assert_close(places, places.round(), atol=1e-3, rtol=0)
    seen = read_descriptors(batch.moving[:, None], batch.moving_points, 1)
    expected = read_descriptors(parallel[:, None], places.float(), 1)
    torch.testing.assert_close(seen, expected, atol=0.05, rtol=0)


def test_aligned_volumes_of_different_grids_show_one_world() -> None:
    config = TrainingConfig(**{**vars(CONFIG), "aligned_share": 1.0, "self_share": 0.0, "turned_share": 0.0})
    straight = np.diag([2.0, 2.0, 2.0, 1.0])
    straight[:3, 3] = [-40, 20, 20]
    volumes = [wavy(oblique_affine(2), "oblique"), wavy(straight, "straight")]
    sampler = PairSampler(volumes, config, np.random.default_rng(3))
    for _ in range(5):
        pair = sampler.draw()
        assert pair.fixed is not pair.moving
        (a,), inside_a = sample_crops([pair.fixed], [pair.fixed_grid])
        (b,), inside_b = sample_crops([pair.moving], [pair.moving_grid])
        both = (inside_a & inside_b)[0]
        assert both.sum() > 1000
        torch.testing.assert_close(a[both], b[both], atol=0.03, rtol=0)


def test_positions_keep_away_from_what_the_network_cannot_know() -> None:
    torch.manual_seed(2)
    sampler = PairSampler([wavy(np.diag([2.0, 2.0, 2.0, 1.0]))], CONFIG, np.random.default_rng(5))
    batch = make_batch([sampler.draw() for _ in range(2)], CONFIG, augment=False)
    for points in (batch.fixed_points, batch.moving_points):
        assert points.min() >= CONFIG.border - 1e-3
        assert points.max() <= CONFIG.crop_size - CONFIG.border + 1e-3
    assert batch.target.shape == (2, 16, 16)
    assert 0 <= batch.target.min() < batch.target.max() <= 1


def test_descent_lowers_the_error_of_its_batch() -> None:
    torch.manual_seed(3)
    config = TrainingConfig(**{**vars(CONFIG), "crop_size": 28, "border": 9})
    sampler = PairSampler([wavy(oblique_affine(4))], config, np.random.default_rng(7))
    batch = make_batch([sampler.draw()], config, augment=True)
    network = DISANet()

    def error() -> torch.Tensor:
        return (predict(network, network, batch) - batch.target).square().mean()

    before = error()
    gradients = torch.autograd.grad(before, list(network.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter.sub_(1e-3 * gradient.sign())
        assert error() < 0.95 * before
