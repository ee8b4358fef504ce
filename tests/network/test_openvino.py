# SPDX-License-Identifier: Apache-2.0
"""The network through OpenVINO, where this ONNX Runtime has it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from disa.network.models import find_model
from disa.network.providers import CPU, OPENVINO
from disa.network.session import available_providers, open_session, run_network

if OPENVINO not in available_providers():
    pytest.skip("this ONNX Runtime has no OpenVINO: pip install '.[openvino]'", allow_module_level=True)


@pytest.fixture(scope="module")
def volume() -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(61, 50, 43)).astype(np.float32)


@pytest.mark.parametrize("stride", [4, 2, 1])
def test_it_errs_by_less_than_half_an_8_bit_step(volume: npt.NDArray[np.float32], stride: int) -> None:
    path = find_model("disa-lc2", stride)
    exact = run_network(volume, path, stride, [CPU])
    difference = run_network(volume, path, stride, [OPENVINO]) - exact
    step = np.abs(exact).max() / 127
    assert np.sqrt((difference**2).mean()) < step / 2
    assert np.quantile(np.abs(difference), 0.999) < 3 * step


def test_it_is_the_first_choice_on_a_processor() -> None:
    assert open_session(find_model("disa-lc2", 4), 4, ()).get_providers()[0] in (OPENVINO, "CUDAExecutionProvider")


def test_threads_do_not_change_a_bit(volume: npt.NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    path = find_model("disa-lc2", 2)
    found = []
    for threads in (1, 2, 3):
        open_session.cache_clear()
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        found.append(run_network(volume, path, 2, [OPENVINO]))
    open_session.cache_clear()
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])
