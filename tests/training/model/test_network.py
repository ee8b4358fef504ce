# SPDX-License-Identifier: Apache-2.0
"""Architecture of the descriptor network and agreement of its strides."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")

from disa.training.model.network import (  # noqa: E402
    BlurPool,
    DISANet,
    clip_norm,
    parameter_count,
    receptive_field,
    shared_network,
)


def network(stride: int = 4) -> DISANet:
    torch.manual_seed(1)
    return DISANet(stride).eval()


def test_parameter_count_is_the_papers() -> None:
    assert parameter_count(DISANet()) == 90_752


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("size", [(4, 4, 4), (13, 8, 21)])
def test_sizes_are_rounded_up(stride: int, size: tuple[int, int, int]) -> None:
    with torch.no_grad():
        descriptors = network(stride)(torch.randn(2, 1, *size))
    assert descriptors.shape == (2, 16, *(-(-n // stride) for n in size))


@pytest.mark.parametrize("stride", [1, 2])
def test_denser_strides_contain_the_stride_4_descriptors(stride: int) -> None:
    sparse = network()
    dense = shared_network(sparse, stride)
    volume = torch.randn(1, 1, 50, 49, 51)
    step = 4 // stride
    with torch.no_grad():
        expected, got = sparse(volume), dense(volume)[:, :, ::step, ::step, ::step]
    inner = (slice(None), slice(None)) + (slice(5, -5),) * 3
    assert expected.std() > 1e-3
    torch.testing.assert_close(got[inner], expected[inner], atol=1e-5, rtol=1e-4)


def test_shared_network_trains_the_same_weights() -> None:
    sparse = network()
    dense = shared_network(sparse, 2)
    dense(torch.randn(1, 1, 8, 8, 8)).sum().backward()
    assert all(p.grad is not None for p in sparse.parameters())
    assert dense.state_dict().keys() == sparse.state_dict().keys()


def test_descriptor_k_depends_on_voxels_around_4k() -> None:
    radius = receptive_field() // 2
    volume = torch.randn(1, 1, 1, 1, 81).expand(1, 1, 3, 3, 81).clone().requires_grad_()
    net = network()
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, torch.nn.Conv3d):
                layer.weight.abs_()  # nothing cancels, nothing is cut by LeakyReLU
    net.layers(volume.abs())[0, :, 0, 0, 10].sum().backward()
    assert volume.grad is not None
    used = volume.grad[0, 0].abs().amax(dim=(0, 1)).nonzero().flatten()
    assert used.min() == 40 - radius
    assert used.max() == 40 + radius


def test_blur_keeps_positions_and_constants() -> None:
    ramp = torch.arange(12.0).expand(1, 1, 12, 12, 12)
    blurred = BlurPool(2)(ramp)[0, 0, 3, 3]
    torch.testing.assert_close(blurred[1:], torch.arange(2.0, 12.0, 2.0))
    assert blurred[0] == 0.25  # the border is replicated, not zero padded
    dilated = BlurPool(1, 2)(torch.full((1, 1, 5, 5, 5), 3.0))
    torch.testing.assert_close(dilated, torch.full((1, 1, 5, 5, 5), 3.0))


def test_norms_are_clipped_at_one_and_short_ones_stay() -> None:
    descriptors = torch.zeros(1, 16, 1, 1, 3)
    descriptors[0, :2, 0, 0, 0] = torch.tensor([3.0, 4.0])
    descriptors[0, 0, 0, 0, 1] = 0.25
    descriptors.requires_grad_()
    clipped = clip_norm(descriptors)
    torch.testing.assert_close(clipped[0, :2, 0, 0, 0], torch.tensor([0.6, 0.8]))
    assert clipped[0, 0, 0, 0, 1] == 0.25
    clipped.sum().backward()
    assert descriptors.grad is not None
    assert descriptors.grad.isfinite().all()


def test_other_strides_are_refused() -> None:
    with pytest.raises(ValueError, match="stride is 3"):
        DISANet(3)
    with pytest.raises(ValueError, match="stride is 8"):
        receptive_field(8)
