"""What Keras 3 does to variables in a graph of TensorFlow 1, carried out in its session.

Keras takes for granted that an operation runs when it is made. In a graph, making a variable or
assigning to it only adds an operation, which nobody runs: without this, layers would have no
values, and set_weights and load_model would silently change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._models.libraries import tensorflow

if TYPE_CHECKING:
    import tensorflow as tf


class KerasCatchUp:
    """Initializes variables and carries out assignments that were added since the last call."""

    def __init__(self, graph: tf.Graph, session: tf.compat.v1.Session) -> None:
        self._graph = graph
        self._session = session
        self._seen = 0  # the number of operations that were looked at

    def catch_up(self) -> None:
        """Carry out what is new; a variable with a value keeps it unless assigned a constant."""
        operations = self._graph.get_operations()
        new = operations[self._seen :]
        self._seen = len(operations)
        initializers = self._initialize() if any(op.type == "VarHandleOp" for op in new) else set()
        for op in new:
            if _assigns_constant(op) and op.name not in initializers:
                self._session.run(op)

    def _initialize(self) -> set[str]:
        v1 = tensorflow().compat.v1
        with self._graph.as_default():
            missing = self._session.run(v1.report_uninitialized_variables())
            names = {name.decode() for name in missing}
            variables = v1.global_variables()
        self._session.run([v.initializer for v in variables if v.op.name in names])
        return {v.initializer.name for v in variables}


def _assigns_constant(op: tf.Operation) -> bool:
    if op.type != "AssignVariableOp":
        return False
    value = op.inputs[1].op
    while value.type in ("Cast", "Identity"):
        value = value.inputs[0].op
    return bool(value.type == "Const")
