"""Freezes graphs whose variables live in a session of TensorFlow 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants
from tensorflow.python.util import deprecation

from sparkdl._bundles.graph.freeze import inline, without_generators
from sparkdl._bundles.graph.generators import is_generator
from sparkdl._bundles.graph.held_reads import hold_reads
from sparkdl._bundles.graph.state_writes import without_writes
from sparkdl._bundles.graph.variable_values import LightSessionConversion, Views, weights_of
from sparkdl._bundles.graph.weights import Weights
from sparkdl.errors.builtin_errors import WrongStateException

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef


def freeze_by_session(
    session: tf.compat.v1.Session, graph: tf.Graph, ops: Sequence[str], *, own: bool = False
) -> tuple[Any, Weights]:
    """Return the GraphDef that some operations need, with the session's values of variables.

    Variables of both kinds (VariableV2 and resources) become constants, also where functions use
    them, and calls of functions are replaced by what they do. Lookup tables stay as they are.
    Large weights stand beside the graph: see `sparkdl._bundles.graph.weights`.

    Parameters
    ----------
    session : tf.compat.v1.Session
        Stays open.
    graph : tf.Graph
        The session's.
    ops : list of str
        Names of operations; they keep their names.
    own : bool
        Whether nobody else sees the graph: an operation may be added, by which large variables
        are not copied.
    """
    if session.graph is not graph:
        raise WrongStateException(
            "The session has another graph than the one to freeze. Give the session that was made "
            "with tf.compat.v1.Session(graph=graph)."
        )
    graph_def = graph.as_graph_def()
    variables = [n.name for n in graph_def.node if n.op == "VarHandleOp"]
    states = {name: name for name in variables if is_generator(name)}
    graph_def = hold_reads(without_writes(graph_def, "the graph", ops, states))
    try:
        with deprecation.silence():
            values = Views(session) if own else session
            variables = LightSessionConversion(values, graph_def, ops, states)
            frozen, _ = convert_to_constants._replace_variables_by_constants(variables)
    except tf.errors.FailedPreconditionError as e:
        raise WrongStateException(
            "Cannot freeze the graph: a variable has no value in the session. Restore it, or run "
            f"tf.compat.v1.global_variables_initializer() in this session. {e.message}"
        ) from e
    weights = weights_of(variables, frozen)
    return without_generators(inline(frozen, list(ops), []), states), weights


def prune(graph_def: GraphDef, ops: Sequence[str]) -> Any:
    """Return the part of a GraphDef that some operations need."""
    with deprecation.silence():
        return tf.compat.v1.graph_util.extract_sub_graph(graph_def, list(ops))
