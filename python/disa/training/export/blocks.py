"""The network laid out for a GPU's matrix units: the same descriptors, away from rounding.

Matrix units idle in convolutions of 8 or 16 channels, and memory waits for their large tensors. Here a block of
2x2x2 voxels is one voxel with eight times the channels, so every convolution has 64 or more. Channels are ordered by
(z, y, x) of the voxel in its block, then as before. A dilated convolution sees voxels of one parity alone, which in
this order are a batch of eight volumes without a copy.

Kernels are spread over blocks within the graph, so that a file holds them as small as they are; ONNX Runtime does it
once, when it opens the file.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from disa.training.model.network import CHANNELS, NEGATIVE_SLOPE, DISANet, ResBlock, act, clip_norm, whole_cells

BLUR = torch.tensor([0.25, 0.5, 0.25])


def unfold(x: Tensor) -> Tensor:
    """A batch of the eight parities of voxels, (8, 16, z, y, x), to (2 z, 2 y, 2 x, 16)."""
    depth, height, width = x.shape[2:]
    x = x.reshape(2, 2, 2, CHANNELS, depth, height, width).permute(4, 0, 5, 1, 6, 2, 3)
    return x.reshape(2 * depth, 2 * height, 2 * width, CHANNELS)


def block_taps(outputs: int = 2, step: int = 1) -> Tensor:
    """Which tap of three joins an output voxel of a block with a voxel of the blocks around.

    Args:
        outputs: voxels a side of an output block.
        step: voxels between two outputs.

    Returns:
        Shape (outputs, 2, k, 3): output voxel, voxel in its block, block, tap. The first of the k blocks is the one
        before the output's.
    """
    blocks = (outputs * step) // 2 + 1 + (step == 1)
    taps = torch.zeros(outputs, 2, blocks, 3)
    for output in range(outputs):
        for tap in range(3):
            voxel = output * step + tap - 1
            taps[output, voxel % 2, voxel // 2 + 1, tap] = 1
    return taps


def voxel_taps() -> Tensor:
    """The same between the two voxels a side of an output block and single voxels around, shape (2, 1, 4, 3)."""
    return torch.stack([torch.eye(4)[p : p + 3].T for p in range(2)])[:, None]


class BlockConv(nn.Module):
    """3x3x3 convolution, zero padded, its result in blocks.

    Args:
        layer: of voxels.
        taps: which tap joins which voxels, as `block_taps` returns them.
        stride: what the kernel moves by, in blocks or voxels of the input.
    """

    taps: Tensor
    bias: Tensor

    def __init__(self, layer: nn.Conv3d, taps: Tensor | None = None, stride: int = 1) -> None:
        super().__init__()
        assert layer.bias is not None
        self.weight, self.bias, self.stride = layer.weight, layer.bias, stride
        taps = block_taps() if taps is None else taps
        self.register_buffer("taps", taps)
        outputs, inputs, blocks, _ = taps.shape
        self.voxels = outputs**3
        self.shape = (self.voxels * layer.out_channels, inputs**3 * layer.in_channels, blocks, blocks, blocks)

    def forward(self, x: Tensor) -> Tensor:
        taps = self.taps
        spread = torch.einsum("adgj,behk,cfil,oxjkl->abcodefxghi", taps, taps, taps, self.weight)
        weight = spread.reshape(self.shape)
        return functional.conv3d(x, weight, self.bias.repeat(self.voxels), stride=self.stride, padding=1)


class BlockResidual(nn.Module):
    """`ResBlock` on blocks."""

    def __init__(self, block: ResBlock) -> None:
        super().__init__()
        self.first, self.second = BlockConv(block.first.conv), BlockConv(block.second)

    def forward(self, x: Tensor) -> Tensor:
        return act(x + self.second(act(self.first(x))))


class BlockBlur(nn.Module):
    """`BlurPool` of blocks.

    Args:
        channels: of a voxel.
        step: 2, every other voxel is kept; 1, all are.
        outputs: voxels a side of an output block; 1: none, the output is voxels.
    """

    taps: Tensor
    same: Tensor

    def __init__(self, channels: int, step: int, outputs: int) -> None:
        super().__init__()
        self.channels, self.outputs, self.step = channels, outputs, step
        self.register_buffer("taps", block_taps(outputs, step) @ BLUR)
        self.register_buffer("same", torch.eye(channels))

    def forward(self, x: Tensor) -> Tensor:
        for axis in range(3):
            planes = [_continued(x, axis, 0, self.channels), x]
            if self.step == 1:
                planes.append(_continued(x, axis, 1, self.channels))
            x = torch.cat(planes, dim=axis + 2)
        taps = self.taps
        spread = torch.einsum("adg,beh,cfi,ox->abcodefxghi", taps, taps, taps, self.same)
        weight = spread.reshape(self.outputs**3 * self.channels, 8 * self.channels, *taps.shape[2:] * 3)
        return functional.conv3d(x, weight, stride=self.outputs * self.step // 2)


def _continued(x: Tensor, axis: int, end: int, channels: int) -> Tensor:
    """The plane of blocks beyond one end of an axis, where voxels repeat the border's."""
    index = torch.arange(8 * channels).view(2, 2, 2, channels)
    index = index.narrow(axis, end, 1).expand(2, 2, 2, channels).reshape(-1)
    size = x.shape[axis + 2]
    return x.narrow(axis + 2, 0 if end == 0 else size - 1, 1)[:, index]


class BlockNetwork(nn.Module):
    """`DISANet` of stride 4 or 2 for one volume, its output with channels last.

    Args:
        network: weights and stride.

    Raises:
        ValueError: the stride is 1, at which nothing is left out and blocks gain nothing.
    """

    def __init__(self, network: DISANet) -> None:
        super().__init__()
        if network.stride == 1:
            raise ValueError("stride is 1, expected 4 or 2")
        layers = network.layers
        self.stride = network.stride
        self.first = nn.Sequential(
            BlockConv(layers[0].conv, voxel_taps(), stride=2),
            nn.LeakyReLU(NEGATIVE_SLOPE),
            BlockResidual(layers[1]),
            BlockConv(layers[2].conv),
            nn.LeakyReLU(NEGATIVE_SLOPE),
        )
        self.first_blur = BlockBlur(16, 2, 2)
        self.middle = nn.Sequential(BlockResidual(layers[4]), BlockConv(layers[5].conv), nn.LeakyReLU(NEGATIVE_SLOPE))
        self.second_blur = BlockBlur(32, 2, 1) if network.stride == 4 else BlockBlur(32, 1, 2)
        last = DISANet(4).layers
        last[7].load_state_dict(layers[7].state_dict())
        last[8].load_state_dict(layers[8].state_dict())
        self.last = nn.Sequential(last[7], last[8])

    def forward(self, volume: Tensor) -> Tensor:
        """(1, 1, z, y, x) to (z', y', x', 16)."""
        sizes = [(n + self.stride - 1) // self.stride for n in volume.shape[2:]]  # ONNX rounds to 0, not down
        x = self.second_blur(self.middle(self.first_blur(self.first(whole_cells(volume)))))
        if self.stride == 2:
            x = x.reshape(8, 32, *x.shape[2:])
        x = clip_norm(self.last(x))
        x = unfold(x) if self.stride == 2 else x[0].permute(1, 2, 3, 0)
        return x[: sizes[0], : sizes[1], : sizes[2]]
