# SPDX-License-Identifier: Apache-2.0
"""Networks that end the process that runs them, or never end, are one line; those that come with the package cost no
process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="writes networks with the onnx package")

from onnx import TensorProto, helper, numpy_helper

import disa
from disa.network import child_trial
from disa.network.models import find_model
from disa.network.providers import CPU, OPENVINO
from disa.network.seal import sealed
from disa.network.session import available_providers, open_session
from disa.sealing.options import SealOptions
from disa.sealing.seal import seal

node = helper.make_node


@pytest.fixture(autouse=True)
def _unknown_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_trial, "_survived", set())
    open_session.cache_clear()


def endless(path: Path) -> Path:
    """A sealed network that doubles its input for ever."""

    def value(name: str, kind: int = TensorProto.FLOAT, shape: tuple[int | str, ...] | None = None) -> object:
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Add", ["state", "state"], ["next"])],
        "body",
        [value("turn", TensorProto.INT64, ()), value("go", TensorProto.BOOL, ()), value("state")],
        [value("on", TensorProto.BOOL, ()), value("next")],
    )
    graph = helper.make_graph(
        [node("Loop", ["", "true", "volume"], ["found"], body=body)],
        "endless",
        [value("volume", shape=(1, 1, "z", "y", "x"))],
        [value("found", shape=(1, 1, "z", "y", "x"))],
        [numpy_helper.from_array(np.array(True), "true")],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    path.write_bytes(sealed(model.SerializeToString()))
    return path


def test_a_network_that_never_ends_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_trial, "PATIENCE", 3.0)
    path = endless(tmp_path / "endless-stride4.onnx")
    said = f"{path}: running it does not end within 3 s; export or seal it again from a network that runs"
    with pytest.raises(disa.ModelError) as caught:
        open_session(path, 4, (CPU,))
    assert str(caught.value) == said
    with pytest.raises(disa.ModelError) as caught:
        seal(path, tmp_path / "mine.onnx", options=SealOptions(stride=1))
    assert str(caught.value) == said
    assert not (tmp_path / "mine.onnx").exists()


def test_a_network_that_ends_the_process_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "other-stride4.onnx"
    path.write_bytes(find_model("disa-lc2", 4).read_bytes())
    monkeypatch.setattr(child_trial, "_CHILD", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(disa.ModelError, match=r"other-stride4\.onnx: ends the process that runs it by signal 11; ex"):
        open_session(path, 4, (CPU,))


@pytest.mark.skipif(OPENVINO not in available_providers(), reason="this ONNX Runtime has no OpenVINO")
def test_a_graph_that_openvino_does_not_survive_is_refused(tmp_path: Path) -> None:
    """A copy of a shipped model with a checksum that fits, where one byte of an axis' number, 2, has changed."""
    content = find_model("disa-lc2", 4).read_bytes()
    axis = b"J\x08" + (2).to_bytes(8, "little")
    assert axis in content
    path = tmp_path / "damaged-stride4.onnx"
    path.write_bytes(sealed(content.replace(axis, b"J\x08" + (2 + 224 * 2**32).to_bytes(8, "little"), 1)))
    with pytest.raises(disa.ModelError, match=r"damaged-stride4\.onnx: (ends the process that runs it|not a network)"):
        open_session(path, 4, (OPENVINO,))


def test_a_network_is_run_by_another_process_once_and_a_shipped_one_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = find_model("disa-lc2", 4)
    path = tmp_path / "copy-stride4.onnx"
    path.write_bytes(shipped.read_bytes())
    open_session(path, 4, (CPU,))
    open_session.cache_clear()
    monkeypatch.setattr(child_trial, "_CHILD", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    for known in (path, shipped):
        assert open_session(known, 4, (CPU,)).get_modelmeta().custom_metadata_map["stride"] == "4"
