"""Submodules of a package that are imported at first use."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any


def submodules_of(package: str, names: Collection[str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package, which imports these submodules when asked for one.

    Examples
    --------
    >>> find = submodules_of("sparkdl", ["errors"])
    >>> find("errors").SparkDLException.__name__
    'SparkDLException'
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return import_module(f"{package}.{name}")

    return find
