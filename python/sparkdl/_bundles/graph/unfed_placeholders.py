"""Placeholders: which of them outputs need, and constants in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from sparkdl._bundles.graph.constant_values import constant_tensor
from sparkdl._bundles.graph.graph import node_of
from sparkdl._bundles.graph.seeds import is_seed
from sparkdl._bundles.graph.weights import key_of
from sparkdl.errors import SchemaMismatchException, SettingsException

_NEEDY = {"Placeholder", "PlaceholderV2"}
_PLACEHOLDERS = {*_NEEDY, "PlaceholderWithDefault"}


@dataclass(frozen=True)
class Constants:
    """Values of placeholders, as tensors by the operation whose place they take."""

    tensors: Mapping[str, Any]

    def put_into(self, graph_def: Any) -> Any:
        """Return the graph with the constants; the one given is not changed."""
        if not self.tensors:
            return graph_def
        made = tf.compat.v1.GraphDef.FromString(graph_def.SerializeToString())
        for node in made.node:
            if node.name in self.tensors:
                _become_constant(node, self.tensors[node.name])
        return made

    def without(self, inputs: Mapping[str, str]) -> dict[str, str]:
        """Return those inputs, from name to tensor, that have no constant."""
        return {n: t for n, t in inputs.items() if node_of(t) not in self.tensors}

    def values_of(self, inputs: Mapping[str, str]) -> dict[str, Any]:
        """Return the values, as arrays, of those inputs that have a constant."""
        ops = {n: node_of(t) for n, t in inputs.items()}
        return {n: tf.make_ndarray(self.tensors[o]) for n, o in ops.items() if o in self.tensors}


def constants_of(
    given: Mapping[str, Any] | None,
    graph_def: Any,
    model: str,
    inputs: Mapping[str, str] | None = None,
    fed: Iterable[str] = (),
) -> Constants:
    """Check what a user gives for the placeholders of a graph.

    Parameters
    ----------
    given : dict or None
        From the name of an input, an operation or a tensor to a value.
    graph_def : tf.compat.v1.GraphDef
    model : str
        How messages call it.
    inputs : dict of str to str, optional
        From names of inputs to tensors.
    fed : list of str
        Tensors that get their values from columns.

    Raises
    ------
    SettingsException
        There is no such placeholder, or the value does not fit it.
    SchemaMismatchException
        A column feeds it as well.
    """
    nodes = {n.name: n for n in graph_def.node}
    named = dict(inputs or {})
    taken = {node_of(t) for t in fed}
    tensors = {}
    for name, value in (given or {}).items():
        op = node_of(named.get(name, name))
        known = op in nodes and nodes[op].op in _PLACEHOLDERS
        if not known or key_of(nodes[op]) is not None:
            raise SettingsException(_no_placeholder(name, nodes.get(op), model, graph_def, named))
        if op in taken:
            raise SchemaMismatchException(
                f"Input {name!r} of model {model!r} is fed by a column and has a constant: leave "
                "one of them out."
            )
        dtype, shape = _type(nodes[op], graph_def)
        tensors[op] = constant_tensor(value, dtype, shape, f"{name!r} of model {model!r}")
    return Constants(tensors)


def require_fed(graph_def: Any, fed: Iterable[str], outputs: Mapping[str, str], model: str) -> None:
    """Raise if outputs need a placeholder that nothing feeds.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
    fed : list of str
        Tensors.
    outputs : dict of str to str
        From name to tensor.
    model : str
        How the message calls it.

    Raises
    ------
    SchemaMismatchException
        The message names the placeholders, the outputs and the remedy.
    """
    cut = {_full(t) for t in fed}
    needs = {n: _unfed(graph_def, t, cut) for n, t in outputs.items()}
    missing = list(dict.fromkeys(p for found in needs.values() for p in found))
    if not missing:
        return
    nodes = {n.name: n for n in graph_def.node}
    texts = []
    for name in missing:
        wanting = ", ".join(repr(o) for o, found in needs.items() if name in found)
        texts.append(f"{name!r} ({_type_string(nodes[name], graph_def)}), for output {wanting}")
    raise SchemaMismatchException(
        f"Model {model!r} has placeholders that nothing feeds: {'; '.join(texts)}. Give each a "
        f'value with constants={{"{missing[0]}": ...}}, or make it an input, which a column feeds.'
    )


def _unfed(graph_def: Any, tensor: str, fed: set[str]) -> list[str]:
    nodes = {n.name: n for n in graph_def.node}
    reached: set[str] = set()
    open_tensors = [tensor]
    while open_tensors:
        current = open_tensors.pop()
        op = node_of(current)
        cut = _full(current) in fed or (nodes[op].op in _NEEDY and f"{op}:0" in fed)
        if not cut and op not in reached:
            reached.add(op)
            open_tensors.extend(nodes[op].input)
    needed = [n for n in graph_def.node if n.name in reached and n.op in _NEEDY]
    # Seeds and weights are fed in every run.
    return [n.name for n in needed if not is_seed(n) and key_of(n) is None]


def _full(tensor: str) -> str:
    """Return "op:index"; "^op", which only has to run before, is no tensor and stays as it is."""
    return tensor if ":" in tensor or tensor.startswith("^") else f"{tensor}:0"


def _become_constant(node: Any, tensor: Any) -> None:
    name = node.name
    node.Clear()
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = tensor.dtype
    node.attr["value"].tensor.CopyFrom(tensor)


def _type(node: Any, graph_def: Any) -> tuple[Any, Any]:
    proto = node.attr["shape"].shape
    unknown = "shape" not in node.attr or proto.unknown_rank
    # Before version 24 a placeholder of shape [] was one of unknown rank.
    if unknown or (not proto.dim and graph_def.versions.producer < 24):
        return tf.as_dtype(node.attr["dtype"].type), tf.TensorShape(None)
    return tf.as_dtype(node.attr["dtype"].type), tf.TensorShape(proto)


def _type_string(node: Any, graph_def: Any) -> str:
    dtype, shape = _type(node, graph_def)
    sizes = "..." if shape.rank is None else ", ".join("?" if d is None else str(d) for d in shape)
    return f"{dtype.name} [{sizes}]"


def _no_placeholder(
    name: str, node: Any, model: str, graph_def: Any, inputs: Mapping[str, str]
) -> str:
    names = {node_of(t): n for n, t in inputs.items()}
    known: Sequence[str] = [
        f"{names.get(n.name, n.name)}: {_type_string(n, graph_def)}"
        for n in graph_def.node
        if n.op in _PLACEHOLDERS and key_of(n) is None
    ]
    why = "there is no such placeholder"
    if node is not None:
        why = f"it is not a placeholder but an operation of type {node.op}"
    listed = f"the placeholders are: {'; '.join(known)}" if known else "the model has none"
    return f"Cannot give {name!r} of model {model!r} a constant: {why}; {listed}."
