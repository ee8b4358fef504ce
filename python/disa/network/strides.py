# SPDX-License-Identifier: Apache-2.0
"""Descriptors of every stride from a network of one stride."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

STRIDES = (4, 2, 1)
DERIVED = "derived"
"""What a model file's metadata say of other strides where `at_stride` makes them."""


def at_stride(run: Callable[[FloatArray], FloatArray], volume: FloatArray, own: int, stride: int) -> FloatArray:
    """Descriptors of another stride than the network's.

    Wider ones are means over the cubes about their places. Closer ones are runs of the network on shifted volumes, 8
    for half the stride.

    Args:
        run: the network, (z, y, x) to (ceil(z / own), ..., channels).
        volume: shape (z, y, x).
        own: the network's stride, 4, 2 or 1.
        stride: the wanted one, 4, 2 or 1.

    Returns:
        Shape (ceil(z / stride), ..., channels).
    """
    return averaged(run(volume), stride // own) if stride > own else _shifted(run, volume, own, stride)


def averaged(values: FloatArray, side: int) -> FloatArray:
    """Means over cubes of an even side about every side-th cell, cells on their faces by half.

    Args:
        values: shape (z, y, x, channels); they go on beyond the border as the border is.
        side: in cells.
    """
    shares = np.ones(side + 1, np.float32) / side
    shares[[0, -1]] /= 2
    for axis in range(3):
        last = -(-values.shape[axis] // side) * side
        padded = np.pad(values, [(side // 2 * (axis == a),) * 2 for a in range(4)], mode="edge")
        values = np.zeros_like(np.take(padded, range(0, last - side + 1, side), axis))
        for k, share in enumerate(shares):
            values += share * np.take(padded, range(k, k + last - side + 1, side), axis)
    return values


def _shifted(run: Callable[[FloatArray], FloatArray], volume: FloatArray, own: int, stride: int) -> FloatArray:
    step = own // stride
    cells = [-(-n // own) for n in volume.shape]
    found: FloatArray | None = None
    for shift in itertools.product(range(step), repeat=3):
        before = [(own - stride * k) % own for k in shift]
        ends = [max(count * own + 1 - n - b, 0) for b, count, n in zip(before, cells, volume.shape, strict=True)]
        pads = [(b, end if b else 0) for b, end in zip(before, ends, strict=True)]
        part = run(np.pad(volume, pads, mode="edge"))
        if found is None:
            found = np.empty((*(step * count for count in cells), part.shape[-1]), np.float32)
        found[tuple(slice(k, None, step) for k in shift)] = part[tuple(slice(int(b > 0), None) for b in before)]
    assert found is not None
    return found[tuple(slice(-(-n // stride)) for n in volume.shape)]
