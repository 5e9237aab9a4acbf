"""What a node of a GraphDef names: the nodes that it takes tensors of, functions, variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def node_of(tensor: str) -> str:
    """Return the name of the node that a tensor ("a:1", "a") or a control input ("^a") names.

    >>> node_of("a:1"), node_of("^a")
    ('a', 'a')
    """
    return tensor.lstrip("^").split(":")[0]


def functions_of(node: NodeDef) -> list[str]:
    """Return the names of the functions that a node calls."""
    values = [v for v in node.attr.values() if v.HasField("func") or len(v.list.func) > 0]
    return [f.name for v in values for f in ([v.func] if v.HasField("func") else v.list.func)]


def shared_name(variable: NodeDef) -> str:
    """Return what the variable of a VarHandleOp is called in a session."""
    return str(variable.attr["shared_name"].s.decode(errors="replace") or variable.name)
