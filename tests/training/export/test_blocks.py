# SPDX-License-Identifier: Apache-2.0
"""The GPU layout of the network against the plain network."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.export.blocks import BlockNetwork, block_taps  # noqa: E402
from disa.training.model.network import DISANet  # noqa: E402


@pytest.mark.parametrize("stride", [4, 2])
@pytest.mark.parametrize("size", [(4, 5, 6), (16, 24, 20), (27, 13, 18)])
def test_descriptors_are_those_of_the_plain_network(stride: int, size: tuple[int, int, int]) -> None:
    torch.manual_seed(1)
    network, volume = DISANet(stride), 2 * torch.randn(1, 1, *size)
    for parameter in network.parameters():
        parameter.data *= 2  # some norms are clipped
    with torch.no_grad():
        expected = network(volume)[0].permute(1, 2, 3, 0)
        got = BlockNetwork(network)(volume)
    assert expected.norm(dim=-1).max() == pytest.approx(1)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


def test_every_tap_of_every_output_voxel_has_one_place() -> None:
    for outputs, step in ((2, 1), (2, 2), (1, 2)):
        taps = block_taps(outputs, step)
        torch.testing.assert_close(taps.sum(dim=(1, 2)), torch.ones(outputs, 3))
        assert taps.sum(dim=(0, 3)).max() <= 3


def test_stride_1_is_refused() -> None:
    with pytest.raises(ValueError, match="stride is 1, expected 4 or 2"):
        BlockNetwork(DISANet(1))
