# SPDX-License-Identifier: Apache-2.0
"""Exported models against the network in PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="the training side needs PyTorch")
onnx = pytest.importorskip("onnx", reason="export needs onnx")
onnxruntime = pytest.importorskip("onnxruntime", reason="running a model needs onnxruntime")
pytest.importorskip("onnxscript", reason="export needs onnxscript")

from disa.errors import ModelError  # noqa: E402
from disa.training.export.onnx_file import About, export_onnx, weights_digest  # noqa: E402
from disa.training.model.checkpoint import averaged_weights  # noqa: E402
from disa.training.model.network import DISANet, load_weights  # noqa: E402
from helpers.paths import MODELS  # noqa: E402

SIZES = [(4, 5, 6), (32, 20, 24), (27, 33, 21)]

Array = NDArray[np.float32]


def run(path: Path, volume: Array) -> Array:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (descriptors,) = session.run(["descriptors"], {"volume": volume[None, None]})
    return np.asarray(descriptors)


def random_volume(size: tuple[int, int, int]) -> Array:
    return np.random.default_rng(1).normal(0, 2, size).astype(np.float32)


def torch_descriptors(network: DISANet, volume: Array) -> Array:
    with torch.no_grad():
        descriptors = network(torch.from_numpy(volume)[None, None])
    return np.moveaxis(descriptors[0].numpy(), 0, -1)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Models exported now, from weights large enough that some norms are clipped."""
    torch.manual_seed(2)
    weights = {name: 2 * value for name, value in DISANet().state_dict().items()}
    folder = tmp_path_factory.mktemp("models")
    torch.save(weights, folder / "weights.pt")
    paths = {0: folder / "weights.pt"}
    for stride in (1, 2, 4):
        paths[stride] = folder / f"stride{stride}.onnx"
        export_onnx(weights, stride, paths[stride], About("test"))
    return paths


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("size", SIZES)
def test_fresh_export_equals_pytorch(fresh: dict[int, Path], stride: int, size: tuple[int, int, int]) -> None:
    volume = random_volume(size)
    expected = torch_descriptors(load_weights(str(fresh[0]), stride), volume)
    got = run(fresh[stride], volume)
    assert got.shape == (*(-(-n // stride) for n in size), 16)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert np.linalg.norm(got, axis=-1).max() <= 1 + 1e-5


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_released_model_equals_released_weights(stride: int) -> None:
    volume = random_volume(SIZES[2])
    expected = torch_descriptors(load_weights(str(MODELS / "disa-lc2.pt"), stride), volume)
    got = run(MODELS / f"disa-lc2-stride{stride}.onnx", volume)
    assert np.linalg.norm(expected, axis=-1).mean() > 0.1
    np.testing.assert_allclose(got, expected, atol=1e-4)


@pytest.mark.parametrize("stride", [2, 4])
def test_released_half_precision_model_equals_released_weights(stride: int) -> None:
    volume = random_volume(SIZES[2])
    expected = torch_descriptors(load_weights(str(MODELS / "disa-lc2.pt"), stride), volume)
    path = MODELS / f"disa-lc2-fp16-stride{stride}.onnx"
    np.testing.assert_allclose(run(path, volume), expected, atol=1e-2)
    assert path.stat().st_size < 1_000_000


def test_released_strides_agree() -> None:
    volume = random_volume((53, 50, 51))
    sparse = run(MODELS / "disa-lc2-stride4.onnx", volume)
    dense = run(MODELS / "disa-lc2-stride2.onnx", volume)
    inner = (slice(3, -3),) * 3
    np.testing.assert_allclose(dense[::2, ::2, ::2][inner], sparse[inner], atol=1e-4)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_released_model_is_small_self_contained_and_labelled(stride: int) -> None:
    path = MODELS / f"disa-lc2-stride{stride}.onnx"
    assert path.stat().st_size < 1_000_000
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model)
    assert all(t.data_location == onnx.TensorProto.DEFAULT for t in model.graph.initializer)
    # What ONNX Runtime 1.18 reads.
    assert model.ir_version <= 10
    assert model.opset_import[0].version <= 21
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["stride"] == str(stride)
    assert said["channels"] == "16"
    assert said["spacing_mm"] == "2.0"
    weights = torch.load(MODELS / "disa-lc2.pt", weights_only=True)
    assert said["weights_sha256"] == weights_digest(weights)


def test_half_precision_is_close_and_says_so(fresh: dict[int, Path], tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    export_onnx(averaged_weights(fresh[0]), 4, path, About("test"), "fp16")
    volume = random_volume(SIZES[1])
    np.testing.assert_allclose(run(path, volume), run(fresh[4], volume), atol=1e-2)
    assert not np.array_equal(run(path, volume), run(fresh[4], volume))
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    kinds = {value.name: value.type.tensor_type.elem_type for value in model.graph.value_info}
    convolved = [node.output[0] for node in model.graph.node if node.op_type == "Conv"]
    assert {kinds[name] for name in convolved} == {onnx.TensorProto.FLOAT16}
    assert {entry.key: entry.value for entry in model.metadata_props}["precision"] == "fp16"


def test_a_model_that_differs_is_not_written(
    fresh: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {name: 1.01 * value for name, value in averaged_weights(fresh[0]).items()}
    monkeypatch.setattr(
        "disa.training.export.onnx_file.run_network", lambda *_: run(fresh[4], random_volume((33, 38, 35)))
    )
    with pytest.raises(ModelError, match=r"not written, it differs from PyTorch by"):
        export_onnx(wrong, 4, tmp_path / "model.onnx", About("test"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_foreign_checkpoints_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "checkpoint.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"^\S*checkpoint.pt: .*expected a checkpoint written by disa train$"):
        averaged_weights(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"not the weights of a DISA network"):
        averaged_weights(tmp_path / "other.pt")


def test_a_folder_that_is_not_there_is_named(fresh: dict[int, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be written: No such file or directory"):
        export_onnx(averaged_weights(fresh[0]), 4, tmp_path / "missing" / "model.onnx", About("test"))
