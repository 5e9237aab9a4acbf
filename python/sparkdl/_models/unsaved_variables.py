"""Variables that a signature of a SavedModel reads and that nothing restores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sparkdl._models.graph_nodes import node_of, shared_name
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

_INIT_OP = "__saved_model_init_op"
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_SHOWN = 3


def require_values(meta: MetaGraphDef, key: str, where: str) -> None:
    """Raise if a signature reads variables that have no values.

    `tf.saved_model.save` of a model of Keras 3 writes such: TensorFlow 2 finds their values through
    the Python objects that it makes again, and nobody else can.

    Parameters
    ----------
    meta : MetaGraphDef
    key : str
        Of the signature.
    where : str
        What the message calls the model.

    Raises
    ------
    InvalidModelException
        The message names them, and three ways to write the model.
    """
    nodes = {node.name: node for node in meta.graph_def.node}
    read = _variables(nodes, (info.name for info in meta.signature_def[key].outputs.values()))
    without = sorted(read - _variables(nodes, _givers(meta)))
    if without:
        names = ", ".join([*without[:_SHOWN], *(["..."] if len(without) > _SHOWN else [])])
        raise InvalidModelException(
            f"{where} cannot be used: nothing restores the variables that its signature {key!r} "
            f"reads ({names}): a model of Keras 3 that tf.saved_model.save has written, for "
            "example. Only TensorFlow 2 in Python can load it. Write the model in one of these "
            "ways: model.export(directory); model.save('model.keras') and python -m sparkdl bundle "
            "model.keras --out DIRECTORY; or sparkdl.save_bundle(model, directory)."
        )


def _givers(meta: MetaGraphDef) -> list[str]:
    """Return the operations that give variables their values."""
    names = [meta.saver_def.restore_op_name]
    if _INIT_OP in meta.signature_def:
        names += [info.name for info in meta.signature_def[_INIT_OP].outputs.values()]
    for collection in _INIT_COLLECTIONS:
        if collection in meta.collection_def:
            names += meta.collection_def[collection].node_list.value
    return names


def _variables(nodes: Mapping[str, NodeDef], operations: Iterable[str]) -> set[str]:
    """Return the variables that some operations need, by what they are called in a session."""
    seen: set[str] = set()
    waiting = [node_of(name) for name in operations]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [node_of(i) for i in nodes[name].input] if name in nodes else []
    reached = (nodes[name] for name in seen if name in nodes)
    return {shared_name(node) for node in reached if node.op == "VarHandleOp"}
