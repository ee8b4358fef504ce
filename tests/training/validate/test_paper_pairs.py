# SPDX-License-Identifier: Apache-2.0
"""The paper's pairs of patches, and the error on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.data.volumes import Volume, VolumeInfo  # noqa: E402
from disa.training.model.network import DISANet  # noqa: E402
from disa.training.targets.lc2 import MARGIN  # noqa: E402
from disa.training.validate.paper_pairs import aligned_pairs, load_pairs, sample_pairs, save_pairs  # noqa: E402
from disa.training.validate.score_pairs import EXACT, Reading, between, similarities  # noqa: E402
from helpers.lc2_patches import plain_lc2, smooth_volume  # noqa: E402


def volume(name: str, seed: int, group: str = "a") -> Volume:
    data = torch.tensor(smooth_volume(seed), dtype=torch.float32)
    return Volume(VolumeInfo(name, "MR", "somebody", group, "validation"), data, np.eye(4))


@pytest.fixture
def pairs():
    return sample_pairs(volume("m", 1), volume("f", 2), 40, np.random.default_rng(0))


def test_the_similarity_written_is_that_of_the_patches(pairs) -> None:
    m, f = volume("m", 1).data.double().numpy(), volume("f", 2).data.double().numpy()
    for pair in pairs:
        sides = (m, np.array(pair.moving_at), f, np.array(pair.fixed_at))
        expected = plain_lc2(*sides) if pair.explains == "moving" else plain_lc2(*sides[2:], *sides[:2])
        assert pair.lc2 == pytest.approx(expected, abs=1e-4)


def test_patches_lie_inside_and_both_sides_explain(pairs) -> None:
    positions = np.array([pair.moving_at + pair.fixed_at for pair in pairs])
    assert positions.min() >= MARGIN
    assert positions.max() < smooth_volume(1).shape[0] - MARGIN
    assert {pair.explains for pair in pairs} == {"moving", "fixed"}


def test_similarities_spread_over_what_the_volumes_have(pairs) -> None:
    values = np.array([pair.lc2 for pair in pairs])
    assert values.min() < 0.2
    assert values.max() > 0.6
    assert np.quantile(values, 0.25) < 0.5 < np.quantile(values, 0.9)


def test_one_seed_gives_one_file(pairs, tmp_path: Path) -> None:
    save_pairs(pairs, tmp_path / "pairs.csv")
    assert load_pairs(tmp_path / "pairs.csv") == pairs
    assert sample_pairs(volume("m", 1), volume("f", 2), 40, np.random.default_rng(0)) == pairs


def test_only_volumes_of_one_group_make_pairs() -> None:
    volumes = [volume("a", 1), volume("b", 2), volume("c", 3, group="other"), volume("d", 4, group="")]
    assert [(m.info.name, f.info.name) for m, f in aligned_pairs(volumes)] == [("a", "b"), ("b", "a")]


def test_scores_are_products_of_descriptors_at_those_voxels(pairs) -> None:
    torch.manual_seed(0)
    network = DISANet(1).eval()
    volumes = {v.info.name: v for v in (volume("m", 1), volume("f", 2))}
    exact, coarse = similarities(network, volumes, pairs, [EXACT, Reading("int8", int8=True)])
    pad = torch.nn.functional.pad
    with torch.no_grad():
        dense = {name: network(pad(v.data[None, None], (8,) * 6, mode="replicate"))[0] for name, v in volumes.items()}
    for pair, value in zip(pairs, exact, strict=True):
        left = dense["m"][:, pair.moving_z + 8, pair.moving_y + 8, pair.moving_x + 8]
        right = dense["f"][:, pair.fixed_z + 8, pair.fixed_y + 8, pair.fixed_x + 8]
        assert value == pytest.approx(float(left @ right), abs=1e-6)
    np.testing.assert_allclose(coarse, exact, atol=0.02 * np.abs(exact).max())
    assert not np.array_equal(coarse, exact)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_between_cells_a_linear_field_is_read_exactly(stride: int) -> None:
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in (9, 13, 17)), indexing="ij")
    values = np.stack([1 + 2 * z - y + 0.5 * x] * 16, axis=-1)
    for at in ((0, 0, 0), (3, 7, 14), (8, 12, 16), (5, 2, 9)):
        np.testing.assert_allclose(between(values, at, stride), values[at], rtol=1e-5)


def test_between_cells_lies_the_mean_of_its_neighbours() -> None:
    values = np.random.default_rng(0).normal(size=(9, 9, 9, 16))
    corners = values[4:9:4, 0:5:4, 0:5:4].reshape(8, 16)
    np.testing.assert_allclose(between(values, (6, 2, 2), 4), corners.mean(axis=0), rtol=1e-12)
