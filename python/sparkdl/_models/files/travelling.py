"""Pickles that live objects of Keras take their program's classes along in."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import Any

from pyspark import cloudpickle

from sparkdl._models.files.revival import revivable_objects
from sparkdl._models.program_objects import custom_classes, named_lambdas, parts_of


def dumps(value: object) -> bytes:
    """Return a value as cloudpickle writes it, for another process of the same program."""
    stream = io.BytesIO()
    _Pickler(stream).dump(value)  # type: ignore[no-untyped-call]
    return stream.getvalue()


def loads(data: bytes) -> Any:
    """Return what `dumps` has written.

    Raises
    ------
    ModuleNotFoundError
        Something in it is from a module that this process does not find.
    """
    try:
        return pickle.loads(data)
    except ModuleNotFoundError as e:
        raise ModuleNotFoundError(
            f"{e}. What is in modules is imported by the workers, and what the program itself "
            "defines travels to them: pass the module's file to spark.sparkContext.addPyFile (or "
            "spark.submit.pyFiles), or install it on the executors.",
            name=e.name,
        ) from e


class _Pickler(cloudpickle.Pickler):
    """Keras pickles its objects as files, in which classes are names that it has to know."""

    def reducer_override(self, value: Any) -> Any:
        if not _is_of_keras_3(value):
            return super().reducer_override(value)  # type: ignore[no-untyped-call]
        parts = parts_of(value)
        with named_lambdas(parts) as lambdas:
            read, arguments = value.__reduce__()
        return _read, (read, arguments, {**custom_classes(parts), **lambdas})


def _is_of_keras_3(value: object) -> bool:
    if "keras" not in sys.modules or isinstance(value, type):
        return False
    from keras.src.saving.keras_saveable import KerasSaveable

    return isinstance(value, KerasSaveable)


def _read(read: Callable[..., Any], arguments: tuple[Any, ...], objects: Mapping[str, Any]) -> Any:
    with revivable_objects(objects):
        return read(*arguments)
