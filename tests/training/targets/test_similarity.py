"""Similarities of patches, and training on another one than LC²."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.errors import ConfigError  # noqa: E402
from disa.training.learning.balance import BinStatistics, BinWeights, bin_of, weighted_error  # noqa: E402
from disa.training.sampling.compare import make_batch  # noqa: E402
from disa.training.sampling.pairs import PairSampler  # noqa: E402
from disa.training.targets.patches import PatchSet, extract  # noqa: E402
from disa.training.targets.similarity import LC2, NCC, Similarity, find_similarity  # noqa: E402
from helpers import small_training as small  # noqa: E402
from helpers.lc2_patches import cube, positions, smooth_volume  # noqa: E402
from helpers.similarities import SAME  # noqa: E402


def patches(volume: np.ndarray, at: np.ndarray, similarity: Similarity) -> PatchSet:
    crops = torch.tensor(volume[None], dtype=torch.float32)
    return extract(crops, torch.tensor(at[None]), similarity.radius, similarity.reads_gradient)


def test_normalised_cross_correlation_is_pearsons() -> None:
    a, b = smooth_volume(1), smooth_volume(2)
    at, to = positions(3, 6), positions(4, 5)
    got = NCC()(patches(a, at, NCC()), patches(b, to, NCC()))[0].numpy()
    expected = [[np.corrcoef(cube(a, p, 7), cube(b, q, 7))[0, 1] for q in to] for p in at]
    assert np.ptp(expected) > 0.3
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_normalised_cross_correlation_sees_sign_but_not_brightness_and_damps_what_is_faint() -> None:
    a, at = smooth_volume(5), positions(6, 4)
    own = patches(a, at, NCC())

    def with_itself(image: np.ndarray) -> np.ndarray:
        return np.diag(NCC()(own, patches(image, at, NCC()))[0].numpy())

    np.testing.assert_allclose(with_itself(3 * a + 2), 1, atol=1e-4)
    np.testing.assert_allclose(with_itself(-a), -1, atol=1e-4)
    assert np.abs(with_itself(0.01 * a)).max() < 0.3


@pytest.mark.parametrize("similarity", [LC2(), NCC()])
def test_what_a_similarity_says_of_itself_is_true(similarity: Similarity) -> None:
    at = positions(7, 30)
    source, image = patches(smooth_volume(8), at, similarity), smooth_volume(9)
    scores = similarity(source, patches(image, at, similarity))
    negative = similarity(source, patches(-image, at, similarity))
    low, high = similarity.range
    assert low <= scores.min() < scores.max() <= high
    assert (not torch.allclose(scores, negative, atol=1e-3)) == similarity.sees_sign
    gradient = None if source.gradient is None else 2 * source.gradient
    changed = similarity(PatchSet(source.intensity, gradient), patches(image, at, similarity))
    assert (not torch.equal(scores, changed)) == similarity.reads_gradient


def test_a_similarity_of_ones_own_is_found_by_its_place() -> None:
    assert find_similarity("helpers.similarities:SAME") is SAME
    with pytest.raises(ConfigError, match=r"TOO_WIDE has the range 0.0 to 10.0, expected one within -1 to 1"):
        find_similarity("helpers.similarities:TOO_WIDE")


@pytest.mark.parametrize("name", ["ncc", "helpers.similarities:SAME"])
def test_batches_hold_the_scores_of_what_the_network_sees(name: str) -> None:
    config = small.config(
        similarity=name, turned_share=0.0, unshifted_share=1.0, native_share=1.0, aligned_share=0.0, self_share=0.0,
        remap_share=0.0,
    )  # fmt: skip
    sampler = PairSampler([small.volume(1), small.volume(2)], config, np.random.default_rng(0))
    torch.manual_seed(0)
    batch = make_batch([sampler.draw() for _ in range(2)], config, augment=False)
    similarity = find_similarity(name)
    sides = [
        extract(crop, points.flip(-1).round().long(), similarity.radius, False)
        for crop, points in ((batch.fixed, batch.fixed_points), (batch.moving, batch.moving_points))
    ]
    assert batch.target.std() > 0.1
    torch.testing.assert_close(batch.target, similarity(*sides), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("name", "flipped"), [("lc2", True), ("ncc", False)])
def test_signs_flip_only_where_the_similarity_does_not_see_it(name: str, flipped: bool) -> None:
    config = small.config(similarity=name, flip_sign_share=1.0, noise=0.0, remap_share=0.0, batch_pairs=1)
    seen = []
    for settings in (config, config.changed(flip_sign_share=0.0)):
        sampler = PairSampler([small.volume(1)], settings, np.random.default_rng(0))
        torch.manual_seed(0)
        seen.append(make_batch([sampler.draw()], settings, augment=True).fixed.flatten())
    correlation = float(torch.corrcoef(torch.stack(seen))[0, 1])
    assert correlation == pytest.approx(-1 if flipped else 1, abs=1e-3)


def test_bins_cover_the_range_of_the_similarity() -> None:
    extent = (-1.0, 1.0)
    target = torch.tensor([-1.0, -0.6, -0.4, 0.4, 1.0])
    assert bin_of(target, 4, extent).tolist() == [0, 0, 1, 2, 3]
    weights = BinWeights(4, extent, torch.device("cpu"))
    for _ in range(400):
        balance = weights.update(target)
    torch.testing.assert_close(weights.shares, torch.tensor([0.4, 0.2, 0.2, 0.2]), atol=1e-3, rtol=0)
    predicted = target + torch.tensor([0.1, 0.1, 0.2, 0.3, 0.4])
    expected = np.mean([0.01, 0.04, 0.09, 0.16])
    assert float(weighted_error(predicted, target, balance, extent, 0.0)) == pytest.approx(expected, rel=1e-2)
    statistics = BinStatistics(4, extent)
    statistics.add(predicted, target)
    assert statistics.error == pytest.approx(expected, rel=1e-3)
