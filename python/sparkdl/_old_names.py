"""Names of sparkdl 1.x and TensorFrames 0.x, each with a `DeprecationWarning` that says today's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_OF_1X = ("InceptionV3", "Xception", "ResNet50", "VGG16", "VGG19")
_NETWORKS = "sparkdl.transformers.keras_applications"

# By the module in which it was: from the old name to the module and the name that it has today.
_TODAY: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "sparkdl.horovod": {"HorovodRunner": ("sparkdl", "HorovodRunner")},
    "sparkdl.horovod.runner_base": {"HorovodRunner": ("sparkdl", "HorovodRunner")},
    "sparkdl.param.image_params": {"CanLoadImage": ("sparkdl.param", "CanLoadImage")},
    "sparkdl.param.converters": {
        "SparkDLTypeConverters": ("sparkdl.param", "SparkDLTypeConverters")
    },
    "sparkdl.param.shared_params": {"keyword_only": ("sparkdl.param", "keyword_only")},
    _NETWORKS: {f"{n}Model": (_NETWORKS, f"KERAS_APPLICATION_MODELS[{n!r}]") for n in _OF_1X},
}

_AS_THEY_ARE = "graphs keep their names now"
# Constants, which have no name today: their values, and what there is instead.
_CONSTANTS: Mapping[str, Mapping[str, tuple[Any, str]]] = {
    "sparkdl.transformers.named_image": {
        "SUPPORTED_MODELS": (
            [*_OF_1X],
            "sparkdl.models() lists all models",
        )
    },
    "sparkdl.transformers.tf_image": {
        "IMAGE_INPUT_TENSOR_NAME": (
            "sparkdl_image_input:0",
            "sparkdl.imageInputPlaceholder() makes this tensor",
        ),
        "USER_GRAPH_NAMESPACE": ("given", _AS_THEY_ARE),
        "NEW_OUTPUT_PREFIX": ("sdl_flattened", _AS_THEY_ARE),
    },
}


def old_names_of(module: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module, which knows the names that it had in 1.x.

    Examples
    --------
    >>> find = old_names_of("sparkdl.transformers.tf_image")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     find("IMAGE_INPUT_TENSOR_NAME")
    'sparkdl_image_input:0'
    """

    def find(name: str) -> Any:
        if name in _CONSTANTS.get(module, {}):
            value, instead = _CONSTANTS[module][name]
            warn_of(f"{module}.{name}", instead)
            return value
        if name not in _TODAY.get(module, {}):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, today = _TODAY[module][name]
        warn_of(f"{module}.{name}", f"it is {home}.{today} now")
        table, _, key = today.partition("[")
        value = getattr(import_module(home), table)
        return value[key.strip("]'")] if key else value

    return find


def old_keywords(**today_by_old: str | None) -> Callable[[F], F]:
    """Let a function take keywords by the names of 1.x as well.

    Parameters
    ----------
    **today_by_old
        From an old keyword to today's; None for one that does nothing any more.

    Examples
    --------
    >>> @old_keywords(dframe="df")
    ... def rows(df):
    ...     return df
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     rows(dframe=3)
    3
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def renamed(*args: Any, **kwargs: Any) -> Any:
            for old in [k for k in kwargs if k in today_by_old]:
                value, today = kwargs.pop(old), today_by_old[old]
                instead = "it does nothing any more" if today is None else f"it is {today!r} now"
                warn_of(f"the keyword {old!r} of {function.__name__}", instead)
                if today in kwargs:
                    raise TypeError(f"{function.__name__}() got {old!r} and {today!r}: give one.")
                if today is not None:
                    kwargs[today] = value
            return function(*args, **kwargs)

        return renamed  # type: ignore[return-value]

    return decorate


def warn_of(old: str, instead: str) -> None:
    """Warn the caller of the caller of an old name."""
    warnings.warn(f"{old} is a name of 1.x: {instead}.", DeprecationWarning, stacklevel=3)
