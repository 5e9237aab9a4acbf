"""Code in files of Keras: what would run when a file is loaded, and is refused without consent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparkdl._models.files.keras_file import KerasFile
from sparkdl.errors import InvalidModelException

# Where Keras 2 imports what a configuration names: its own, and functions that it knows by name.
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
            "whoever wrote the file, pass safe_mode=False; or load the model yourself and give the "
            "live model; or replace the layer by one of keras.ops."
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
    for thing in file.objects():
        module = thing.get("module")
        names = {thing.get("registered_name"), thing["class_name"]}
        if thing["class_name"] == "function":
            names.add(thing["config"] if isinstance(thing.get("config"), str) else None)
        if isinstance(module, str) and module.split(".")[0] not in _TRUSTED:
            plain = {n.split(">")[-1] for n in names if isinstance(n, str)}
            if not (names | plain) & known.keys():
                kind = "function" if thing["class_name"] == "function" else "class"
                name = thing["config"] if kind == "function" else thing["class_name"]
                raise missing(file.path, str(name), kind)


def missing(path: Path, name: str, kind: str = "class") -> InvalidModelException:
    """Return the error about something custom that the file needs."""
    short = name.split(">")[-1]
    return InvalidModelException(
        f"{path} has the custom {kind} {short!r}, whose code is not in the file.\n"
        f"Pass it: custom_objects={{{short!r}: {short}}}."
    )
