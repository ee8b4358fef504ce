# SPDX-License-Identifier: Apache-2.0
"""Which networks are found, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import SimpleITK as sitk

import disa
from disa.network.models import describe_model, find_model, shipped_models
from disa.network.seal import sealed


@pytest.mark.images
def test_the_network_is_the_same_at_every_stride(image: sitk.Image) -> None:
    digest = describe_model(find_model("disa-lc2", 4))["weights_sha256"]
    for stride in (4, 2):
        assert disa.extract_features(image, stride=stride).network == digest[:8]


def test_the_shipped_model_is_found_by_name_and_by_path() -> None:
    assert shipped_models() == ["disa-lc2", "disa-mind", "mind-ssc"]
    path = find_model("disa-lc2", 4)
    assert find_model(path, 2) == find_model("disa-lc2", 2)


@pytest.mark.parametrize(
    ("model", "stride", "expected"),
    [
        ("no-such-model", 4, "expected one of disa-lc2, disa-mind, mind-ssc or"),
        ("disa-lc2", 3, "strides 4, 2, 1"),
        ("/nowhere/net.onnx", 4, "no such model file"),
    ],
)
def test_a_missing_model_is_named(image: sitk.Image, model: str, stride: int, expected: str) -> None:
    with pytest.raises(disa.ModelError, match=expected):
        disa.extract_features(image, model=model, stride=stride)


@pytest.mark.images
def test_a_file_of_one_stride_without_the_others_is_refused(image: sitk.Image, tmp_path: Path) -> None:
    alone = tmp_path / "alone-stride4.onnx"
    alone.write_bytes(find_model("disa-lc2", 4).read_bytes())
    with pytest.raises(disa.ModelError, match=r"alone-stride4\.onnx: stride 2 was asked for, the file has stride 4"):
        disa.extract_features(image, model=alone, stride=2)


@pytest.mark.images
def test_foreign_networks_are_refused_in_one_line(image: sitk.Image, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="writes foreign networks with the onnx package")
    broken = tmp_path / "broken-stride4.onnx"
    broken.write_bytes(sealed(b"not a network"))
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 3])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    other = tmp_path / "other-stride4.onnx"
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    other.write_bytes(sealed(model.SerializeToString()))
    unsealed = tmp_path / "unsealed.onnx"
    unsealed.write_bytes(model.SerializeToString())
    mislabelled = tmp_path / "mine.onnx"
    mislabelled.write_bytes(find_model("disa-lc2", 2).read_bytes())
    for path, expected in (
        (broken, "not a network"),
        (other, "not a DISA network"),
        (unsealed, "expected a file written by disa export"),
        (mislabelled, "the file has stride 2"),
    ):
        with pytest.raises(disa.ModelError, match=expected) as caught:
            disa.extract_features(image, model=path)
        assert path.name in str(caught.value) and "\n" not in str(caught.value)
