"""Code in files of Keras that would run when a file is loaded: it is refused without consent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparkdl._models.files.keras_file import KerasFile
from sparkdl.errors import InvalidModelException

# Modules that Keras 2 may import for a configuration: its own, and those of functions it knows.
_TRUSTED = ("keras", "tf_keras", "tensorflow", "builtins")


def refuse_pickles(file: KerasFile) -> None:
    """Refuse Lambda layers.

    Raises
    ------
    InvalidModelException
        The file has some.
    """
    code = [o for o in file.objects() if o["class_name"].split(">")[-1] in ("Lambda", "__lambda__")]
    lambdas = sum(o["class_name"] != "__lambda__" for o in code)
    if code:
        raise InvalidModelException(
            f"{file.path} has {lambdas or len(code)} Lambda layer(s). A Lambda layer is pickled "
            "Python code, which can do anything when it is loaded, so it is refused. If you trust "
            "whoever wrote the file, pass safe_mode=False; or load the model yourself and pass the "
            "live model; or replace the layer by keras.ops."
        )


def refuse_imports(file: KerasFile, known: Mapping[str, Any]) -> None:
    """Refuse classes that Keras 2 would import from any module that the file names.

    `known` are the custom objects; what is registered there is not imported. Keras 3 refuses the
    others by itself.

    Raises
    ------
    InvalidModelException
        The file has some.
    """
    for entry in file.objects():
        module = entry.get("module")
        names = {entry.get("registered_name"), entry["class_name"]}
        if entry["class_name"] == "function":
            names.add(entry["config"] if isinstance(entry.get("config"), str) else None)
        if isinstance(module, str) and module.split(".")[0] not in _TRUSTED:
            plain = {n.split(">")[-1] for n in names if isinstance(n, str)}
            if not (names | plain) & known.keys():
                kind = "function" if entry["class_name"] == "function" else "class"
                name = entry.get("config") if kind == "function" else entry["class_name"]
                raise missing(file.path, str(name), kind)


def missing(path: Path, name: str, kind: str = "class") -> InvalidModelException:
    """Return the error about something custom that the file needs."""
    short = name.split(">")[-1]
    return InvalidModelException(
        f"{path} has the custom {kind} {short!r}, whose code is not in the file.\n"
        f"Pass it: custom_objects={{{short!r}: {short}}}."
    )
