# SPDX-License-Identifier: Apache-2.0
"""LC² of one patch with all patches, against the plain patch-by-patch implementation."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.targets.lc2 import MARGIN  # noqa: E402
from disa.training.targets.lc2_map import PatchSearch, cut_patch  # noqa: E402
from helpers.lc2_patches import SIZE, plain_lc2, smooth_volume  # noqa: E402

POSITION = (9, 11, 12)


@pytest.mark.parametrize("patch_explains", [True, False])
def test_every_position_equals_the_plain_implementation(patch_explains: bool) -> None:
    source, volume = smooth_volume(1), 0.7 * smooth_volume(2)[:, :, :-1] + 0.4
    patch = cut_patch(torch.tensor(source), POSITION)
    search = PatchSearch(torch.tensor(volume))
    values = search.explained_by(patch) if patch_explains else search.explains(patch[0])
    assert values.shape == (SIZE - 2 * MARGIN, SIZE - 2 * MARGIN, SIZE - 1 - 2 * MARGIN)
    for index in np.ndindex(*values.shape):
        there = np.add(index, MARGIN)
        sides = (source, np.array(POSITION), volume, there)
        expected = plain_lc2(*sides) if patch_explains else plain_lc2(*sides[2:], *sides[:2])
        assert float(values[index]) == pytest.approx(expected, abs=1e-6)
