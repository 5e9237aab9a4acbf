"""A table of embeddings as a model of ONNX, with its weights beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def write_table(model: Any, file: Path) -> None:
    """Write a model that `models.build` made of "table of ..."."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    table, kernel, bias = (np.asarray(w) for w in model.weights)
    content = file.with_name("weights.bin")
    table.tofile(content)
    stored = TensorProto(name="table", data_type=TensorProto.FLOAT, dims=table.shape)
    stored.data_location = TensorProto.EXTERNAL
    for key, value in (("location", content.name), ("offset", "0"), ("length", str(table.nbytes))):
        stored.external_data.add(key=key, value=value)
    nodes = [
        helper.make_node("Gather", ["table", "words"], ["vectors"]),
        helper.make_node("ReduceMean", ["vectors", "axes"], ["mean"], keepdims=0),
        helper.make_node("Gemm", ["mean", "kernel", "bias"], ["y"]),
    ]
    small = {"axes": np.array([1]), "kernel": kernel, "bias": bias}
    constants = [numpy_helper.from_array(array, name) for name, array in small.items()]
    graph = helper.make_graph(
        nodes,
        "table",
        [helper.make_tensor_value_info("words", TensorProto.INT32, [None, None])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])],
        [stored, *constants],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(made, str(file))
