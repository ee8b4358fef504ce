"""An ONNX graph in float16 between float32 ends."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import GraphProto, TensorProto, helper, numpy_helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def to_half_precision(graph: GraphProto) -> None:
    """Turn weights and constants into float16 and cast at the one input and the one output, in place."""
    for tensor in graph.initializer:
        _halve(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.type == onnx.AttributeProto.TENSOR:
                _halve(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == FLOAT:
                attribute.i = HALF
    source, result = graph.input[0].name, graph.output[0].name
    for node in graph.node:
        node.input[:] = [f"{source}_half" if name == source else name for name in node.input]
        node.output[:] = [f"{result}_half" if name == result else name for name in node.output]
    graph.node.insert(0, helper.make_node("Cast", [source], [f"{source}_half"], to=HALF))
    graph.node.append(helper.make_node("Cast", [f"{result}_half"], [result], to=FLOAT))
    del graph.value_info[:]


def _halve(tensor: TensorProto) -> None:
    if tensor.data_type == FLOAT:
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
