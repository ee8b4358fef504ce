# SPDX-License-Identifier: Apache-2.0
"""A network over a volume that is too large for one run: in slabs that overlap by what a descriptor sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from disa.network.strides import STRIDES
from disa.progress import announce

FloatArray = npt.NDArray[np.float32]

LARGEST_STRIDE = max(STRIDES)


def in_slabs(
    run: Callable[[FloatArray], FloatArray],
    volume: FloatArray,
    stride: int,
    radius: int | None,
    maximum_voxels: int,
    *,
    is_outer: bool = True,
) -> FloatArray:
    """Descriptors of a volume, those of one run where it is small enough.

    Slabs lie along z; those of a plate, and of what is too large across, along the longest axis. A slab that is still
    too large goes in slabs itself, along another axis.

    Args:
        run: the network, (z, y, x) to (ceil(z / stride), ..., channels).
        volume: shape (z, y, x).
        stride: the network's.
        radius: voxels on each side that a descriptor sees, a multiple of every stride; None: all of the volume.
        maximum_voxels: of a run; where no cut makes a slab smaller, it takes as many as it has.
        is_outer: whether these slabs say how far they are; not those of a slab.
    """
    if radius is None or volume.size <= maximum_voxels or max(volume.shape) <= 3 * radius:
        if is_outer:
            announce("network", 0.0)
        return run(volume)
    is_plate = maximum_voxels // (volume.shape[1] * volume.shape[2]) < 3 * radius
    axis = int(np.argmax(volume.shape)) if is_plate else 0
    length = volume.shape[axis]
    thickness = max(maximum_voxels // (volume.size // length) - 2 * radius, radius)
    thickness -= thickness % LARGEST_STRIDE
    slabs = []
    for start in range(0, length, thickness):
        if is_outer:
            announce("network", start / length)
        before = min(start, radius)
        stop = min(start + thickness, length)
        part = volume[_between(axis, start - before, stop + radius)]
        slab = in_slabs(run, part, stride, radius, maximum_voxels, is_outer=False)
        slabs.append(slab[_between(axis, before // stride, before // stride - (start - stop) // stride)])
    return np.concatenate(slabs, axis) if len(slabs) > 1 else slabs[0]


def _between(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    """Index of the part of an array between two places along an axis."""
    return (*[slice(None)] * axis, slice(start, stop))
