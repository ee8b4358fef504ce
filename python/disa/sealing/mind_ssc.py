# SPDX-License-Identifier: Apache-2.0
"""MIND-SSC as a model: `python -m disa.sealing.mind_ssc FOLDER` writes the shipped files of strides 4, 2 and 1.

Source: Heinrich et al., Towards realtime multimodal fusion for image-guided interventions using self-similarities,
MICCAI 2013. Its descriptors are compared by their squared distance |a - b|^2. Here each is less the mean of its own
channels and at unit length, so that the inner product of two is 1 - |a - b|^2 / 2.
"""

from __future__ import annotations

import hashlib
import sys
from itertools import combinations
from pathlib import Path

from onnx import helper

from disa.network.gpu import CHANNELS
from disa.network.traits import EVEN
from disa.sealing.graph import (
    INPUT,
    IR_VERSION,
    OPSET,
    OUTPUT,
    TO_THE_END,
    Nodes,
    about_shipped,
    descriptors_output,
    sealed_model,
    volume_input,
    write_model,
)

NAME = "mind-ssc"
STRIDES = (4, 2, 1)
RADIUS = 2
"""Half the side in voxels of the compared patches, cubes all of whose voxels count alike."""
DISTANCE = 2
"""Voxels from the centre to the six neighbours."""
LEAST_VARIANCE = 1e-3
"""Of the local estimate, in squared deviations of the image. The paper takes a share of the volume's mean, which would
make a descriptor depend on what else is in the volume."""
LEAST_LENGTH = 1e-6
"""Of a descriptor before it is brought to unit length; where all is of one intensity it stays 0."""

FACES = [tuple(sign * DISTANCE * (axis == a) for a in range(3)) for axis in range(3) for sign in (-1, 1)]
PAIRS = [(a, b) for a, b in combinations(FACES, 2) if any(p + q for p, q in zip(a, b, strict=True))]
"""Of neighbours that are not opposite each other, one a channel; offsets (z, y, x) in voxels."""


def mind_ssc_model(stride: int) -> bytes:
    """The content of a model file, its checksum included.

    Args:
        stride: voxels between descriptors. Each is the mean over the cube of so many voxels about its place, those on
            the cube's faces by half.
    """
    nodes = Nodes()
    similarities = _similarities(nodes, _squares(nodes))
    if stride > 1:
        similarities = _averaged(nodes, similarities, stride)
    _finish(nodes, similarities)
    graph = helper.make_graph(nodes.nodes, NAME, [volume_input()], [descriptors_output()], nodes.constants)
    model = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)])
    return sealed_model(model, _about(stride))


def _squares(nodes: Nodes) -> str:
    """Squared differences of neighbours, (1, 12, ...), still with the patches' radius on every side."""
    padded = _continued(nodes, INPUT, DISTANCE + RADIUS)
    shifted = {}
    for face in FACES:
        starts = [DISTANCE + step for step in face]
        ends = [step - DISTANCE or TO_THE_END for step in face]
        shifted[face] = nodes.slice(padded, starts, ends, [2, 3, 4], [1, 1, 1])
    differences = nodes("Concat", *(nodes("Sub", shifted[a], shifted[b]) for a, b in PAIRS), axis=1)
    return nodes("Mul", differences, differences)


def _similarities(nodes: Nodes, squares: str) -> str:
    """exp(-d / v) of the patches' distances d less the least of them, v their mean."""
    side = 2 * RADIUS + 1
    for axis in range(3):
        kernel = [side if axis == a else 1 for a in range(3)]
        squares = nodes("AveragePool", squares, kernel_shape=kernel)
    distances = nodes("Sub", squares, nodes("ReduceMin", squares, axes=[1]))
    variance = nodes("Max", nodes("ReduceMean", distances, axes=[1]), nodes.constant(LEAST_VARIANCE))
    return nodes("Exp", nodes("Neg", nodes("Div", distances, variance)))


def _averaged(nodes: Nodes, values: str, stride: int) -> str:
    """Means over cubes, voxels on their faces by half: an average of two neighbours, then one of `stride`."""
    pairs = nodes("AveragePool", _continued(nodes, values, stride // 2), kernel_shape=[2] * 3)
    return nodes("AveragePool", pairs, kernel_shape=[stride] * 3, strides=[stride] * 3)


def _continued(nodes: Nodes, values: str, voxels: int) -> str:
    """The border repeated so many times on every side."""
    ends = [0, 0, voxels, voxels, voxels]
    return nodes("Pad", values, nodes.constant(ends * 2, "int64"), mode="edge")


def _finish(nodes: Nodes, similarities: str) -> None:
    """Less their mean, at unit length, filled up with zeros to 16 channels, which come last."""
    centred = nodes("Sub", similarities, nodes("ReduceMean", similarities, axes=[1]))
    length = nodes("Max", nodes("ReduceL2", centred, axes=[1]), nodes.constant(LEAST_LENGTH))
    unit = nodes("Div", centred, length)
    filled = nodes("Pad", unit, nodes.constant([0] * 6 + [CHANNELS - len(PAIRS)] + [0] * 3, "int64"))
    one = nodes("Squeeze", filled, nodes.constant([0], "int64"))
    nodes("Transpose", one, perm=[1, 2, 3, 0], output=OUTPUT)


def _about(stride: int) -> dict[str, str]:
    rules = f"{NAME} radius {RADIUS} distance {DISTANCE} variance {LEAST_VARIANCE} centred unit"
    field = 2 * (RADIUS + DISTANCE) + 1 + (stride if stride > 1 else 0)
    digest = hashlib.sha256(rules.encode()).hexdigest()
    made = "none, hand-made: Heinrich et al., MICCAI 2013"
    return about_shipped(NAME, stride, field, made, digest, {"weights": EVEN})


def main(folder: Path) -> None:
    """Write the files of every stride into a folder."""
    for stride in STRIDES:
        write_model(mind_ssc_model(stride), folder / f"{NAME}-stride{stride}.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
