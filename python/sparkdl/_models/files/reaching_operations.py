"""Operations that reach out of their graph: a graph from a file is a program, which is checked.

They lead to files, to other machines, to Python, to the process itself, or to another graph that is
hidden in a value. `org.sparkdl.model.ReachingOperations` in Scala finds the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from sparkdl._models.graph_nodes import functions_of, node_of, shared_name
from sparkdl.errors import InvalidModelException
from sparkdl.session.jvm_door import door_if_open

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

TRUSTED = "spark.sparkdl.models.trusted"
_MAIN = ""  # the body of the graph itself
_INIT = "__saved_model_init_op"
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_SHOWN = 8


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    text = (files("sparkdl") / "resources" / "reaching_operations.json").read_text("utf-8")
    return dict(json.loads(text))


@dataclass(frozen=True)
class _Placed:
    """A node and the body that it is in: the graph itself or a function."""

    body: str
    node: NodeDef

    def __hash__(self) -> int:
        return hash((self.body, self.node.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Placed) and (self.body, self.node.name) == (
            other.body,
            other.node.name,
        )

    def __str__(self) -> str:
        place = f" in function '{self.body}'" if self.body else ""
        return f"{self.node.op} '{self.node.name}'{place}"


def of_graph(graph_def: GraphDef) -> list[str]:
    """Return those of a whole graph.

    TensorFlow may compute what depends on constants only even if nothing needs it.
    """
    graph = _Bodies(graph_def)
    return [str(p) for nodes in graph.nodes.values() for p in nodes.values() if _reaches_out(p)]


def of_saved_model(
    meta: MetaGraphDef, tensors: Iterable[str], fed: Iterable[str] = ()
) -> list[str]:
    """Return those that loading a SavedModel runs, or computing some of its tensors.

    Its variables come from its own files, and so may its tables. What computes tensors that are
    `fed` is not run.
    """
    graph = _Bodies(meta.graph_def)
    assets = _OwnAssets(graph, _asset_nodes(meta))

    def own_table(place: _Placed) -> bool:
        if place.node.op not in _table()["tablesFromFiles"]:
            return False
        sources = graph.sources(place.body, place.node.input[1])
        return bool(sources) and all(map(assets.is_path, sources))

    def own_variables(place: _Placed) -> bool:
        return place.node.op in _table()["variablesFromFiles"]

    def found(
        roots: Iterable[str], expected: Callable[[_Placed], bool], fed: Iterable[str] = ()
    ) -> list[str]:
        reached = graph.reached(map(node_of, roots), set(map(node_of, fed)))
        return [str(p) for p in reached if _reaches_out(p) and not expected(p)]

    restore = meta.saver_def.restore_op_name
    every = [
        *found(tensors, lambda place: False, fed),
        *found(_initializers(meta), own_table),
        *found([restore] if restore else [], own_variables),
    ]
    return list(dict.fromkeys(every))


def require_trusted(found: list[str], address: object, trusted: bool = False) -> None:
    """Refuse a model from a file that reaches out of its graph, unless the user trusts it.

    Parameters
    ----------
    found : list of str
        See above.
    address : str or Path
        What the user calls the model.
    trusted : bool
        Whether the user has said so in another way than by the setting.

    Raises
    ------
    InvalidModelException
    """
    if not found or trusted:
        return
    door = door_if_open()
    if door is not None and door.trusts(str(address), ""):
        return
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise InvalidModelException(
        f"The model at '{address}' reaches out of its graph: {', '.join(found[:_SHOWN])}{more}. A "
        "graph is a program, and this one would use files, the network, Python or the process of "
        f"every executor. If you trust who made it, set {TRUSTED} to its path or a folder above it "
        "(docs/security.md)."
    )


def _reaches_out(place: _Placed) -> bool:
    node = place.node
    return node.op in _table()["operations"] or any(
        name in node.attr and not re.fullmatch(expected, node.attr[name].s.decode(errors="replace"))
        for name, expected in _table()["allowed"].get(node.op, {}).items()
    )


def _initializers(meta: MetaGraphDef) -> list[str]:
    """Return what a SavedModel runs after its variables were read, as TensorFlow's loader does."""
    signed = meta.signature_def[_INIT].outputs if _INIT in meta.signature_def else {}
    names = [signed[_INIT].name] if _INIT in signed else []
    for key in ("saved_model_main_op", "legacy_init_op"):
        if key in meta.collection_def:
            names += meta.collection_def[key].node_list.value
    return names


