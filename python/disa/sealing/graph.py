# SPDX-License-Identifier: Apache-2.0
"""ONNX graphs written node by node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from disa.errors import ModelError
from disa.network.gpu import CHANNELS
from disa.network.seal import MAXIMUM_BYTES, sealed
from disa.network.traits import Normalisation

OPSET = 17
IR_VERSION = 8
"""What ONNX Runtime 1.18 reads, as the exported networks have it."""

INPUT, OUTPUT = "volume", "descriptors"
TO_THE_END = np.iinfo(np.int64).max


class Nodes:
    """Nodes and constants in the order of their making, each name with a prefix that no other graph has."""

    def __init__(self, prefix: str = "disa_") -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._prefix = prefix

    def __call__(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node and return the name of its one output."""
        name = output or f"{self._prefix}{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: npt.ArrayLike, kind: npt.DTypeLike = np.float32) -> str:
        """Add a constant and return its name."""
        name = f"{self._prefix}constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def slice(self, of: str, starts: list[int], ends: list[int], axes: list[int], steps: list[int]) -> str:
        """Add a Slice with constant bounds."""
        return self("Slice", of, *(self.constant(values, np.int64) for values in (starts, ends, axes, steps)))


def description(name: str, sizes: list[int | str], kind: int = onnx.TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """Of an input or output."""
    return helper.make_tensor_value_info(name, kind, sizes)


def volume_input() -> onnx.ValueInfoProto:
    """The input that every model has: one volume, float32 (1, 1, z, y, x)."""
    return description(INPUT, [1, 1, "z", "y", "x"])


def descriptors_output() -> onnx.ValueInfoProto:
    """The output that every model has: float32 (z', y', x', 16)."""
    return description(OUTPUT, ["z_cells", "y_cells", "x_cells", CHANNELS])


def about_shipped(
    name: str, stride: int, field: int, training_data: str, digest: str, traits: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Metadata of a shipped model that was not trained.

    Args:
        name, stride, training_data: as they stand there.
        field: receptive field, voxels a side.
        digest: the same in the files of all strides.
        traits: what else there is to say, see `disa.network.traits`.
    """
    return {
        "name": name,
        "version": "1.0",
        "stride": str(stride),
        "precision": "fp32",
        "channels": str(CHANNELS),
        "spacing_mm": "2.0",
        "receptive_field": str(field),
        "normalisation": Normalisation.DEVIATION.value,
        "training_data": training_data,
        "licence": "Apache-2.0",
        **(traits or {}),
        "weights_sha256": digest,
    }


def sealed_model(model: onnx.ModelProto, about: Mapping[str, str]) -> bytes:
    """A checked model with its metadata and checksum.

    Raises:
        ModelError: ONNX's checker refuses it, or it is larger than a model file may be.
    """
    del model.metadata_props[:]
    helper.set_model_props(model, dict(about))
    model.producer_name = "itk-disa"
    try:
        onnx.checker.check_model(model)
        content: bytes = sealed(model.SerializeToString())
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ModelError(f"{about['name']}: ONNX's checker says: {' '.join(str(error).split())[:200]}") from None
    if len(content) > MAXIMUM_BYTES:
        raise ModelError(
            f"{about['name']}: {len(content)} bytes are too many for a model; expected {MAXIMUM_BYTES} or fewer"
        )
    return content


def write_model(content: bytes, path: Path) -> None:
    """Write a model file, whole or not at all. Raises ModelError where that cannot be done."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ModelError(f"{path}: cannot be written: {error.strerror}") from None
