# SPDX-License-Identifier: Apache-2.0
"""An ONNX graph whose convolutions are in float16, between float32 ends."""

from __future__ import annotations

from onnx import GraphProto, TensorProto, helper


def to_half_precision(graph: GraphProto) -> None:
    """Cast at the one input, after the last convolution, and what the graph computes from constants alone, in place.

    Constants stay float32 in the file; a runtime casts them once, when it opens the file.
    """
    constant = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        if all(name in constant for name in node.input if name):
            constant.update(node.output)
    last = max(index for index, node in enumerate(graph.node) if node.op_type == "Conv")
    kinds = _element_types(graph)
    halved: dict[str, str] = {}
    nodes = []
    for index, node in enumerate(graph.node):
        computed = any(name not in constant for name in node.input if name) and index <= last
        for at, name in enumerate(node.input):
            is_end = name in constant or name == graph.input[0].name
            if computed and is_end and kinds.get(name) == TensorProto.FLOAT:
                if name not in halved:
                    halved[name] = f"{name}_half"
                    nodes.append(helper.make_node("Cast", [name], [halved[name]], to=TensorProto.FLOAT16))
                node.input[at] = halved[name]
        nodes.append(node)
        if index == last:
            result = node.output[0]
            node.output[0] = f"{result}_half"
            nodes.append(helper.make_node("Cast", [node.output[0]], [result], to=TensorProto.FLOAT))
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]


def _element_types(graph: GraphProto) -> dict[str, int]:
    """Of every tensor whose type the graph says; shapes and indices are integers and stay."""
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value.type.tensor_type.elem_type
    return types
