"""Tensors of a graph of TensorFlow 1 as programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from sparkdl._bundles.description.plain_values import plain_values
from sparkdl._bundles.graph.unfed_placeholders import constants_of
from sparkdl.errors import SparkDLException
from sparkdl.errors.builtin_errors import WrongStateException, WrongTypeException
from sparkdl.graph.utils import get_tensor, strip_and_freeze_until, validated_input
from sparkdl.tensorframes._program import Program, finish, with_shapes

v1 = tf.compat.v1


def of_tensors(
    fetches: object,
    feeds: Sequence[tuple[Any, str]],
    initial_variables: bool,
    constants: Mapping[Any, Any] | None,
) -> Program:
    """Freeze the part of a graph that some of its tensors need.

    Parameters
    ----------
    fetches : tf.Tensor or tf.Variable, or list or tuple of them
        The results have their names, without ":0".
    feeds : list of (placeholder, str)
        Placeholders, as tensors, operations or their names, with columns.
    initial_variables : bool
        Whether variables get their initial values or those of the default session.
    constants : dict or None
        From placeholders, as tensors, operations or their names, to values.
    """
    listed: list[Any] = list(fetches) if isinstance(fetches, (list, tuple)) else [fetches]
    graph = _graph(listed)
    # A variable's own name, not that of the tensor that reads it.
    names = [f.name.removesuffix(":0") for f in listed]
    tensors = [get_tensor(f, graph) for f in listed]
    _check_distinct([f.name for f in listed])
    outputs = dict(zip(names, (t.name for t in tensors), strict=True))
    ops = {validated_input(k, graph): column for k, column in feeds}
    what = f"the fetches {', '.join(outputs)}"
    graph_def = _freeze(listed, graph, initial_variables)
    _drop_defaults(graph_def, ops)
    graph_def = constants_of(plain_values(constants), graph_def, what, fed=ops).put_into(graph_def)
    shapes = dict(zip(names, (t.shape for t in tensors), strict=True))
    graph_def, outputs = with_shapes(graph_def, outputs, shapes)
    part, needed = finish(graph_def, outputs, ops, what)
    return Program(part, outputs, needed)


def _graph(fetches: Sequence[Any]) -> tf.Graph:
    if not fetches:
        raise SparkDLException("There is nothing to compute: the list of fetches is empty.")
    for fetch in fetches:
        if not isinstance(fetch, (tf.Tensor, tf.Variable)) or not hasattr(fetch, "graph"):
            raise WrongTypeException(_not_a_tensor(fetch))
    if any(f.graph is not fetches[0].graph for f in fetches):
        raise WrongStateException(
            f"The fetches {', '.join(f.name for f in fetches)} are of different graphs. Build them "
            "in one graph, with tf.Graph().as_default()."
        )
    return fetches[0].graph


def _not_a_tensor(fetch: object) -> str:
    hint = ""
    if isinstance(fetch, tf.Tensor):
        hint = (
            " It was computed eagerly when it was made, so there is no program: build it with "
            "tf.Graph().as_default(), or pass a function."
        )
    return (
        "Expected a function of tensors, or tensors of a tf.compat.v1 graph (one, or a list of "
        f"them), got {type(fetch).__name__}: {fetch!r}.{hint}"
    )


def _check_distinct(names: Sequence[str]) -> None:
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise SparkDLException(
            f"The fetches have {', '.join(repeated)} more than once, so results could not be told "
            "apart. Name each once, or make another one with tf.identity(t, name=...)."
        )


def _freeze(
    fetches: Sequence[Any], graph: tf.Graph, initial_variables: bool
) -> tf.compat.v1.GraphDef:
    variables = graph.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)
    if not variables:
        return strip_and_freeze_until(fetches, graph)
    if initial_variables:
        with v1.Session(graph=graph) as session:
            session.run([v.initializer for v in variables])
            return strip_and_freeze_until(fetches, graph, session)
    session = v1.get_default_session()
    if session is None or session.graph is not graph:
        raise WrongStateException(
            f"With initial_variables=False the values of variables ({variables[0].name}, ...) are "
            "those of the default session, but there is none of this graph. Call this within "
            "'with tf.compat.v1.Session(graph=graph):'."
        )
    return strip_and_freeze_until(fetches, graph, session)


def _drop_defaults(graph_def: tf.compat.v1.GraphDef, fed: Mapping[str, str]) -> None:
    """Turn placeholders that have a default, but are fed, into plain ones."""
    for node in graph_def.node:
        if node.op == "PlaceholderWithDefault" and node.name in fed:
            node.op = "Placeholder"
            del node.input[:]
