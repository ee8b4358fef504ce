# SPDX-License-Identifier: Apache-2.0
"""One model out of two: the channels of both, side by side, along the 16 axes that keep most of their length.

    python -m disa.sealing.joined FOLDER --images IMAGES

writes `disa-mind`, of disa-lc2 and mind-ssc. The inner product of two of its descriptors is about the sum of both
models' inner products, each with its share. The axes are those of the images' descriptors, weighted as a registration
weighs them. Nothing is centred: what all descriptors have in common stays, and the metric sees to it.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import compose, helper

from disa.errors import DISAError, ModelError
from disa.io.images import IMAGE_ENDINGS
from disa.network.gpu import CHANNELS
from disa.network.models import find_model
from disa.network.providers import CPU
from disa.network.session import run_network
from disa.network.strides import STRIDES
from disa.sealing.graph import IR_VERSION, OPSET, Nodes, about_shipped, description, sealed_model, write_model
from disa.sealing.options import SealOptions
from disa.sealing.projection import Projection, principal_axes
from disa.sealing.samples import Sample, samples_of
from disa.sealing.trial import Layout
from disa.sealing.wrapping import wrapped

FloatArray = npt.NDArray[np.float64]

MODELS, SHARES = ("disa-lc2", "mind-ssc"), (1.0, 2.0)
"""Share of each in the descriptors' mean squared length."""

NAME = "disa-mind"
RECEPTIVE_FIELD = 43
"""Voxels a side, the network's."""
SEEN = "seen"
SAMPLED = 4
"""Stride of the descriptors that the axes are found by."""


def joined_projection(outputs: Sequence[FloatArray], weights: Sequence[FloatArray]) -> Projection:
    """From the channels of all models to 16, the longest of the given descriptors of length 1.

    Args:
        outputs: of each model, shape (count, 16), at the same places.
        weights: of the places, shape (count,).
    """
    shares = np.concatenate(weights) / sum(float(of.sum()) for of in weights)
    energies = [float(shares @ (of**2).sum(axis=1)) for of in outputs]
    scales = [np.sqrt(share / energy) for share, energy in zip(SHARES, energies, strict=True)]
    rows = np.concatenate([scale * of for scale, of in zip(scales, outputs, strict=True)], axis=1)
    axes, kept = principal_axes(rows, shares)
    matrix = np.repeat(scales, CHANNELS)[:, None] * axes / np.linalg.norm(rows @ axes, axis=1).max()
    return Projection(matrix, np.zeros(CHANNELS), kept)


def joined_graph(models: Sequence[onnx.ModelProto]) -> onnx.ModelProto:
    """A network of one volume whose output is the channels of all models, (z', y', x', C)."""
    nodes, parts, outputs = Nodes("joined_"), [], []
    for number, model in enumerate(models):
        part = compose.add_prefix(model, f"part{number}_")
        for node in part.graph.node:
            node.input[:] = [SEEN if name == part.graph.input[0].name else name for name in node.input]
        parts.append(part.graph)
        outputs.append(part.graph.output[0].name)
    nodes("Concat", *outputs, axis=3, output="channels")
    graph = helper.make_graph(
        [node for part in parts for node in part.node] + nodes.nodes,
        NAME,
        [description(SEEN, [1, 1, "z", "y", "x"])],
        [description("channels", ["z_cells", "y_cells", "x_cells", CHANNELS * len(models)])],
        [constant for part in parts for constant in part.initializer],
    )
    return helper.make_model(graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)])


def write_joined(folder: Path, images: Sequence[Path]) -> float:
    """Write the files of every stride into a folder, and return the share of squared length that 16 channels keep.

    Raises:
        ImageError: an image cannot be used.
        ModelError: there is none, or a file cannot be written.
    """
    if not images:
        raise ModelError(f"no images; expected some that end with {', '.join(IMAGE_ENDINGS)}")
    samples = samples_of(images, SealOptions(stride=SAMPLED))
    projection = joined_projection(*_outputs(samples))
    digest = hashlib.sha256(projection.matrix.tobytes()).hexdigest()
    for stride in STRIDES:
        source = joined_graph([onnx.load(find_model(model, stride)) for model in MODELS])
        layout = Layout(channel_axis=3, axes=4, channels=CHANNELS * len(MODELS), multiple=1)
        about = about_shipped(NAME, stride, RECEPTIVE_FIELD, "that of disa-lc2; see DISA-MIND.md", digest)
        content = sealed_model(wrapped(source, stride, layout, projection), about)
        write_model(content, folder / f"{NAME}-stride{stride}.onnx")
    return projection.kept


def _outputs(samples: Sequence[Sample]) -> tuple[list[FloatArray], list[FloatArray]]:
    """Descriptors of each model at the cells of all samples, and the cells' weights."""
    outputs = []
    for model in MODELS:
        path = find_model(model, SAMPLED)
        rows = [run_network(sample.volume, path, SAMPLED, [CPU]).reshape(-1, CHANNELS) for sample in samples]
        outputs.append(np.concatenate(rows).astype(np.float64))
    return outputs, [sample.weights.ravel().astype(np.float64) for sample in samples]


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the files to write")
    parser.add_argument("--images", type=Path, required=True, help="folder of images like those to be registered")
    arguments = parser.parse_args()
    images = sorted(path for path in arguments.images.glob("*") if path.name.lower().endswith(IMAGE_ENDINGS))
    try:
        kept = write_joined(arguments.folder, images)
    except DISAError as error:
        raise SystemExit(str(error)) from None
    print(f"{NAME}: {len(images)} images, 16 channels keep {100 * kept:.0f} % of the squared length")


if __name__ == "__main__":
    main()
