from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.validate.mind import mind_ssc  # noqa: E402
from helpers.lc2_patches import smooth_volume  # noqa: E402


def test_a_voxel_far_from_borders_equals_the_plain_definition() -> None:
    volume = torch.tensor(smooth_volume(1)).double()
    radius, distance = 1, 2
    found = mind_ssc(volume, radius, distance)
    assert found.shape == (*volume.shape, 12)

    def patch(z: int, y: int, x: int) -> torch.Tensor:
        return volume[z - 1 : z + 2, y - 1 : y + 2, x - 1 : x + 2]

    def plain(z: int, y: int, x: int) -> list[float]:
        around = [(z - 2, y, x), (z + 2, y, x), (z, y - 2, x), (z, y + 2, x), (z, y, x - 2), (z, y, x + 2)]
        distances = [
            float((patch(*around[i]) - patch(*around[j])).square().mean())
            for i in range(6)
            for j in range(i + 1, 6)
            if i // 2 != j // 2
        ]
        distances = [d - min(distances) for d in distances]
        variance = sum(distances) / 12
        return [math.exp(-d / variance) for d in distances]

    for place in ((8, 9, 10), (11, 6, 7)):
        assert found[place].tolist() == pytest.approx(plain(*place), abs=1e-6)


def test_descriptors_do_not_change_with_contrast_and_brightness() -> None:
    volume = torch.tensor(smooth_volume(2)).double()
    torch.testing.assert_close(mind_ssc(3.0 - 0.5 * volume), mind_ssc(volume))
