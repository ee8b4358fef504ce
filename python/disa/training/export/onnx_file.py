# SPDX-License-Identifier: Apache-2.0
"""From a training checkpoint to an ONNX model: `disa export` on the command line."""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from disa.errors import ModelError
from disa.network.seal import sealed
from disa.network.session import run_network
from disa.training.data.volumes import SPACING_MM
from disa.training.export.blocks import BlockNetwork
from disa.training.export.half_precision import to_half_precision
from disa.training.model.network import CHANNELS, STRIDES, BlurPool, DISANet, receptive_field

OPSET = 17
EXAMPLE_SIZE = (24, 25, 27)
PARITY_SIZE = (33, 38, 35)
Precision = Literal["fp32", "fp16"]
TOLERANCE: dict[Precision, float] = {"fp32": 1e-4, "fp16": 1e-2}


@dataclass(frozen=True)
class About:
    """What a model file says of its origin."""

    name: str
    version: str = "1.0"
    training_data: str = "not stated"
    licence: str = "not stated"


class PooledBlur(nn.Module):
    """`BlurPool` of dilation 1 in three operators: [1, 2, 1] / 4 is two averages of neighbours."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (1,) * 6, mode="replicate")
        return functional.avg_pool3d(functional.avg_pool3d(padded, 2, 1), 2, self.stride)


class ChannelsLast(nn.Module):
    """The network for one volume, with its channels last, as the metric stores descriptors."""

    def __init__(self, network: DISANet) -> None:
        super().__init__()
        self.network = network
        for index, layer in enumerate(network.layers):
            if isinstance(layer, BlurPool) and layer.dilation == 1:
                network.layers[index] = PooledBlur(layer.stride)

    def forward(self, volume: Tensor) -> Tensor:
        """(1, 1, z, y, x) to (z', y', x', 16)."""
        descriptors: Tensor = self.network(volume)
        return descriptors[0].permute(1, 2, 3, 0)


def weights_digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 of the float32 values in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(weights[name].float().numpy().tobytes())
    return digest.hexdigest()


def metadata(stride: int, precision: Precision, digest: str, about: About) -> dict[str, str]:
    """What the model file says of itself."""
    return {
        "name": about.name,
        "version": about.version,
        "stride": str(stride),
        "precision": precision,
        "channels": str(CHANNELS),
        "spacing_mm": str(SPACING_MM),
        "receptive_field": str(receptive_field(stride)),
        "normalisation": "zero mean, unit standard deviation",
        "training_data": about.training_data,
        "licence": about.licence,
        "weights_sha256": digest,
    }


def export_onnx(
    weights: dict[str, Tensor], stride: int, path: Path, about: About, precision: Precision = "fp32"
) -> None:
    """Write a model of any spatial size, input `volume`, output `descriptors`, both float32.

    The file appears only once ONNX's checker and a comparison with PyTorch have passed.

    Args:
        weights: state dictionary of `DISANet`.
        stride: voxels between descriptors, 4, 2 or 1; all have the same weights.
        path: file to write.
        about: where the weights come from.
        precision: of the arithmetic; fp16 is laid out for GPUs (`blocks`) and slow on a CPU.

    Raises:
        ModelError: the stride is none of these, the folder cannot be written, or the model is not valid or not equal
            to PyTorch within 1e-4 (fp16: 1e-2).
    """
    if stride not in STRIDES:
        raise ModelError(f"stride is {stride}, expected 4, 2 or 1")
    network = DISANet(stride)
    network.load_state_dict(weights)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            draft = Path(folder) / path.name
            _write(BlockNetwork(network) if precision == "fp16" and stride > 1 else ChannelsLast(network), draft)
            model = onnx.shape_inference.infer_shapes(onnx.load(draft))
            if precision == "fp16":
                to_half_precision(model.graph)
            model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value = CHANNELS  # lost where blocks come apart
            onnx.helper.set_model_props(model, metadata(stride, precision, weights_digest(weights), about))
            model.producer_name = "itk-disa"
            onnx.checker.check_model(model, full_check=True)
            draft.write_bytes(sealed(model.SerializeToString()))
            _compare(draft, weights, stride, precision)
            os.replace(draft, path)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written: {error.strerror}") from None
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"{path}: not written, ONNX's checker says: {str(error).splitlines()[0]}") from None


def _write(network: nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        # The older exporter is on its way out, but makes the smaller graph of dynamic size.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), (torch.zeros(1, 1, *EXAMPLE_SIZE),), str(path),
            input_names=["volume"], output_names=["descriptors"],
            dynamic_axes={
                "volume": {2: "z", 3: "y", 4: "x"},
                "descriptors": {0: "z_cells", 1: "y_cells", 2: "x_cells"},
            },
            opset_version=OPSET, dynamo=False, do_constant_folding=False,
        )  # fmt: skip


def _compare(path: Path, weights: dict[str, Tensor], stride: int, precision: Precision) -> None:
    """Refuse a file whose descriptors differ from float32 PyTorch's."""
    network = DISANet(stride).eval()
    network.load_state_dict(weights)
    volume = np.random.default_rng(0).normal(size=(1, 1, *PARITY_SIZE)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(volume))[0].permute(1, 2, 3, 0).numpy()
    found = run_network(volume[0, 0], path, stride, ["CPUExecutionProvider"])
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE[precision]:
        raise ModelError(f"{path.name}: not written, it differs from PyTorch by {difference:.2g}")
