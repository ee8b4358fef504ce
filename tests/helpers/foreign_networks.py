# SPDX-License-Identifier: Apache-2.0
"""Networks that are not this project's, made by hand, and what NumPy computes in their place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

FloatArray = npt.NDArray[np.float32]
Sizes = Sequence[int | str]

DYNAMIC: Sizes = (1, 1, "depth", "height", "width")


def edge_kernels(channels: int) -> FloatArray:
    """Differences along random directions under a Gaussian, shape (channels, 1, 5, 5, 5)."""
    axis = np.arange(-2, 3)
    places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1)
    directions = np.random.default_rng(0).normal(size=(channels, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    kernels = np.einsum("zyxk,ck->czyx", places, directions) * np.exp(-(places**2).sum(-1) / 3)
    return kernels[:, None].astype(np.float32)


def edges(volume: FloatArray, kernels: FloatArray, stride: int) -> FloatArray:
    """What `edge_network` computes: |kernel * volume| at every stride-th voxel, (z', y', x', channels)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(volume, 2), (5, 5, 5))[::stride, ::stride, ::stride]
    return np.abs(np.einsum("zyxijk,cijk->zyxc", windows, kernels[:, 0], optimize=True))


def save(nodes: list[onnx.NodeProto], constants: dict[str, npt.ArrayLike], path: Path, **kinds: Sizes) -> Path:
    """Write a graph from `volume` to `found`; sizes of either by name."""
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("volume", TensorProto.FLOAT, kinds.get("volume", DYNAMIC))],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, kinds.get("found"))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def edge_network(path: Path, channels: int = 8, stride: int = 2, channels_last: bool = False) -> Path:
    """A convolution by `edge_kernels`, zero padded, and the absolute value, which is blind to a negative."""
    nodes = [
        helper.make_node("Conv", ["volume", "kernels"], ["edges"], pads=[2] * 6, strides=[stride] * 3),
        helper.make_node("Abs", ["edges"], ["first" if channels_last else "found"]),
    ]
    if channels_last:
        nodes.append(helper.make_node("Transpose", ["first"], ["found"], perm=[0, 2, 3, 4, 1]))
    return save(nodes, {"kernels": edge_kernels(channels)}, path)


def pyramid_network(path: Path) -> Path:
    """One that fails unless every side is a multiple of 8, as networks with skip connections do."""
    nodes = [
        helper.make_node("AveragePool", ["volume"], ["coarse"], kernel_shape=[8] * 3, strides=[8] * 3),
        helper.make_node("Resize", ["coarse", "", "scales"], ["back"], mode="nearest"),
        helper.make_node("Concat", ["volume", "back"], ["found"], axis=1),
    ]
    return save(nodes, {"scales": np.array([1, 1, 8, 8, 8], np.float32)}, path)


def whole_network(path: Path) -> Path:
    """One that looks at all of the volume at once."""
    nodes = [
        helper.make_node("Conv", ["volume", "kernels"], ["edges"], pads=[2] * 6),
        helper.make_node("InstanceNormalization", ["edges", "gain", "shift"], ["found"]),
    ]
    constants = {"kernels": edge_kernels(4), "gain": np.ones(4, np.float32), "shift": np.zeros(4, np.float32)}
    return save(nodes, constants, path)


def single(path: Path, kind: str, constants: dict[str, npt.ArrayLike] | None = None, **sizes: Sizes) -> Path:
    """A network of one node, `kind`, that takes the volume and the constants."""
    constants = constants or {}
    return save([helper.make_node(kind, ["volume", *constants], ["found"])], constants, path, **sizes)
