"""Frozen graphs in files, binary and as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from sparkdl._models.files.content import TEXT_GRAPH, kind_of
from sparkdl.errors import InvalidModelException

MOST_BYTES = (1 << 31) - 1  # protocol buffers hold no more


def read_graph(path: Path) -> Any:
    """Read a GraphDef.

    Raises
    ------
    InvalidModelException
        The file is not one, only a part of one, or larger than one can be.
    """
    from google.protobuf import text_format

    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InvalidModelException(
            f"{path} has {size / 1e9:.1f} GB, and a frozen graph (a GraphDef) cannot be read if it "
            "has more than 2.1 GB. Make a bundle of the model before it is frozen (sparkdl."
            "save_bundle takes Keras models and SavedModels of any size)."
        )

    try:
        if kind_of(path).kind == TEXT_GRAPH:
            text = path.read_text(encoding="utf-8")
            return text_format.Parse(text, tf.compat.v1.GraphDef())
        return tf.compat.v1.GraphDef.FromString(path.read_bytes())
    except Exception as e:  # every version of protobuf has its errors elsewhere
        raise InvalidModelException(
            f"{path} begins like a frozen graph (a GraphDef), but cannot be read to its end: {e}. "
            "Copy or save it again."
        ) from e
