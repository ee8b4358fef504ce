"""LC² against a plain patch-by-patch implementation in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.targets import lc2  # noqa: E402
from disa.training.targets.boxes import local_variance  # noqa: E402
from disa.training.targets.patches import PatchSet, extract  # noqa: E402

Array = NDArray[np.float64]
SIZE = 22


def plain_gradient(volume: Array) -> Array:
    inner = slice(1, -1)
    dz = volume[2:, inner, inner] - volume[:-2, inner, inner]
    dy = volume[inner, 2:, inner] - volume[inner, :-2, inner]
    dx = volume[inner, inner, 2:] - volume[inner, inner, :-2]
    gradient = np.zeros_like(volume)
    gradient[inner, inner, inner] = np.sqrt(dz**2 + dy**2 + dx**2)
    return gradient


def cube(volume: Array, position: Array, radius: int) -> Array:
    return volume[tuple(slice(p - radius, p + radius + 1) for p in position)].ravel()


def plain_lc2(source: Array, at: Array, target: Array, to: Array) -> float:
    gradient, values = plain_gradient(source), []
    for radius in (3, 5, 7):
        i, g = cube(source, at, radius), cube(gradient, at, radius)
        b = cube(target, to, radius)
        a = np.stack([i, g, np.ones_like(i)], axis=1)
        normal = a.T @ a / len(b) + 1e-3 * np.eye(3)
        x = np.linalg.solve(normal, a.T @ b / len(b))
        residual = np.mean((b - a @ x) ** 2) + 1e-3 * x @ x
        values.append(np.clip((b.var() - residual) / max(b.var(), 1e-2), 0, 1))
    return float(np.mean(values))


def smooth_volume(seed: int) -> Array:
    """Low frequencies, so that patches are alike now and then."""
    random = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.arange(SIZE)] * 3, indexing="ij")
    waves = random.uniform(0.1, 0.5, (6, 3))
    phase, height = random.uniform(0, 6, 6), random.normal(0, 1, 6)
    return sum(h * np.sin(w[0] * z + w[1] * y + w[2] * x + p) for w, p, h in zip(waves, phase, height, strict=True))


def matrix(source: Array, at: Array, target: Array, to: Array) -> Array:
    def patches(volume: Array, positions: Array, gradient: bool) -> PatchSet:
        return extract(
            torch.tensor(volume[None], dtype=torch.float32),
            torch.tensor(positions[None]),
            max(lc2.RADII),
            gradient,
        )

    return lc2.lc2_matrix(patches(source, at, True), patches(target, to, False))[0].numpy()


def positions(seed: int, count: int) -> Array:
    return np.random.default_rng(seed).integers(lc2.MARGIN, SIZE - lc2.MARGIN, (count, 3))


@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_all_pairs_equal_the_plain_implementation(offset: float) -> None:
    source, target = smooth_volume(1) + offset, 0.7 * smooth_volume(2) - offset
    at, to = positions(3, 7), positions(4, 5)
    expected = [[plain_lc2(source, p, target, q) for q in to] for p in at]
    assert np.ptp(expected) > 0.05
    np.testing.assert_allclose(matrix(source, at, target, to), expected, atol=2e-4)


def test_a_patch_explains_itself_and_its_linear_images() -> None:
    volume, at = smooth_volume(5), positions(6, 4)
    for image in (volume, -volume, 0.5 * volume + 1):
        assert np.diag(matrix(volume, at, image, at)).min() > 0.97


def test_gradient_magnitude_of_the_source_is_a_regressor() -> None:
    volume, at = smooth_volume(7), positions(8, 4)
    edges = plain_gradient(volume)
    assert np.diag(matrix(volume, at, edges, at)).min() > 0.97
    assert np.diag(matrix(edges, at, volume, at)).max() < 0.9


def test_flat_patches_score_zero_and_faint_ones_are_damped() -> None:
    volume, at = smooth_volume(9), positions(10, 3)
    assert matrix(volume, at, np.zeros_like(volume), at).max() == 0
    faint = 0.02 * volume
    assert np.diag(matrix(volume, at, faint, at)).max() < 0.2


def test_source_without_gradient_is_refused() -> None:
    patches = extract(torch.zeros(1, SIZE, SIZE, SIZE), torch.tensor([[[9, 9, 9]]]), max(lc2.RADII), False)
    with pytest.raises(ValueError, match="no gradient"):
        lc2.lc2_matrix(patches, patches)


def test_local_variance_equals_numpy() -> None:
    volume = smooth_volume(11)
    variance = local_variance(torch.tensor(volume[None], dtype=torch.float32))[0].numpy()
    assert variance[9, 8, 10] == pytest.approx(volume[6:13, 5:12, 7:14].var(), rel=1e-4)
    assert variance[0, 0, 0] == pytest.approx(volume[:4, :4, :4].var(), rel=1e-4)
