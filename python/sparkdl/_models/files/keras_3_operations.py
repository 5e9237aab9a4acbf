"""Operations of Keras 3 (`x + 1`, `keras.ops.relu(x)`) in HDF5 files, which keep only their names.

A zip names the module of each class, and HDF5 does not: there Keras looks for a layer, and either
finds none ("Unknown layer: 'Relu'") or takes a layer of the same name for the operation (`Add`).
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sparkdl._models.files.keras_file import KerasFile
from sparkdl._models.libraries import keras


def operations_of(file: KerasFile) -> dict[str, Any]:
    """Return what Keras 3 needs as custom objects to load the operations in an HDF5 file."""
    return {name: _either(name, kind) for name, kind in _operations(file).items()}


def has_operations(file: KerasFile) -> bool:
    """Say whether an HDF5 file has operations."""
    return bool(_operations(file))


def _operations(file: KerasFile) -> dict[str, Any]:
    nodes = [o for o in file.objects() if "inbound_nodes" in o]
    names = {o["class_name"] for o in nodes if _is_operation(o.get("config"))}
    classes = {name: _operation(name) for name in names}
    return {name: kind for name, kind in classes.items() if kind is not None}


def _is_operation(config: object) -> bool:
    """Say whether a node's configuration may be an operation's; layers say if they are trained."""
    return isinstance(config, dict) and "trainable" not in config


def _operation(name: str) -> Any:
    """Return the class of an operation; None if there is no such operation."""
    keras()
    operations = import_module("keras.src.ops")
    base = import_module("keras.src.ops.operation").Operation
    for module in iter_modules(operations.__path__, "keras.src.ops."):
        kind = getattr(import_module(module.name), name, None)
        if isinstance(kind, type) and issubclass(kind, base) and kind.__module__ == module.name:
            return kind
    return None


def _either(name: str, operation: Any) -> Any:
    """Return what builds an operation, or the layer of the same name, as the configuration says."""
    layer: Any = getattr(keras().layers, name, operation)

    class Either:
        @staticmethod
        def from_config(config: dict[str, Any]) -> Any:
            return (operation if _is_operation(config) else layer).from_config(config)

    return Either