def _asset_nodes(meta: MetaGraphDef) -> set[str]:
    """Return the nodes that are given the paths of a SavedModel's own assets when it is loaded."""
    from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef

    assets = list(meta.asset_file_def)
    if "saved_model_assets" in meta.collection_def:
        for value in meta.collection_def["saved_model_assets"].any_list.value:
            asset = AssetFileDef()
            value.Unpack(asset)
            assets.append(asset)
    return {node_of(a.tensor_info.name) for a in assets if _is_inside(a.filename)}


def _is_inside(file: str) -> bool:
    path = PurePosixPath(file)
    return bool(file) and not path.is_absolute() and ".." not in path.parts


class _Bodies:
    """The nodes of a graph and of its functions."""

    def __init__(self, graph_def: GraphDef) -> None:
        self.functions = {f.signature.name: f for f in graph_def.library.function}
        bodies = {_MAIN: graph_def.node} | {n: f.node_def for n, f in self.functions.items()}
        self.nodes = {b: {n.name: _Placed(b, n) for n in nodes} for b, nodes in bodies.items()}

    def reached(self, roots: Iterable[str], fed: Set[str]) -> list[_Placed]:
        """Return what is run for some nodes of the graph itself; of a function, all is."""
        main = {name: place for name, place in self.nodes[_MAIN].items() if name not in fed}
        pending = [main[r] for r in roots if r in main]
        reached: dict[_Placed, None] = {}
        while pending:
            place = pending.pop()
            if place in reached:
                continue
            reached[place] = None
            if place.body == _MAIN:
                names = map(node_of, place.node.input)
                pending += [main[n] for n in names if n in main]
            for function in functions_of(place.node):
                pending += self.nodes.get(function, {}).values()
        return list(reached)

    def sources(
        self, body: str, tensor: str, through: frozenset[Any] = frozenset()
    ) -> set[_Placed]:
        """Return the nodes that may compute a tensor, seen through copies and calls."""
        name = node_of(tensor)
        if (body, name) in through:
            return set()
        through |= {(body, name)}
        place = self.nodes[body].get(name)
        if place is None:
            return self._arguments(body, name, through)
        if place.node.op == "Identity":
            return self.sources(body, place.node.input[0], through)
        return {place}

    def _arguments(self, function: str, name: str, through: frozenset[Any]) -> set[_Placed]:
        """Return what the calls of a function give it as an argument."""
        if function not in self.functions:
            return set()
        names = [a.name for a in self.functions[function].signature.input_arg]
        if name not in names:
            return set()
        found: set[_Placed] = set()
        for nodes in self.nodes.values():
            for caller in nodes.values():
                if caller.node.op in _CALLS and function in functions_of(caller.node):
                    given = caller.node.input[names.index(name)]
                    found |= self.sources(caller.body, given, through)
        return found


class _OwnAssets:
    """The own assets of a SavedModel, whose paths some nodes are given when it is loaded."""

    def __init__(self, graph: _Bodies, nodes: set[str]) -> None:
        self._nodes, self._main = nodes, graph.nodes[_MAIN]
        everywhere = [p.node for body in graph.nodes.values() for p in body.values()]
        self._variables = [n for n in everywhere if n.op == "VarHandleOp"]

    def is_path(self, place: _Placed) -> bool:
        """Say whether a node gives the path of an asset.

        It does so itself, or reads a variable that never has another value.
        """
        node = place.node
        if place.body != _MAIN:
            return False
        if node.op == "ReadVariableOp":
            return self._holds_path(node_of(node.input[0]))
        return node.name in self._nodes

    def _holds_path(self, variable: str) -> bool:
        users = [
            place.node
            for place in self._main.values()
            if any(node_of(i) == variable for i in place.node.input if not i.startswith("^"))
        ]
        assigned = [node_of(n.input[1]) for n in users if n.op == "AssignVariableOp"]
        others = {n.op for n in users} - {
            "AssignVariableOp",
            "ReadVariableOp",
            "VarIsInitializedOp",
        }
        names = [shared_name(n) for n in self._variables if n.name == variable]
        shared = [n for n in self._variables if shared_name(n) in names]
        return (
            bool(assigned) and self._nodes.issuperset(assigned) and not others and len(shared) == 1
        )
