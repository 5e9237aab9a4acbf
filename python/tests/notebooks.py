"""Notebooks as files: their cells, and a mark that says which cells the kept outputs are of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SOURCES = "outputs_are_of"  # in a notebook's metadata


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell, which files may keep line by line."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def hash_of_sources(notebook: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the texts of all cells of code."""
    texts = [source_of(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
