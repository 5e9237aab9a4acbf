"""What can go wrong: the same classes as `org.sparkdl.errors` in Scala, with the same names.

An exception of the JVM arrives as the Python class of the same name, even if Spark has wrapped it
(as it does with one that was thrown in an executor). `java_stack_trace` tells where in the JVM it
came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from traceback import StackSummary, format_exception_only, walk_tb
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject

_JAVA_PACKAGE = "org.sparkdl.errors."
# Their frames say nothing to the user of a notebook.
_INSIDE = ("sparkdl", "pyspark", "py4j", "IPython")
_MOST_CAUSES = 50  # a chain of causes may contain itself


class SparkDLException(ValueError):
    """Base class of every error that a user of sparkdl can fix.

    Attributes
    ----------
    java_stack_trace : str or None
        The stack trace of the JVM, if the exception comes from there.
    """

    java_stack_trace: str | None = None

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the lines of the user's program, and last what is wrong.

        `traceback.print_exc()` shows all frames.
        """
        own = (f for f in walk_tb(self.__traceback__) if _package_of(f[0]) not in _INSIDE)
        return [*StackSummary.extract(own).format(), *format_exception_only(type(self), self)]


class SchemaMismatchException(SparkDLException):
    """Columns, types or shapes do not fit the model."""


class InvalidModelException(SparkDLException):
    """The model is corrupt, does not have the hash it claims, or lacks the requested signature."""


class ModelNotFoundException(SparkDLException):
    """The model is not in the cache; the message holds the command that makes it."""


class InvalidInputException(SparkDLException):
    """A row or an image cannot be used."""


class ModelExecutionException(SparkDLException):
    """TensorFlow failed while it ran the model."""


class NativeLibraryException(SparkDLException):
    """TensorFlow's native library cannot be found or loaded."""


class SettingsException(SparkDLException):
    """A setting, or the session itself, is not usable."""


def _package_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


_CLASSES = {
    c.__name__: c
    for c in (
        SparkDLException,
        SchemaMismatchException,
        InvalidModelException,
        ModelNotFoundException,
        InvalidInputException,
        ModelExecutionException,
        NativeLibraryException,
        SettingsException,
    )
}


def from_java(throwable: JavaObject) -> SparkDLException | None:
    """Return the Python exception for a Java throwable, or None if sparkdl did not cause it.

    Parameters
    ----------
    throwable : py4j.java_gateway.JavaObject
        Searched together with its causes, outermost first.
    """
    current = throwable
    for _ in range(_MOST_CAUSES):
        if current is None:
            return None
        name = str(current.getClass().getName())
        if name.startswith(_JAVA_PACKAGE):
            return _convert(current, name, throwable)
        current = current.getCause()
    return None


def _convert(throwable: JavaObject, java_name: str, outermost: JavaObject) -> SparkDLException:
    # A class that this version does not know is still a SparkDLException.
    cls = _CLASSES.get(java_name[len(_JAVA_PACKAGE) :], SparkDLException)
    error = cls(throwable.getMessage())
    error.java_stack_trace = _stack_trace(outermost)
    return error


def _stack_trace(throwable: JavaObject) -> str | None:
    from pyspark import SparkContext

    jvm = SparkContext._jvm
    if jvm is None:
        return None
    return str(getattr(jvm, "org.apache.spark.util.Utils").exceptionString(throwable))


@contextmanager
def jvm_errors() -> Iterator[None]:
    """Raise an exception of sparkdl's JVM side as the Python class of the same name.

    Works as a context manager and as a decorator. Code that runs after
    `sparkdl.session.jvm_door.door` does not need it, because `door` installs the same conversion
    for every call into the JVM.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors.exceptions.captured import CapturedException

    try:
        yield
    except Py4JJavaError as e:
        error = from_java(e.java_exception)
        if error is None:
            raise
        raise error from None
    except CapturedException as e:
        error = from_java(e._origin) if e._origin is not None else None
        if error is None:
            raise
        raise error from None


def install_conversion() -> None:
    """Make pyspark raise sparkdl's classes, so that `df.collect()` raises them too. Idempotent.

    pyspark converts every JVM exception in one function, which it looks up at each call.
    """
    captured: Any = import_module("pyspark.errors.exceptions.captured")
    original = captured.convert_exception
    if getattr(original, "_sparkdl", False):
        return

    def convert_exception(throwable: JavaObject) -> Any:
        return from_java(throwable) or original(throwable)

    convert_exception._sparkdl = True  # type: ignore[attr-defined]
    captured.convert_exception = convert_exception
