# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.targets.lc2 import MARGIN, lc2_matrix  # noqa: E402
from disa.training.targets.lc2_images import lc2_of_images  # noqa: E402
from disa.training.targets.patches import extract  # noqa: E402
from helpers.lc2_patches import smooth_volume  # noqa: E402


def test_each_place_is_lc2_of_the_two_patches_there() -> None:
    source = torch.tensor(smooth_volume(1))[:, :, :-2]
    target = 0.3 * source + torch.tensor(smooth_volume(2))[:, :, :-2].roll(1, 0).square()
    found = lc2_of_images(source, target)
    assert found.shape == tuple(n - 2 * MARGIN for n in source.shape)
    places = torch.cartesian_prod(*(torch.arange(n) for n in found.shape))[None] + MARGIN
    patches = (
        extract(source[None], places, MARGIN - 1, with_gradient=True),
        extract(target[None], places, MARGIN - 1, with_gradient=False),
    )
    expected = lc2_matrix(*patches)[0].diagonal().reshape(found.shape)
    torch.testing.assert_close(found.double(), expected.double(), atol=1e-5, rtol=0)
    assert found.std() > 0.02
