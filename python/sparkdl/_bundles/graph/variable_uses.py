"""Which variables the nodes of a graph and of its functions read and write, through every call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._models.graph_nodes import functions_of, node_of

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef

MAIN = ""  # the body of the graph itself, beside those of its functions
_WRITING = re.compile(r"Assign(Add|Sub)?VariableOp|Resource(Scatter|StridedSlice|Apply|Sparse)\w+")
_PASSING = {"Identity", "Enter", "RefEnter", "Switch", "Merge", "Exit", "NextIteration"}
_CHOOSING = {"If", "StatelessIf", "Case", "StatelessCase"}  # whose first input is not an argument
_LOOPS = {"While", "StatelessWhile"}
_RESOURCE = tf.resource.as_datatype_enum


@dataclass(frozen=True)
class Use:
    """What a node does with variables, which are named by their nodes in the graph itself."""

    reads: frozenset[str]
    writes: frozenset[str]


class VariableUses:
    """The uses of variables in a GraphDef."""

    def __init__(self, graph_def: GraphDef) -> None:
        self._functions = {f.signature.name: f for f in graph_def.library.function}
        self.bodies: dict[str, Sequence[Any]] = {MAIN: graph_def.node}
        self.bodies |= {name: f.node_def for name, f in self._functions.items()}
        self._variables: dict[tuple[str, str], set[str]] = {}  # by body and node or argument
        while self._spread():
            pass

    def of(self, body: str, node: NodeDef) -> Use:
        """Return what a node of a body does, with the functions that it calls."""
        return self._of(body, node, frozenset())

    def is_loop(self, node: NodeDef) -> bool:
        """Say whether a node runs its functions again and again."""
        return node.op in _LOOPS

    def _of(self, body: str, node: NodeDef, within: frozenset[str]) -> Use:
        called = [f for f in functions_of(node) if f in self._functions and f not in within]
        if called:
            uses = [
                self._of(f, n, within | {f}) for f in called for n in self._functions[f].node_def
            ]
            return Use(_union(u.reads for u in uses), _union(u.writes for u in uses))
        if node.op in _PASSING:
            return Use(frozenset(), frozenset())
        inputs = _union(self._variables_of(body, i) for i in node.input if not i.startswith("^"))
        written = is_write(node)
        return Use(frozenset() if written else inputs, inputs if written else frozenset())

    def _variables_of(self, body: str, tensor: str) -> frozenset[str]:
        return frozenset(self._variables.get((body, node_of(tensor)), ()))

    def _spread(self) -> bool:
        """Follow variables one step along edges and into functions; say whether any was new."""
        grown = False
        for body, nodes in self.bodies.items():
            for node in nodes:
                for place, variables in self._steps(body, node):
                    seen = self._variables.setdefault(place, set())
                    grown |= not variables <= seen
                    seen |= variables
        return grown

    def _steps(self, body: str, node: NodeDef) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
        if node.op == "VarHandleOp" or (node.op == "Placeholder" and _is_resource(node)):
            yield (body, node.name), frozenset([node.name])
        elif node.op in _PASSING and node.input:
            for tensor in node.input:
                yield (body, node.name), self._variables_of(body, tensor)
        for name in functions_of(node):
            inputs = node.input[1 if node.op in _CHOOSING else 0 :]
            for argument, tensor in zip(self._arguments(name), inputs, strict=False):
                yield (name, argument), self._variables_of(body, tensor)

    def _arguments(self, function: str) -> list[str]:
        called = self._functions.get(function)
        return [argument.name for argument in called.signature.input_arg] if called else []


def is_write(node: NodeDef) -> bool:
    """Say whether an operation changes a variable, and does nothing else."""
    return _WRITING.fullmatch(node.op) is not None


def _is_resource(node: NodeDef) -> bool:
    return bool(node.attr["dtype"].type == _RESOURCE)


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)
