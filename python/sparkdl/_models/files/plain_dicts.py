"""Models whose files Keras reads as they were written."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    import keras


def with_plain_dicts(model: keras.Model) -> Any:
    """Return a model of the same layers whose file gives the same model again.

    A file has the weights of layers of one class in an order that follows the outputs. It says
    dict for an OrderedDict, whose keys Keras sorts when it loads the file and not before: layers
    would silently get each other's weights.

    Raises
    ------
    InvalidModelException
        A model within it, or a model of a custom class, has outputs in an OrderedDict.
    """
    affected = [
        m for m in model._flatten_layers() if _is_ordered(getattr(m, "_outputs_struct", None))
    ]
    if not affected:
        return model
    if affected != [model] or not type(model).__module__.startswith("keras."):
        names = ", ".join(f"'{m.name}'" for m in affected)
        raise InvalidModelException(
            f"Cannot write '{model.name}' to a file: {names} has outputs in an OrderedDict, and "
            "when Keras loads it, layers get each other's weights. Build it with a dict."
        )
    from sparkdl._models.libraries import keras

    return keras().Model(_plain(model.input), _plain(model.output), name=model.name)


def _is_ordered(structure: object) -> bool:
    if isinstance(structure, OrderedDict) and list(structure) != sorted(structure, key=str):
        return True
    if isinstance(structure, Mapping):
        return any(map(_is_ordered, structure.values()))
    return isinstance(structure, (list, tuple)) and any(map(_is_ordered, structure))


def _plain(structure: object) -> Any:
    if isinstance(structure, Mapping):
        return {key: _plain(part) for key, part in structure.items()}
    return [*map(_plain, structure)] if isinstance(structure, (list, tuple)) else structure
