"""Models that change variables when they are called: counters, states of recurrent layers.

A row must not depend on the rows before it, nor on how many batches there were. So every call
begins with the values that the variables have when the bundle is made, and what a call leaves in
them is lost: the graph does not write it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._bundles.graph.graph import node_of
from sparkdl._bundles.graph.variable_uses import MAIN, VariableUses, is_write
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def has_writes(graph_def: GraphDef) -> bool:
    """Say whether a graph or a function of it changes variables."""
    functions = graph_def.library.function
    return any(map(is_write, [*graph_def.node, *(n for f in functions for n in f.node_def)]))


def without_writes(
    graph_def: GraphDef, source: str, ops: Sequence[str], kept: Collection[str] = ()
) -> Any:
    """Return a graph in which some operations, and what they need, do not change variables.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
    source : str
        What messages call the model.
    ops : sequence of str
        The operations. What they do not need, such as what restores variables, goes on writing.
    kept : collection of str
        Variables, by the names of their nodes, that may be written: generators' states.

    Raises
    ------
    InvalidModelException
        A call reads a variable again after it has changed it, so that the value would be missing.
    """
    if not has_writes(graph_def):
        return graph_def
    part = tf.compat.v1.graph_util.extract_sub_graph(graph_def, [*dict.fromkeys(ops)])
    uses = VariableUses(part)
    for body in uses.bodies:
        for changed, node in _read_again(uses, body, frozenset(kept)):
            raise InvalidModelException(
                f"Cannot convert {source}: a call changes the variable '{changed}' and reads it "
                f"again (operation '{node.name}'). Variables become constants, because a row's "
                "result must not depend on the rows before it. Let the model compute with the new "
                "value itself and not with the variable."
            )
    removed = {
        body: {n.name for n in nodes if is_write(n) and uses.of(body, n).writes - {*kept}}
        for body, nodes in uses.bodies.items()
    }
    copy = type(graph_def).FromString(graph_def.SerializeToString())
    _remove(copy.node, removed[MAIN])
    for function in copy.library.function:
        _remove(function.node_def, removed[function.signature.name])
        _forget(function, removed[function.signature.name])
    return copy


def changed_variables(function: tf.types.experimental.ConcreteFunction) -> list[Any]:
    """Return the variables that a call of a concrete function changes."""
    graph_def = function.graph.as_graph_def()
    if not has_writes(graph_def):
        return []
    uses = VariableUses(graph_def)
    written = {name for node in graph_def.node for name in uses.of(MAIN, node).writes}
    variables = {id(v.handle): v for v in function.graph.variables}
    captured = {node_of(p.name): variables.get(id(v)) for v, p in function.graph.captures}
    return [v for name, v in captured.items() if name in written and v is not None]


def _read_again(uses: VariableUses, body: str, kept: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """Yield the variables that a body reads after it has changed them, and what reads them."""
    nodes = {n.name: n for n in uses.bodies[body]}
    after: dict[str, list[str]] = {name: [] for name in nodes}
    for name, node in nodes.items():
        for tensor in node.input:
            after.setdefault(node_of(tensor), []).append(name)
    for node in nodes.values():
        changed = uses.of(body, node).writes - kept
        if not changed:
            continue
        if uses.is_loop(node):
            yield from ((name, node) for name in changed & uses.of(body, node).reads)
        for later in map(nodes.__getitem__, _followers(node.name, after)):
            yield from ((name, later) for name in changed & uses.of(body, later).reads)


def _followers(name: str, after: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        new = [n for n in after[waiting.pop()] if n not in seen]
        seen.update(new)
        waiting += new
    return seen


def _remove(nodes: MutableSequence[NodeDef], removed: Collection[str]) -> None:
    if not removed:
        return
    remaining = [n for n in nodes if n.name not in removed]
    for node in remaining:
        inputs = [i for i in node.input if not (i.startswith("^") and node_of(i) in removed)]
        del node.input[:]
        node.input.extend(inputs)
    kept = [type(n).FromString(n.SerializeToString()) for n in remaining]
    del nodes[:]
    nodes.extend(kept)


def _forget(function: FunctionDef, removed: Collection[str]) -> None:
    """Remove a function's control outputs whose operations are gone."""
    ends = [key for key, node in function.control_ret.items() if node in removed]
    for key in ends:
        del function.control_ret[key]
    outputs = [o for o in function.signature.control_output if o not in ends]
    del function.signature.control_output[:]
    function.signature.control_output.extend(outputs)
