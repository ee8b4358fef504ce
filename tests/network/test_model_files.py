# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from disa.network.models import find_model

onnx = pytest.importorskip("onnx", reason="reads the shipped networks with the onnx package")


def weights(stride: int) -> dict[tuple[int, ...], np.ndarray]:
    model = onnx.load(find_model("disa-lc2", stride))
    arrays = [onnx.numpy_helper.to_array(t) for t in model.graph.initializer]
    return {(i, *a.shape): a for i, a in enumerate(a for a in arrays if a.ndim == 5 or a.shape in ((8,), (16,), (32,)))}


@pytest.mark.parametrize("stride", [4, 2, 1])
def test_the_network_is_the_papers(stride: int) -> None:
    model = onnx.load(find_model("disa-lc2", stride))
    onnx.checker.check_model(model, full_check=True)
    convolutions = [n for n in model.graph.node if n.op_type == "Conv"]
    sizes = {t.name: math.prod(t.dims) for t in model.graph.initializer}
    learned = [n for n in convolutions if n.input[1] in sizes]
    parameters = sum(sizes[name] for n in learned for name in n.input[1:])
    assert len(learned) == 10
    assert parameters == 90_752


@pytest.mark.parametrize("stride", [4, 2, 1])
def test_the_file_says_what_it_is(stride: int) -> None:
    path = find_model("disa-lc2", stride)
    assert path.stat().st_size < 1_000_000
    about = {p.key: p.value for p in onnx.load(path).metadata_props}
    assert about["name"] == "disa-lc2"
    assert about["stride"] == str(stride)
    assert about["channels"] == "16"
    assert float(about["spacing_mm"]) == 2.0
    assert (
        about["weights_sha256"]
        == {p.key: p.value for p in onnx.load(find_model("disa-lc2", 4)).metadata_props}["weights_sha256"]
    )


@pytest.mark.parametrize("stride", [4, 2, 1])
@pytest.mark.parametrize("shape", [(9, 10, 11), (4, 33, 6), (1, 5, 64)])
def test_any_size_runs(stride: int, shape: tuple[int, int, int]) -> None:
    from disa.network.session import run_network

    volume = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    out = run_network(volume, find_model("disa-lc2", stride), stride)
    assert out.shape == (*(-(-n // stride) for n in shape), 16)
    assert np.linalg.norm(out, axis=-1).max() <= 1 + 1e-5


def test_gpus_get_the_half_precision_file_where_there_is_one() -> None:
    for stride in (4, 2):
        half = find_model("disa-lc2", stride, on_gpu=True)
        about, plain = (
            {p.key: p.value for p in onnx.load(path).metadata_props} for path in (half, find_model("disa-lc2", stride))
        )
        assert (about["precision"], plain["precision"]) == ("fp16", "fp32")
        assert about["weights_sha256"] == plain["weights_sha256"]
    assert find_model("disa-lc2", 1, on_gpu=True) == find_model("disa-lc2", 1)
    own = find_model("disa-lc2", 2)
    assert find_model(own, 4, on_gpu=True) == find_model("disa-lc2", 4)


@pytest.mark.skipif(
    (os.cpu_count() or 1) < 2 or not hasattr(os, "sched_setaffinity"), reason="needs two cores of Linux"
)
def test_the_network_keeps_to_the_cores_that_its_process_is_held_to() -> None:
    script = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from disa.network.session import open_session\n"
        "from disa.network.models import find_model\n"
        "session = open_session(find_model('disa-lc2', 4), 4, ('CPUExecutionProvider',))\n"
        "print(session.get_session_options().intra_op_num_threads)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "1"
