"""Errors about code that is written for one backend of Keras only."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from sparkdl._models.libraries import keras, other_backend
from sparkdl.errors import InvalidModelException

LAYERS = "Write it with keras.ops, which runs on every backend."
FUNCTIONS = (
    "Give the Keras model itself, with preprocessing= and the like, instead of a function that "
    "calls it; write functions with TensorFlow; or set KERAS_BACKEND=tensorflow in the environment "
    "before Python starts."
)
_BACKENDS = {"jax", "jaxlib", "torch"}
_LIBRARIES = {"keras", "tensorflow", "tf_keras", "sparkdl", "numpy", "optree", "tree", *_BACKENDS}


@contextmanager
def explain_tracing() -> Iterator[None]:
    """Explain errors of a block that traces functions here, where Keras has another backend."""
    backend = other_backend()
    if backend is None:
        yield
        return
    with explain_errors(backend, FUNCTIONS):
        yield


@contextmanager
def explain_errors(backend: str, remedy: str) -> Iterator[None]:
    """Explain errors that come from code for a backend, in a block where TensorFlow runs it.

    Raises
    ------
    InvalidModelException
        For those; all other errors pass.
    """
    try:
        with _keep_tracebacks():
            yield
    except Exception as e:  # backends raise all kinds
        causes = [
            cause for cause in _chain(e) if any(_is_for(f, backend) for f, _ in _frames(cause))
        ]
        if not causes:
            raise
        raise InvalidModelException(
            f"{_where(causes)} runs on {backend} only, and sparkdl runs models in TensorFlow: "
            f"{_reason(causes[-1])}. {remedy}"
        ) from e


@contextmanager
def _keep_tracebacks() -> Iterator[None]:
    """Keep the frames that Keras leaves out of tracebacks: among them those of its backends."""
    config = keras().config
    if not config.is_traceback_filtering_enabled():
        yield
        return
    config.disable_traceback_filtering()
    try:
        yield
    finally:
        config.enable_traceback_filtering()


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return an error and those that led to it, latest first."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


def _frames(error: BaseException) -> list[tuple[FrameType, int]]:
    return list(traceback.walk_tb(error.__traceback__))


def _is_for(frame: FrameType, backend: str) -> bool:
    """Say whether code is of a backend, or uses it by name."""
    module = _module(frame)
    if _root(module) in (backend, f"{backend}lib") or module.startswith(
        f"keras.src.backend.{backend}."
    ):
        return True
    return _root(module) not in _LIBRARIES and any(
        _root(name) == backend or _root(_origin(frame.f_globals.get(name))) == backend
        for name in frame.f_code.co_names
    )


def _origin(value: object) -> str:
    """Return the module that something in a program's namespace is, or is from."""
    name = getattr(value, "__name__", "") if type(value).__name__ == "module" else None
    return str(name if name is not None else getattr(value, "__module__", ""))


def _where(errors: list[BaseException]) -> str:
    """Name the innermost place in a user's code."""
    places = [place for error in errors for place in _frames(error)]
    user_frames = [
        (f, line) for f, line in places if _root(_module(f)) not in _LIBRARIES | {"contextlib"}
    ]
    if not user_frames:
        return "A layer of the model"
    frame, line = user_frames[-1]
    return f"{frame.f_code.co_name} ({frame.f_code.co_filename}, line {line})"


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(".")


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _root(module: str) -> str:
    return module.split(".")[0]
