"""SavedModels on disk: graphs, tags, signatures, constants for placeholders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.python.util import deprecation

from sparkdl._bundles.graph.graph import node_of
from sparkdl._bundles.graph.original import load_into
from sparkdl._bundles.graph.unfed_placeholders import Constants
from sparkdl._models.files.content import SAVED_MODEL, kind_of
from sparkdl._places.temporary_folders import new_folder, process_folder
from sparkdl.errors import InvalidModelException, ModelNotFoundException
from sparkdl.errors.user_warnings import warn

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

DEFAULT_SIGNATURE = "serving_default"
_TAG = "serve"
_FILE = "saved_model.pb"


@contextmanager
def loaded_graph(path: Path, tags: Sequence[str]) -> Iterator[tuple[Any, Any, Any]]:
    """Load one graph of a SavedModel of TensorFlow 1 or 2 with its session, for a block.

    Yields
    ------
    tuple of tf.Graph, tf.compat.v1.Session and MetaGraphDef

    Raises
    ------
    InvalidModelException
        A part of it is missing or damaged.
    """
    v1 = tf.compat.v1
    with (
        deprecation.silence(),
        tf.Graph().as_default() as graph,
        v1.Session(graph=graph) as session,
    ):
        yield graph, session, load_into(session, path, tags)


def meta_graphs(path: Path) -> Sequence[Any]:
    """Return the graphs of a SavedModel, unloaded.

    Raises
    ------
    ModelNotFoundException, InvalidModelException
        There is nothing at the path, or no SavedModel.
    """
    from tensorflow.python.saved_model import loader_impl

    if not path.is_dir():
        raise ModelNotFoundException(f"There is no SavedModel at {path}.")
    kind = kind_of(path)
    if kind.kind != SAVED_MODEL:
        raise InvalidModelException(
            f"{path} is not a SavedModel, which has a saved_model.pb: it is {kind.what}. "
            f"{kind.remedy}"
        )
    _check_assets(path)
    try:
        metas: Sequence[Any] = loader_impl.parse_saved_model(str(path)).meta_graphs
    except OSError as e:
        raise InvalidModelException(
            f"{path} has a damaged saved_model.pb: {e}. Copy the SavedModel again."
        ) from e
    return metas


def _check_assets(path: Path) -> None:
    """Refuse assets that are links out of a SavedModel: TensorFlow reads what they lead to."""
    if path.is_relative_to(process_folder()):
        return  # links to what was checked
    root = path.resolve()
    for asset in sorted((path / "assets").rglob("*")):
        if not asset.resolve().is_relative_to(root):
            raise InvalidModelException(
                f"Cannot read the SavedModel {path}: '{asset.relative_to(path)}' is a link out of "
                "its folder; copy the model with what its links lead to."
            )


def meta_graph(path: Path) -> Any:
    """Return the only graph of a SavedModel, or the one that is tagged for serving."""
    metas = meta_graphs(path)
    for meta in metas:
        if len(metas) == 1 or set(meta.meta_info_def.tags) == {_TAG}:
            return meta
    sets = "; ".join(",".join(sorted(m.meta_info_def.tags)) for m in metas)
    raise InvalidModelException(
        f"The SavedModel {path} has several graphs, none tagged {_TAG!r} only: {sets}. Use "
        "sparkdl.TFInputGraph.fromSavedModelWithSignature, which takes tags."
    )


def signature_of(path: Path, meta: MetaGraphDef, wanted: str) -> str:
    """Return the signature's key; where there is no default, a single other one."""
    keys = sorted(k for k in meta.signature_def if not k.startswith("__"))
    if wanted in keys:
        return wanted
    if wanted == DEFAULT_SIGNATURE and len(keys) == 1:
        only = str(keys[0])
        warn(f"The SavedModel {path} has no signature {wanted!r}; its only one, {only!r}, is used.")
        return only
    raise InvalidModelException(
        f"The SavedModel {path} has no signature {wanted!r}; it has {', '.join(keys) or 'none'}. "
        "Pass signature=."
    )


def graph_with_tags(path: Path, tags: Iterable[str]) -> Any:
    """Return the graph with these tags."""
    return next(m for m in meta_graphs(path) if _has_tags(m, tags))


def write_constants(path: Path, tags: Iterable[str], constants: Constants) -> Path:
    """Put constants into one graph of a SavedModel; return the directory of the changed one.

    It belongs to this process, and its other files are links to those in `path`. Signatures no
    longer list inputs that are constants.
    """
    if not constants.tensors:
        return path
    from tensorflow.python.saved_model import loader_impl

    saved = loader_impl.parse_saved_model(str(path))
    for meta in saved.meta_graphs:
        if _has_tags(meta, tags):
            meta.graph_def.CopyFrom(constants.put_into(meta.graph_def))
            for signature in meta.signature_def.values():
                for key in list(signature.inputs):
                    if node_of(signature.inputs[key].name) in constants.tensors:
                        del signature.inputs[key]
    folder = new_folder("constants")
    for entry in path.iterdir():
        if entry.name != _FILE:
            (folder / entry.name).symlink_to(entry.absolute())
    (folder / _FILE).write_bytes(saved.SerializeToString(deterministic=True))
    return folder


def _has_tags(meta: MetaGraphDef, tags: Iterable[str]) -> bool:
    return set(meta.meta_info_def.tags) == set(tags)
