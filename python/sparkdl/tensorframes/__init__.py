"""TensorFlow programs over the columns of a DataFrame.

A program is a Python function of tensors, whose arguments are named after columns and which returns
a dict of tensors named after the results; or tensors of a `tf.compat.v1` graph, as in TensorFrames
0.x. It becomes a graph of TensorFlow that runs in the executors' JVMs, without Python.

Examples
--------
>>> import sparkdl.tensorframes as tfs
>>> tfs.map_blocks(lambda x: {"z": x + 3.0}, df)  # doctest: +SKIP
>>> tfs.reduce_blocks(lambda x: {"x": tf.reduce_sum(x, axis=0)}, df)  # doctest: +SKIP
"""

from sparkdl.tensorframes.maps import map_blocks, map_rows
from sparkdl.tensorframes.placeholders import block, row
from sparkdl.tensorframes.reductions import aggregate, reduce_blocks, reduce_rows
from sparkdl.tensorframes.shapes import analyze, append_shape, print_schema

__all__ = [
    "aggregate",
    "analyze",
    "append_shape",
    "block",
    "map_blocks",
    "map_rows",
    "print_schema",
    "reduce_blocks",
    "reduce_rows",
    "row",
]
