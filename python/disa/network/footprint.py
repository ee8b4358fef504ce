# SPDX-License-Identifier: Apache-2.0
"""The memory that descriptors of a volume take, and how much of a volume may run at once within the limit.

`benchmarks/memory.py` measures the peak of the resident memory beside the limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from disa.errors import ImageError
from disa.memory import VARIABLE, memory_limit, readable
from disa.network.providers import CPU, GPU, OPENVINO

MAXIMUM_VOXELS = {
    GPU: {4: 24_000_000, 2: 24_000_000, 1: 4_000_000},
    OPENVINO: {4: 24_000_000, 2: 20_000_000, 1: 3_000_000},
    CPU: {4: 12_000_000, 2: 9_000_000, 1: 2_500_000},
}
"""Voxels run at once, by stride, however much memory there is: more is not faster."""

MAXIMUM_BYTES = 5e9
"""Of a run of so many voxels on a processor."""

LEAST_VOXELS = 72**3
"""Run at once at least: three times what a descriptor of disa-lc2 sees along each axis."""


def bytes_about(shape: Sequence[int], stride: int) -> float:
    """Of a volume and all of its descriptors, the network's run aside."""
    return math.prod(shape) * (17 + 224 / stride**3)


def bytes_a_voxel(stride: int, provider: str) -> float:
    """Of a run of the network, in the process' own memory."""
    if provider == GPU:
        return 0.0
    return MAXIMUM_BYTES / MAXIMUM_VOXELS.get(provider, MAXIMUM_VOXELS[CPU])[stride]


def check_memory(shape: Sequence[int], stride: int, name: str) -> None:
    """Refuse a volume before anything of it is made.

    Args:
        shape: of the volume that the network is to see.
        stride: voxels between descriptors.
        name: what a message calls it.

    Raises:
        ImageError: the limit of memory does not hold its descriptors.
    """
    if bytes_about(shape, stride) > memory_limit():
        raise too_large(shape, bytes_about(shape, stride), name)


def voxels_at_once(shape: Sequence[int], stride: int, provider: str, name: str) -> tuple[int, int]:
    """How many voxels of a volume may run at once: as many as are fast, and as many as there is memory for.

    Args:
        shape: of the whole volume.
        stride: voxels between descriptors.
        provider: that the network runs on.
        name: what a message calls the volume.

    Raises:
        ImageError: the limit of memory holds not even the descriptors.
    """
    each = bytes_a_voxel(stride, provider)
    left = memory_limit() - bytes_about(shape, stride)
    if left < each * min(LEAST_VOXELS, math.prod(shape)):
        raise too_large(shape, bytes_about(shape, stride) + each * min(LEAST_VOXELS, math.prod(shape)), name)
    fast = MAXIMUM_VOXELS.get(provider, MAXIMUM_VOXELS[CPU])[stride]
    fitting = int(left / each) if each else math.prod(shape)
    return min(fast, fitting), fitting


def too_large(shape: Sequence[int], needed: float, name: str) -> ImageError:
    """The one line for a volume that the limit of memory does not hold."""
    z, y, x = shape
    return ImageError(
        f"{name}: {x} x {y} x {z} voxels for the network take about {readable(needed)} of memory, the limit is "
        f"{readable(memory_limit())}; use a larger spacing, crop the image, or raise the environment variable "
        f"{VARIABLE}"
    )
