# SPDX-License-Identifier: Apache-2.0
"""Bound runs: the same descriptors as unbound ones. Without a GPU the buffers are pageable, the rest is the same."""

from __future__ import annotations

import numpy as np
import pytest

from disa.network import gpu as gpu_run
from disa.network.gpu import Buffer, run_bound
from disa.network.models import find_model
from disa.network.session import open_session


@pytest.mark.parametrize("stride", [4, 2])
def test_bound_runs_give_the_same_bits_and_each_its_own_array(stride: int) -> None:
    session = open_session(find_model("disa-lc2", stride), stride, ("CPUExecutionProvider",))
    rng = np.random.default_rng(0)
    volumes = [rng.normal(size=size).astype(np.float32) for size in ((9, 14, 11), (17, 8, 21), (9, 14, 11))]
    found = [run_bound(session, volume, stride) for volume in volumes]
    for volume, descriptors in zip(volumes, found, strict=True):
        np.testing.assert_array_equal(descriptors, session.run(None, {"volume": volume[None, None]})[0])


def test_a_buffer_is_kept_until_it_is_too_small_and_not_grown_beyond_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buffer = Buffer()
    large = buffer.take((4, 5))
    assert np.shares_memory(large, buffer.take((3, 5)))
    assert not np.shares_memory(large, buffer.take((5, 5)))
    monkeypatch.setattr(gpu_run, "MAXIMUM_BYTES", 4 * 30)
    assert not np.shares_memory(buffer.take((30,)), buffer.take((31,)))


def test_page_locked_memory_is_asked_for_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Runtime:
        def __init__(self) -> None:
            self.held: dict[int, np.ndarray] = {}

        def cudaHostAlloc(self, pointer, size, flags) -> int:
            memory = np.empty(size.value, np.uint8)
            pointer._obj.value = memory.ctypes.data
            self.held[memory.ctypes.data] = memory
            return 0 if size.value <= 400 else 2

        def cudaFreeHost(self, pointer) -> int:
            del self.held[pointer.value]
            return 0

    runtime = Runtime()
    monkeypatch.setattr(gpu_run, "_cuda_runtime", lambda: runtime)
    buffer = Buffer()
    assert buffer.take((2, 5)).ctypes.data in runtime.held
    larger = buffer.take((100,))
    assert list(runtime.held) == [larger.ctypes.data]
    refused = buffer.take((101,))
    assert refused.ctypes.data not in runtime.held and refused.shape == (101,)
