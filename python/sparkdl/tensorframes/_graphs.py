"""Tensors of a graph of TensorFlow 1 as programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from sparkdl.errors import SparkDLException
from sparkdl.errors.builtin_errors import WrongStateException, WrongTypeException
from sparkdl.graph.utils import strip_and_freeze_until, tensor_name, validated_input
from sparkdl.tensorframes._program import Program, finished

v1 = tf.compat.v1


def of_tensors(
    fetches: object, feeds: Sequence[tuple[Any, str]], initial_variables: bool
) -> Program:
    """Freeze what some tensors of one graph need.

    Parameters
    ----------
    fetches : tf.Tensor, or list or tuple of them
        Results are called as they are, without ":0".
    feeds : list of (placeholder, str)
        Placeholders, as tensors, operations or their names, with columns.
    initial_variables : bool
        Whether variables get their initial values; else those of the default session.
    """
    listed = list(fetches) if isinstance(fetches, (list, tuple)) else [fetches]
    graph = _graph(listed)
    tensors = [tensor_name(f, graph) for f in listed]
    outputs = {t.removesuffix(":0"): t for t in tensors}
    _no_duplicates(tensors)
    ops = {validated_input(k, graph): column for k, column in feeds}
    frozen = _frozen(listed, graph, initial_variables)
    _without_defaults(frozen, ops)
    part, needed = finished(frozen, outputs, ops, f"the fetches {', '.join(outputs)}")
    return Program(part, outputs, needed)


def _graph(fetches: Sequence[Any]) -> tf.Graph:
    if not fetches:
        raise SparkDLException("There is nothing to compute: the list of fetches is empty.")
    for fetch in fetches:
        if not isinstance(fetch, tf.Tensor) or not hasattr(fetch, "graph"):
            raise WrongTypeException(_no_tensor(fetch))
    if any(f.graph is not fetches[0].graph for f in fetches):
        raise WrongStateException(
            f"The fetches {', '.join(f.name for f in fetches)} are of different graphs. Build them "
            "in one graph, with tf.Graph().as_default()."
        )
    return fetches[0].graph


def _no_tensor(fetch: object) -> str:
    hint = ""
    if isinstance(fetch, tf.Tensor):
        hint = (
            " It was computed when it was made (eagerly), so no program is left of it: build it "
            "with tf.Graph().as_default(), or give a function."
        )
    return (
        "Expected a function of tensors, or tensors of a tf.compat.v1 graph (one, or a list of "
        f"them), got {type(fetch).__name__}: {fetch!r}.{hint}"
    )


def _no_duplicates(tensors: Sequence[str]) -> None:
    twice = sorted({t for t in tensors if tensors.count(t) > 1})
    if twice:
        raise SparkDLException(
            f"The fetches have {', '.join(twice)} more than once: results could not be told apart. "
            "Name each of them once, or another one with tf.identity(t, name=...)."
        )


def _frozen(
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


def _without_defaults(graph_def: tf.compat.v1.GraphDef, fed: Mapping[str, str]) -> None:
    """Make a placeholder that has a default, but is fed, one without."""
    for node in graph_def.node:
        if node.op == "PlaceholderWithDefault" and node.name in fed:
            node.op = "Placeholder"
            del node.input[:]
