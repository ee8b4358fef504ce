"""Crops, positions and the cache of the training side, on volumes made up here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
pytest.importorskip("yaml", reason="training settings need PyYAML")

from disa.training.config import TrainingConfig  # noqa: E402
from disa.training.data.volumes import Volume, VolumeInfo, load_cache, quantise, save_cache  # noqa: E402
from disa.training.learning.balance import BinStatistics, BinWeights, weighted_error  # noqa: E402
from disa.training.model.network import DISANet  # noqa: E402
from disa.training.sampling.compare import make_batch, predict  # noqa: E402
from disa.training.sampling.crops import read_descriptors, sample_crops  # noqa: E402
from disa.training.sampling.geometry import grid_to_grid, random_rotation, random_turn  # noqa: E402
from disa.training.sampling.pairs import PairSampler  # noqa: E402

CONFIG = TrainingConfig(
    batch_pairs=2, crop_size=40, positions=16, aligned_share=0, self_share=1,
    turned_share=1, unshifted_share=0, moving_on_cells=0, remap_share=0,
)  # fmt: skip


def info(name: str, group: str = "") -> VolumeInfo:
    return VolumeInfo(name, "CT", name, group, "train")


def wavy(affine: np.ndarray, name: str = "wavy", size: tuple[int, int, int] = (44, 48, 52)) -> Volume:
    """A smooth function of world position, sampled on a grid."""
    z, y, x = np.meshgrid(*map(np.arange, size), indexing="ij")
    world = np.stack([x, y, z, np.ones_like(x)], axis=-1) @ affine.T
    data = np.sin(0.10 * world[..., 0]) + np.cos(0.13 * world[..., 1] + 0.07 * world[..., 2])
    return Volume(info(name, "g"), torch.tensor(data, dtype=torch.float32), affine)


def oblique_affine(seed: int) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = 2 * random_turn(np.random.default_rng(seed), 40)
    affine[:3, 3] = [-50, 30, 10]
    return affine


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
            parameter -= 1e-3 * gradient.sign()
        assert error() < 0.95 * before


def test_rotations_are_orthogonal_and_turns_bounded() -> None:
    random = np.random.default_rng(11)
    determinants = set()
    for _ in range(20):
        rotation, turn = random_rotation(random), random_turn(random, 30)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        determinants.add(round(float(np.linalg.det(rotation))))
        assert np.trace(turn) >= 1 + 2 * np.cos(np.deg2rad(30)) - 1e-12
        assert np.linalg.det(turn) == pytest.approx(1)
    assert determinants == {-1, 1}


def test_cache_keeps_soft_tissue_contrast_and_geometry(tmp_path: Path) -> None:
    random = np.random.default_rng(13)
    air, tissue = random.normal(-1000, 5, 40_000), random.normal(40, 20, 20_000)
    volume = np.concatenate([air, tissue, [3000.0] * 4_000]).round().astype(np.float32).reshape(40, 40, 40)
    affine = oblique_affine(5)
    save_cache(tmp_path / "c.npz", [(info("a", "g"), volume, affine)])
    (loaded,) = load_cache(tmp_path / "c.npz", torch.device("cpu"))
    assert loaded.info == info("a", "g")
    np.testing.assert_array_equal(loaded.affine, affine)
    error = np.abs(loaded.data.numpy() - volume)
    assert error[(volume > -50) & (volume < 130)].max() < 8  # even steps would be off by 10
    assert error.mean() < 1


def test_quantisation_of_few_values_is_exact() -> None:
    volume = np.arange(60, dtype=np.float32).reshape(3, 4, 5) * 7 - 100
    codes, table = quantise(volume)
    np.testing.assert_array_equal(table[codes], volume)


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
