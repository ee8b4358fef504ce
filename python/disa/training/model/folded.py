"""The network laid out for training speed: the same weights and, away from rounding, the same descriptors.

A GPU's matrix units idle in convolutions of 8 or 16 channels. Here tensors are (n, z, y, x, channels), where
a run of `fold` voxels along x with all their channels is one wide voxel without a copy; weights spread over
such wide voxels do more arithmetic, in less time. `torch.compile` fuses what lies between convolutions.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from disa.training.model.network import DISANet, ResBlock, act, blur, clip_norm

#: Channels that a wide voxel should have, and the most voxels it may have: fastest of those tried on an H100.
WIDTH = 64
MAX_FOLD = 8


def spread(weight: Tensor, fold: int) -> Tensor:
    """The 3x3x3 kernel between wide voxels that does what `weight` does between voxels.

    Args:
        weight: shape (outputs, inputs, 3, 3, 3).
        fold: voxels in a wide voxel.

    Returns:
        Shape (fold * outputs, fold * inputs, 3, 3, 3), channels of one voxel together.
    """
    outputs, inputs = weight.shape[:2]
    # Tap t of output voxel p reads voxel p + t - 1 of the 3 * fold that begin at -fold.
    rows = [functional.pad(weight, (fold + p - 1, 2 * fold - p - 2)) for p in range(fold)]
    taps = torch.stack(rows).view(fold, outputs, inputs, 3, 3, 3, fold)
    return taps.permute(0, 1, 6, 2, 3, 4, 5).reshape(fold * outputs, fold * inputs, 3, 3, 3)


def _convolve(x: Tensor, layer: nn.Conv3d) -> Tensor:
    """3x3x3 convolution of (n, z, y, x, channels), zero padded, dilation 1."""
    n, depth, height, width, inputs = x.shape
    fold = math.gcd(min(WIDTH // inputs, MAX_FOLD), width)
    wide = x.reshape(n, depth, height, width // fold, fold * inputs).permute(0, 4, 1, 2, 3)
    weight = spread(layer.weight, fold).to(x.dtype, memory_format=torch.channels_last_3d)
    result = functional.conv3d(wide, weight, padding=1).permute(0, 2, 3, 4, 1)
    return result.reshape(n, depth, height, width, -1) + layer.bias.to(x.dtype)


def _residual(x: Tensor, block: ResBlock) -> Tensor:
    return act(x + _convolve(act(_convolve(x, block.first.conv)), block.second))


def _blur(x: Tensor, stride: int) -> Tensor:
    for axis in (1, 2, 3):
        x = blur(x, axis, stride)
    return x


def trunk(network: DISANet, volume: Tensor, dtype: torch.dtype) -> Tensor:
    """What strides 4 and 2 have in common, up to the second blur.

    Args:
        network: weights.
        volume: shape (n, z, y, x), sides multiples of 4.
        dtype: of the arithmetic.

    Returns:
        Shape (n, z / 2, y / 2, x / 2, 32).
    """
    layers = network.layers
    x = act(_convolve(volume[..., None].to(dtype), layers[0].conv))
    x = act(_convolve(_residual(x, layers[1]), layers[2].conv))
    x = _residual(_blur(x, 2), layers[4])
    return act(_convolve(x, layers[5].conv))


def head(network: DISANet, x: Tensor, stride: int) -> Tensor:
    """Descriptors of stride 4 or 2 from `trunk`, shape (n, 16, z', y', x'), float32."""
    x = _blur(x, stride // 2)
    if stride == 2:
        # Dilated by two, the voxels of one parity see each other alone: eight small volumes.
        n, depth, height, width, channels = x.shape
        x = x.view(n, depth // 2, 2, height // 2, 2, width // 2, 2, channels)
        x = x.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(8 * n, depth // 2, height // 2, width // 2, channels)
    x = functional.linear(_residual(x, network.layers[7]), network.layers[8].weight.flatten(1).to(x.dtype))
    if stride == 2:
        x = x.view(n, 2, 2, 2, depth // 2, height // 2, width // 2, -1)
        x = x.permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(n, depth, height, width, -1)
    return clip_norm(x.permute(0, 4, 1, 2, 3).float())
