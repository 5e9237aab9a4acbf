"""Users' functions as text, so that a stage that has one can be saved and loaded."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sparkdl.errors import SettingsException, SparkDLException

CONSENT = "spark.sparkdl.pythonFunctions.load"
IMPORT, PICKLE = "import:", "pickle:"


@dataclass(frozen=True)
class SavedFunction:
    """A function that came with a saved stage: its param holds this until somebody consents.

    Importing or unpickling it runs code that the file chooses, so neither happens by itself.
    Calling it loads it.

    Attributes
    ----------
    text : str
        "import:MODULE:NAME" or "pickle:BASE64".
    """

    text: str

    def __call__(self, *args: Any) -> Any:
        return self.load()(*args)

    def load(self) -> Callable[..., Any]:
        """Return the function, with the user's consent.

        Raises
        ------
        SettingsException
            There is no consent.
        SparkDLException
            The function cannot be imported or unpickled here.
        """
        if not _has_consent():
            raise SettingsException(
                f"The function {self} was saved with the stage, and was not loaded: that would "
                "run code from the files. Set it again (setImageLoader(f)), or, if you trust "
                f"whoever saved the stage, allow it: spark.conf.set('{CONSENT}', 'true')."
            )
        try:
            pickled = self.text.startswith(PICKLE)
            loaded: Callable[..., Any] = (_unpickle if pickled else _import)(self.text)
            return loaded
        except Exception as e:  # whatever somebody's module or pickle may raise
            raise SparkDLException(
                f"The function {self} of a saved stage cannot be loaded here: "
                f"{type(e).__name__}: {e}. Install what it needs, or set it again."
            ) from e

    def __repr__(self) -> str:
        text = self.text
        return f"'{text}'" if text.startswith(IMPORT) else f"'{text[:20]}...' (a pickle)"


def text_of(function: Callable[..., Any]) -> str:
    """Return a function as text: its address if it can be imported, else its pickle."""
    if isinstance(function, SavedFunction):
        return function.text
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module and module != "__main__" and _import_or_none(module, name) is function:
        return f"{IMPORT}{module}:{name}"
    from pyspark import cloudpickle

    try:
        pickled: bytes = cloudpickle.dumps(function)  # type: ignore[no-untyped-call]
    except Exception as e:  # pickle has no common type of error
        raise SparkDLException(
            f"The function {name or function!r} cannot be sent to executors or saved: "
            f"{type(e).__name__}: {e}. Do not let it refer to sessions, locks or open files."
        ) from e
    return PICKLE + base64.b64encode(pickled).decode()


def function(value: object) -> Callable[..., Any]:
    """Accept functions, and texts of functions, which are not loaded."""
    if isinstance(value, str) and value.startswith((IMPORT, PICKLE)):
        return SavedFunction(value)
    if callable(value):
        return value
    raise TypeError(f"Expected a function, got {value!r} ({type(value).__name__}).")


def _has_consent() -> bool:
    from sparkdl.session.jvm_door import active_session

    value = str(active_session().conf.get(CONSENT, "false")).lower()
    if value not in ("true", "false"):
        raise SettingsException(f"Setting {CONSENT} = '{value}': expected 'true' or 'false'.")
    return value == "true"


def _import_or_none(module: str, name: str) -> Any:
    try:
        return _import(f"{IMPORT}{module}:{name}")
    except (ImportError, AttributeError):
        return None


def _import(text: str) -> Any:
    module, name = text.removeprefix(IMPORT).split(":")
    target: Any = import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    return target


def _unpickle(text: str) -> Any:
    return pickle.loads(base64.b64decode(text.removeprefix(PICKLE)))
