"""Look-ups of rows in variables, inside functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

_RESOURCE = tf.resource.as_datatype_enum


def gather_from_constants(graph_def: GraphDef) -> None:
    """Let functions look rows up in those arguments that were variables and now are constants.

    TensorFlow's conversion of variables does so in the graph itself only. In functions, such as
    those with the embeddings of Keras 2 where a SavedModel calls the model, it leaves look-ups in
    variables, whose arguments no longer are variables.
    """
    for function in graph_def.library.function:
        types = {arg.name: arg.type for arg in function.signature.input_arg}
        for node in list(function.node_def):
            if node.op == "ResourceGather" and types.get(node.input[0], _RESOURCE) != _RESOURCE:
                _gather(function, node)


def _gather(function: FunctionDef, node: NodeDef) -> None:
    batch_dims = node.attr["batch_dims"].i  # 0 where it is left out
    axis = function.node_def.add(name=f"{node.name}/axis", op="Const")
    axis.attr["dtype"].type = tf.int32.as_datatype_enum
    axis.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(batch_dims, tf.int32))
    kept = {key: node.attr[key] for key in ("Tindices", "_class") if key in node.attr}
    gather = tf.compat.v1.NodeDef(name=node.name, op="GatherV2", device=node.device, attr=kept)
    gather.input.extend([*node.input[:2], f"{axis.name}:output:0", *node.input[2:]])
    gather.attr["Tparams"].CopyFrom(node.attr["dtype"])
    gather.attr["batch_dims"].i = batch_dims
    gather.attr["Taxis"].type = tf.int32.as_datatype_enum
    node.CopyFrom(gather)
