# SPDX-License-Identifier: Apache-2.0
"""Runs of the network on a GPU through page-locked host memory, which the GPU reads and writes at full speed."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnxruntime

FloatArray = npt.NDArray[np.float32]

CHANNELS = 16

MAXIMUM_BYTES = 2**28
"""Page-locked memory that either buffer keeps at most; larger arrays go without."""

RUNTIMES = ("libcudart.so.13", "libcudart.so.12")
PORTABLE = 1
"""cudaHostAllocPortable."""

THREADS = 8
"""That copy an array; one is slower than the GPU's own bus."""


class Buffer:
    """Page-locked memory for one array at a time, kept and grown; pageable where there is no CUDA runtime."""

    def __init__(self) -> None:
        self._memory: FloatArray = np.empty(0, np.float32)
        self._locked: ctypes.c_void_p | None = None

    def take(self, shape: tuple[int, ...]) -> FloatArray:
        """An array of that shape, whose content the next call may overwrite."""
        count = math.prod(shape)
        if 4 * count > MAXIMUM_BYTES:
            return np.empty(shape, np.float32)
        if count > self._memory.size:
            self._grow(count)
        return self._memory[:count].reshape(shape)

    def _grow(self, count: int) -> None:
        runtime = _cuda_runtime()
        self._memory = np.empty(0, np.float32)
        if runtime and self._locked:
            runtime.cudaFreeHost(self._locked)
        self._locked = ctypes.c_void_p()
        if runtime and runtime.cudaHostAlloc(ctypes.byref(self._locked), ctypes.c_size_t(4 * count), PORTABLE) == 0:
            self._memory = np.ctypeslib.as_array(ctypes.cast(self._locked, ctypes.POINTER(ctypes.c_float)), (count,))
        else:
            self._locked = None
            self._memory = np.empty(count, np.float32)


_lock = threading.Lock()
_given, _found = Buffer(), Buffer()


def run_bound(session: onnxruntime.InferenceSession, volume: FloatArray, stride: int) -> FloatArray:
    """Descriptors of a volume, its input and output bound to buffers that all runs share.

    Args:
        session: of a DISA network.
        volume: shape (z, y, x).
        stride: the network's.

    Returns:
        Array of shape (ceil(z / stride), ..., 16), the caller's own.
    """
    cells = tuple(-(-size // stride) for size in volume.shape)
    with _lock:
        given, found = _given.take((1, 1, *volume.shape)), _found.take((*cells, CHANNELS))
        _copy(given[0, 0], volume)
        binding = session.io_binding()
        binding.bind_input(session.get_inputs()[0].name, "cpu", 0, np.float32, given.shape, given.ctypes.data)
        binding.bind_output(session.get_outputs()[0].name, "cpu", 0, np.float32, found.shape, found.ctypes.data)
        session.run_with_iobinding(binding)
        descriptors = np.empty_like(found)
        _copy(descriptors, found)
    return descriptors


def _copy(target: FloatArray, source: FloatArray) -> None:
    """`target[:] = source`, in slabs along the first axis by several threads."""
    edges = np.linspace(0, len(source), min(THREADS, len(source)) + 1).astype(int)
    slabs = [slice(first, last) for first, last in pairwise(edges)]
    list(_copiers().map(lambda slab: np.copyto(target[slab], source[slab]), slabs))


@functools.cache
def _copiers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, "disa-copy")


@functools.cache
def _cuda_runtime() -> ctypes.CDLL | None:
    """The CUDA runtime that ONNX Runtime has loaded."""
    for name in RUNTIMES if hasattr(os, "RTLD_NOLOAD") else ():
        try:
            return ctypes.CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        except OSError:
            continue
    return None
