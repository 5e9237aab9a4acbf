"""Custom classes and functions that Keras lacks when it reads a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sparkdl._models.files.keras_file import KerasFile
from sparkdl._models.libraries import keras

_MISSING = re.compile(
    r"Could not locate (class|function) '([^']+)'|Unknown ([a-z ]+): '?([\w>.]+)'?"
    r"|Could not deserialize (class|function) '([^']+)'"
    r"|Could not interpret ([a-z ]+) identifier: \{.*?'class_name': '([^']+)'"
)


def missing_object(text: str) -> tuple[str, str] | None:
    """Return "class" or "function", and the name of what a message of Keras says is missing."""
    match = _MISSING.search(text)
    if match is None:
        return None
    kind, name = [group for group in match.groups() if group is not None]
    return "function" if "function" in kind else "class", name


def first_unknown(file: KerasFile, custom_objects: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the first thing that a file of Keras 3 names and nobody knows.

    Not every message of Keras names it: that about an initializer has its configuration instead.
    """
    known = {*custom_objects, *keras().saving.get_custom_objects()}
    for entry in () if file.by_keras_2 else file.objects():
        name = entry.get("registered_name")
        module = str(entry.get("module") or "")
        own = module.split(".")[0] not in ("keras", "builtins")
        if own and isinstance(name, str) and not {name, entry["class_name"]} & known:
            if entry["class_name"] == "function":
                return "function", name
            return "class", str(entry["class_name"])
    return None
