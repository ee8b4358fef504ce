"""Write the ONNX models and the weights: python -m disa.training.export CHECKPOINT -o models."""

from __future__ import annotations

import argparse
import hashlib
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from disa.training.network import CHANNELS, BlurPool, DISANet, receptive_field
from disa.training.volumes import SPACING_MM

NAME = "disa-lc2"
VERSION = "1.0"
LICENCE = "Apache-2.0"
TRAINING_DATA = "91 public CT and MR volumes at 2 mm, CC BY 3.0/4.0, Apache-2.0, MIT and PDDL; see MODEL_CARD.md"
OPSET = 17
EXPORTED_STRIDES = (4, 2)
EXAMPLE_SIZE = (24, 25, 27)


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


def averaged_weights(checkpoint: Path) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint, or those of a file that holds weights alone."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)
    weights = state.get("averaged", state)
    return {name: value.detach().contiguous().clone() for name, value in weights.items()}


def weights_digest(weights: dict[str, Tensor]) -> str:
    """SHA-256 of the float32 values in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(weights[name].float().numpy().tobytes())
    return digest.hexdigest()


def metadata(stride: int, digest: str) -> dict[str, str]:
    """What the model file says of itself."""
    return {
        "name": NAME,
        "version": VERSION,
        "stride": str(stride),
        "channels": str(CHANNELS),
        "spacing_mm": str(SPACING_MM),
        "receptive_field": str(receptive_field(stride)),
        "normalisation": "zero mean, unit standard deviation",
        "training_data": TRAINING_DATA,
        "licence": LICENCE,
        "weights_sha256": digest,
    }


def export_onnx(weights: dict[str, Tensor], stride: int, path: Path) -> None:
    """Write a float32 model of any spatial size, input `volume`, output `descriptors`.

    Args:
        weights: state dictionary of `DISANet`.
        stride: voxels between descriptors.
        path: file to write.

    Raises:
        onnx.checker.ValidationError: the exporter made something that is no valid model.
    """
    network = DISANet(stride)
    network.load_state_dict(weights)
    axes = {0: "z", 1: "y", 2: "x"}
    with warnings.catch_warnings():
        # The older exporter is on its way out, but makes the smaller graph of dynamic size.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            ChannelsLast(network).eval(), (torch.zeros(1, 1, *EXAMPLE_SIZE),), str(path),
            input_names=["volume"], output_names=["descriptors"],
            dynamic_axes={
                "volume": {2: "z", 3: "y", 4: "x"},
                "descriptors": {axis: f"{name}_cells" for axis, name in axes.items()},
            },
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    model = onnx.load(path)
    onnx.helper.set_model_props(model, metadata(stride, weights_digest(weights)))
    model.producer_name = NAME
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("models"))
    arguments = parser.parse_args()

    weights = averaged_weights(arguments.checkpoint)
    torch.save(weights, arguments.output / f"{NAME}.pt")
    for stride in EXPORTED_STRIDES:
        path = arguments.output / f"{NAME}-stride{stride}.onnx"
        export_onnx(weights, stride, path)
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
