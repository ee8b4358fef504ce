"""LC² against a plain patch-by-patch implementation in numpy."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.targets import lc2  # noqa: E402
from disa.training.targets.boxes import local_variance  # noqa: E402
from disa.training.targets.patches import PatchSet, extract  # noqa: E402
from helpers.lc2_patches import SIZE, Array, plain_gradient, plain_lc2, positions, smooth_volume  # noqa: E402


def matrix(source: Array, at: Array, target: Array, to: Array) -> Array:
    def patches(volume: Array, positions: Array, gradient: bool) -> PatchSet:
        return extract(
            torch.tensor(volume[None], dtype=torch.float32),
            torch.tensor(positions[None]),
            max(lc2.RADII),
            gradient,
        )

    return lc2.lc2_matrix(patches(source, at, True), patches(target, to, False))[0].numpy()


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
