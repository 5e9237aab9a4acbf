"""The file of a SavedModel: the graphs in it, and the same with constants for placeholders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sparkdl._graph.graph import node_of
from sparkdl._graph.placeholders import Constants
from sparkdl._paths import new_folder

FILE = "saved_model.pb"


def saved_graphs(path: Path) -> Any:
    """Return the SavedModel in a directory as a protocol buffer."""
    from tensorflow.python.saved_model import loader_impl

    return loader_impl.parse_saved_model(str(path))


def graph_with(path: Path, signature: str) -> Any:
    """Return the first graph that has the signature; None if none has it."""
    return next((m for m in saved_graphs(path).meta_graphs if signature in m.signature_def), None)


def graph_tagged(path: Path, tags: Iterable[str]) -> Any:
    """Return the graph with these tags."""
    return next(m for m in saved_graphs(path).meta_graphs if _tagged(m, tags))


def stated(path: Path, tags: Iterable[str], constants: Constants) -> Path:
    """Return a directory of this process with the SavedModel with constants in one of its graphs.

    Its other files are links to those in `path`. Signatures do not list inputs that are constants.
    """
    if not constants.tensors:
        return path
    saved = saved_graphs(path)
    for meta in saved.meta_graphs:
        if _tagged(meta, tags):
            meta.graph_def.CopyFrom(constants.put_into(meta.graph_def))
            for signature in meta.signature_def.values():
                for key in list(signature.inputs):
                    if node_of(signature.inputs[key].name) in constants.tensors:
                        del signature.inputs[key]
    folder = new_folder("constants")
    for entry in path.iterdir():
        if entry.name != FILE:
            (folder / entry.name).symlink_to(entry.absolute())
    (folder / FILE).write_bytes(saved.SerializeToString(deterministic=True))
    return folder


def _tagged(meta: Any, tags: Iterable[str]) -> bool:
    return set(meta.meta_info_def.tags) == set(tags)
