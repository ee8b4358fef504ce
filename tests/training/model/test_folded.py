# SPDX-License-Identifier: Apache-2.0
"""The training layout of the network against the plain network."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.learning.balance import weighted_error  # noqa: E402
from disa.training.learning.error import DescriptorError, Form  # noqa: E402
from disa.training.model.folded import head, spread, trunk  # noqa: E402
from disa.training.model.network import DISANet, shared_network  # noqa: E402
from disa.training.sampling.compare import Batch, predict  # noqa: E402


@pytest.mark.parametrize("stride", [4, 2])
def test_descriptors_are_those_of_the_plain_network(stride: int) -> None:
    torch.manual_seed(1)
    network, volume = DISANet(), torch.randn(2, 16, 24, 20)
    with torch.no_grad():
        expected = shared_network(network, stride)(volume[:, None])
        got = head(network, trunk(network, volume, torch.float32), stride)
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-4)


def test_error_and_gradients_are_those_of_the_plain_network() -> None:
    torch.manual_seed(2)
    network = DISANet()
    points = 6 + 4 * torch.rand(2, 2, 5, 3)
    batch = Batch(*torch.randn(2, 2, 16, 16, 16), *points, torch.rand(2, 5, 5))
    weights = torch.rand(4)
    expected = weighted_error(
        predict(network, shared_network(network, 2), batch), batch.target, weights, (0.0, 1.0), 0.3
    )
    got = DescriptorError(network, Form((0.0, 1.0), torch.float32, 0.3))(batch, weights).similarity
    torch.testing.assert_close(got, expected)
    parameters = list(network.parameters())
    for a, b in zip(torch.autograd.grad(got, parameters), torch.autograd.grad(expected, parameters), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-3)


def test_half_the_bits_give_about_the_same_error() -> None:
    torch.manual_seed(6)
    network = DISANet()
    batch = Batch(*torch.randn(2, 2, 16, 16, 16), *(6 + 4 * torch.rand(2, 2, 5, 3)), torch.rand(2, 5, 5))
    exact, coarse = (
        DescriptorError(network, Form((0.0, 1.0), dtype, 0.5))(batch, torch.ones(4)).similarity.item()
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert coarse != exact
    assert coarse == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("fold", [1, 2, 4])
def test_wide_voxels_convolve_alike(fold: int) -> None:
    torch.manual_seed(3)
    x, weight = torch.randn(1, 3, 3, 3, 8), torch.randn(2, 3, 3, 3, 3)
    expected = torch.nn.functional.conv3d(x, weight, padding=1)
    wide = x.view(1, 3, 3, 3, 8 // fold, fold).permute(0, 5, 1, 2, 3, 4).reshape(1, 3 * fold, 3, 3, 8 // fold)
    got = torch.nn.functional.conv3d(wide, spread(weight, fold), padding=1)
    got = got.view(1, fold, 2, 3, 3, 8 // fold).permute(0, 2, 3, 4, 5, 1).reshape(expected.shape)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)
