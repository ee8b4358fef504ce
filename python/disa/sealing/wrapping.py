# SPDX-License-Identifier: Apache-2.0
"""The graph about somebody's network that makes a model of it."""

from __future__ import annotations

import onnx
from onnx import TensorProto

from disa.network.gpu import CHANNELS
from disa.sealing.graph import INPUT, IR_VERSION, OUTPUT, Nodes, descriptors_output, volume_input
from disa.sealing.projection import Projection
from disa.sealing.trial import Layout


def wrapped(source: onnx.ModelProto, stride: int, layout: Layout, projection: Projection) -> onnx.ModelProto:
    """A model of input `volume` (1, 1, z, y, x) and output `descriptors` (z', y', x', 16), lengths of 1 or less.

    Args:
        source: the network, its names unlike any of this graph's.
        stride: voxels between its outputs.
        layout: how they lie.
        projection: of their channels.
    """
    model = onnx.ModelProto()
    model.CopyFrom(source)
    graph = model.graph
    before, after = Nodes("disa_before_"), Nodes("disa_after_")
    _enter(before, graph.input[0], layout)
    _leave(after, _last_axes(after, graph.output[0].name, layout), stride, layout, projection)
    nodes = [*before.nodes, *graph.node, *after.nodes]
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*before.constants, *after.constants])
    graph.input.append(volume_input())
    graph.output.append(descriptors_output())
    model.ir_version = max(model.ir_version, IR_VERSION)
    return model


def _enter(nodes: Nodes, wanted: onnx.ValueInfoProto, layout: Layout) -> None:
    """The volume as the network wants it: a multiple of voxels a side, its type of numbers."""
    volume = INPUT
    if layout.multiple > 1:
        sizes = _spatial(nodes, INPUT)
        multiple = nodes.constant([layout.multiple], "int64")
        more = nodes("Sub", nodes("Mul", _cells(nodes, sizes, layout.multiple), multiple), sizes)
        ends = nodes("Concat", nodes.constant([0] * 7, "int64"), more, axis=0)
        volume = nodes("Pad", volume, ends, mode="edge")
    nodes("Cast", volume, to=wanted.type.tensor_type.elem_type, output=wanted.name)


def _last_axes(nodes: Nodes, found: str, layout: Layout) -> str:
    """The network's output as float32 (z, y, x, C)."""
    values = nodes("Cast", found, to=TensorProto.FLOAT)
    if layout.axes == 5:
        values = nodes("Squeeze", values, nodes.constant([0], "int64"))
    if layout.channel_axis == layout.axes - 4:  # before the other three
        values = nodes("Transpose", values, perm=[1, 2, 3, 0])
    return values


def _leave(nodes: Nodes, values: str, stride: int, layout: Layout, projection: Projection) -> None:
    if layout.multiple > 1:
        cells = _cells(nodes, _spatial(nodes, INPUT), stride)
        first, axes = (nodes.constant(of, "int64") for of in ([0, 0, 0], [0, 1, 2]))
        values = nodes("Slice", values, first, cells, axes)
    values = nodes("Add", nodes("MatMul", values, nodes.constant(projection.matrix)), nodes.constant(projection.offset))
    squares = nodes("MatMul", nodes("Mul", values, values), nodes.constant([[1.0]] * CHANNELS))
    nodes("Div", values, nodes("Max", nodes("Sqrt", squares), nodes.constant(1.0)), output=OUTPUT)


def _spatial(nodes: Nodes, volume: str) -> str:
    """Sizes of z, y and x."""
    return nodes.slice(nodes("Shape", volume), [2], [5], [0], [1])


def _cells(nodes: Nodes, sizes: str, stride: int) -> str:
    """Sizes divided by a stride, rounded up."""
    rest = nodes("Add", sizes, nodes.constant([stride - 1], "int64"))
    return nodes("Div", rest, nodes.constant([stride], "int64"))
