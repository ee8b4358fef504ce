# SPDX-License-Identifier: Apache-2.0
"""Somebody's ONNX network, read and checked by what it says of itself."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, compose, version_converter

from disa.errors import ModelError
from disa.network.seal import MAXIMUM_BYTES
from disa.sealing.graph import OPSET

PREFIX = "net_"
"""Of all names of the network's graph, so that none is one of ours."""

LEAST_OPSET = 13
"""Of ONNX that the nodes about the network need."""

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def read_source(path: Path) -> onnx.ModelProto:
    """The network of an .onnx file, all its names with `PREFIX`.

    Raises:
        ModelError: the file is missing, too large or no ONNX network, or its input or output cannot be a model's.
    """
    model = _load(path)
    initial = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initial]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    _check_one(path, "input", [value.name for value in inputs])
    _check_one(path, "output", [value.name for value in model.graph.output])
    _check_input(path, inputs[0])
    _check_output(path, model.graph.output[0])
    return compose.add_prefix(_modern(path, model), PREFIX)


def _load(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise ModelError(f"{path}: no such file; expected a network in ONNX format")
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise ModelError(
                f"{path}: larger than {MAXIMUM_BYTES} bytes, which no model may be; expected a smaller one"
            )
        model = onnx.load(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from None
    except (DecodeError, ValueError, onnx.checker.ValidationError):
        raise ModelError(f"{path}: not an ONNX network, or a damaged one; expected one as exporters write it") from None
    if not model.graph.node:
        raise ModelError(f"{path}: not an ONNX network, it has no nodes; expected one as exporters write it")
    return model


def _check_one(path: Path, what: str, names: list[str]) -> None:
    if len(names) != 1:
        raise ModelError(
            f"{path}: {len(names)} {what}s ({', '.join(names) or 'none'}), expected one; "
            "onnx.utils.extract_model cuts a network at one"
        )


def _check_input(path: Path, value: onnx.ValueInfoProto) -> None:
    kind = value.type.tensor_type
    sizes = _sizes(value)
    if kind.elem_type not in FLOATS:
        raise ModelError(f"{path}: input {value.name} is {_kind(kind.elem_type)}; expected float, float16 or double")
    if sizes is not None and len(sizes) != 5:
        raise ModelError(f"{path}: input {value.name} has {len(sizes)} axes; expected 5, (1, 1, z, y, x)")
    for size, axis in zip(sizes or (), ("batch", "channel"), strict=False):
        if size not in (0, 1):
            raise ModelError(f"{path}: input {value.name} has a {axis} axis of {size}; expected 1, one grey image")
    if any((sizes or [])[2:]):
        raise ModelError(
            f"{path}: input {value.name} is fixed at {' x '.join(map(str, (sizes or [])[2:]))} voxels; expected any "
            "size: export it with dynamic axes 2, 3 and 4"
        )


def _check_output(path: Path, value: onnx.ValueInfoProto) -> None:
    kind, sizes = value.type.tensor_type.elem_type, _sizes(value)
    if kind not in FLOATS:
        raise ModelError(f"{path}: output {value.name} is {_kind(kind)}; expected float, float16 or double")
    if sizes is not None and len(sizes) not in (4, 5):
        raise ModelError(
            f"{path}: output {value.name} has {len(sizes)} axes; expected (1, C, z, y, x) or (1, z, y, x, C)"
        )


def _sizes(value: onnx.ValueInfoProto) -> list[int] | None:
    """Of the axes, 0 where any is taken; None: the rank is not said."""
    kind = value.type.tensor_type
    return [dim.dim_value for dim in kind.shape.dim] if kind.HasField("shape") else None


def _kind(kind: int) -> str:
    return str(TensorProto.DataType.Name(kind)).lower() if kind else "no tensor"


def _modern(path: Path, model: onnx.ModelProto) -> onnx.ModelProto:
    """The same in operators that the nodes about it can be written in."""
    version = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if version >= LEAST_OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET)
    except Exception as error:  # noqa: BLE001 (the converter's own, which share no base)
        raise ModelError(
            f"{path}: operators of ONNX {version} that cannot be brought to {OPSET}; export it with opset_version=17: "
            f"{_line(error)}"
        ) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
