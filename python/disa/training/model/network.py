"""The descriptor network of the DISA paper (Ronchetti et al., MICCAI 2023, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 16
STRIDES = (1, 2, 4)
NEGATIVE_SLOPE = 0.01
#: Voxels between descriptors of the widest stride.
CELL = 4


def receptive_field(stride: int = 4) -> int:
    """Side in voxels of the input cube that one descriptor depends on; the same at every stride."""
    if stride not in STRIDES:
        raise ValueError(f"stride is {stride}, expected one of {STRIDES}")
    full_resolution = 4 + 1  # four 3x3x3 convolutions, one blur
    half_resolution = 3 + 1
    quarter_resolution = 2
    radius = full_resolution + 2 * half_resolution + 4 * quarter_resolution
    return 2 * radius + 1


def act(x: Tensor) -> Tensor:
    """LeakyReLU, the activation of every layer that has one."""
    return functional.leaky_relu(x, NEGATIVE_SLOPE)


class ConvAct(nn.Module):
    """3x3x3 convolution, zero padded so that the size stays, then LeakyReLU."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return act(self.conv(x))


class ResBlock(nn.Module):
    """act(x + conv(act(conv(x)))), both convolutions 3x3x3 and zero padded."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = ConvAct(channels, channels, dilation)
        self.second = nn.Conv3d(channels, channels, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return act(x + self.second(self.first(x)))


class BlurPool(nn.Module):
    """Fixed [1, 2, 1] / 4 blur along each axis, then every `stride`-th voxel (Zhang, ICML 2019).

    Borders are replicated and output k is centred on input voxel k * stride, so sizes go from n to
    ceil(n / stride).
    """

    def __init__(self, stride: int, dilation: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        for axis in (2, 3, 4):
            x = blur(x, axis, self.stride, self.dilation)
        return x


def blur(x: Tensor, axis: int, stride: int, dilation: int = 1) -> Tensor:
    """[1, 2, 1] / 4 along one axis of five, border replicated, then every `stride`-th voxel."""
    d = dilation
    # Concatenation, because the backward pass of replicate padding is slow on GPUs.
    first, last = _along(x, axis, slice(None, 1)), _along(x, axis, slice(-1, None))
    padded = torch.cat([first] * d + [x] + [last] * d, dim=axis)
    left = _along(padded, axis, slice(None, -2 * d, stride))
    middle = _along(padded, axis, slice(d, -d, stride))
    right = _along(padded, axis, slice(2 * d, None, stride))
    return 0.25 * (left + right) + 0.5 * middle


def _along(x: Tensor, axis: int, window: slice) -> Tensor:
    """Slice one axis of a five-dimensional tensor."""
    return x[(slice(None),) * axis + (window,)]


def whole_cells(volume: Tensor) -> Tensor:
    """(n, 1, z, y, x) with each side continued to a multiple of 4 by its border voxel."""
    missing = [(CELL - n % CELL) % CELL for n in volume.shape[:1:-1]]
    return functional.pad(volume, [0, missing[0], 0, missing[1], 0, missing[2]], mode="replicate")


class DISANet(nn.Module):
    """Dense 16-channel descriptors of a volume.

    Strides 2 and 1 use the weights of stride 4: the subsampling of the last blur, or of both, is left
    out and what follows is dilated (Yu and Koltun's "a trous" reading of a strided network), so in the
    interior every 2nd or 4th of their descriptors is a stride-4 descriptor.

    Args:
        stride: voxels between descriptors, 4, 2 or 1. Descriptor k lies at voxel k * stride.

    Raises:
        ValueError: `stride` is none of these.
    """

    def __init__(self, stride: int = 4) -> None:
        super().__init__()
        if stride not in STRIDES:
            raise ValueError(f"stride is {stride}, expected one of {STRIDES}")
        self.stride = stride
        steps = {4: (2, 2), 2: (2, 1), 1: (1, 1)}[stride]
        after_first = 2 // steps[0]
        after_second = after_first * (2 // steps[1])
        self.layers = nn.Sequential(
            ConvAct(1, 8),
            ResBlock(8),
            ConvAct(8, 16),
            BlurPool(steps[0]),
            ResBlock(16, after_first),
            ConvAct(16, 32, after_first),
            BlurPool(steps[1], after_first),
            ResBlock(32, after_second),
            nn.Conv3d(32, CHANNELS, 1, bias=False),
        )

    def forward(self, volume: Tensor) -> Tensor:
        """Descriptors of normalised volumes.

        Args:
            volume: shape (n, 1, z, y, x), zero mean, unit standard deviation, 2 mm spacing.

        Returns:
            Shape (n, 16, ceil(z / stride), ceil(y / stride), ceil(x / stride)), each descriptor of
            Euclidean norm at most 1, float32.
        """
        sizes = [(n + self.stride - 1) // self.stride for n in volume.shape[2:]]  # ONNX rounds to 0, not down
        descriptors = clip_norm(self.layers(whole_cells(volume)).float())
        return descriptors[:, :, : sizes[0], : sizes[1], : sizes[2]]


def clip_norm(descriptors: Tensor) -> Tensor:
    """Divide each descriptor, axis 1, by the larger of its norm and 1 (paper, section 3)."""
    squared = (descriptors * descriptors).sum(dim=1, keepdim=True)
    return descriptors / squared.clamp_min(1.0).sqrt()


def shared_network(network: DISANet, stride: int) -> DISANet:
    """A network of another stride that holds the very parameters of `network`."""
    other = DISANet(stride).to(next(network.parameters()).device)
    for mine, theirs in zip(other.modules(), network.modules(), strict=True):
        for name, parameter in theirs.named_parameters(recurse=False):
            setattr(mine, name, parameter)
    return other


def parameter_count(network: nn.Module) -> int:
    """Number of trained numbers; 90,752 for the paper's network."""
    return sum(p.numel() for p in network.parameters())


def load_weights(path: str, stride: int = 4) -> DISANet:
    """Network with the weights of a state dictionary file, in evaluation mode, on the CPU."""
    network = DISANet(stride)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()
