"""SavedModels as they lie on the disk: their graphs, tags and signatures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.util import deprecation

from sparkdl._model_files.content import SAVED_MODEL, kind_of
from sparkdl._warn import warn
from sparkdl.errors import InvalidModelException, ModelNotFoundException

DEFAULT_SIGNATURE = "serving_default"
_TAG = "serve"


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
        try:
            meta = v1.saved_model.load(session, list(tags), str(path))
        except (tf.errors.OpError, OSError, ValueError) as e:
            raise InvalidModelException(
                f"TensorFlow cannot load the SavedModel {path}: {str(e).splitlines()[0]}. Are its "
                "folders of variables and assets complete?"
            ) from e
        yield graph, session, meta


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
    try:
        metas: Sequence[Any] = loader_impl.parse_saved_model(str(path)).meta_graphs
    except OSError as e:
        raise InvalidModelException(f"{path} has a damaged saved_model.pb: {e}. Copy it.") from e
    return metas


def meta_graph(path: Path) -> Any:
    """Return the only graph of a SavedModel, or the one that is there to be served."""
    metas = meta_graphs(path)
    for meta in metas:
        if len(metas) == 1 or set(meta.meta_info_def.tags) == {_TAG}:
            return meta
    sets = "; ".join(",".join(sorted(m.meta_info_def.tags)) for m in metas)
    raise InvalidModelException(
        f"The SavedModel {path} has several graphs, none with the tag {_TAG!r}: {sets}. Take "
        "sparkdl.TFInputGraph.fromSavedModelWithSignature, which takes tags."
    )


def signature_of(path: Path, meta: Any, wanted: str) -> str:
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


def dense_tensors(infos: Any, path: Path) -> list[str]:
    """Return the names of a signature's inputs or outputs, which have to be dense tensors."""
    sparse = sorted(key for key in infos if not infos[key].name)
    if sparse:
        raise InvalidModelException(
            f"The signature of {path} has tensors that are not dense: {', '.join(sparse)}. "
            "Export the model with dense ones."
        )
    return list(infos)
