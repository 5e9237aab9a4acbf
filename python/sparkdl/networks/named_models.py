"""The named models: one table, `resources/named_models.json`, for Python and Scala."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files

from sparkdl.errors import ModelNotFoundException, SettingsException

_TABLE = files("sparkdl") / "resources" / "named_models.json"


@dataclass(frozen=True)
class NamedModel:
    """A network that the stages know by name.

    Attributes
    ----------
    name : str
        What `modelName` takes.
    height, width : int
        Size of the input in pixels.
    features : int
        Length of the features with pooling "avg" and "max".
    featureMap : tuple of int
        Height, width and channels of what pooling "none" flattens.
    channelOrder : str
        Order of the channels that the bundle's graph takes.
    valueRange : str
        The range to which the graph scales the pixels 0..255 before the network sees them.
    weightsMB : float
        Size of the weights in memory, with the classifier on top, in 10^6 bytes.
    classes : int
        Number of classes of the original classifier.
    keras : str or None
        Module and function in `keras.applications`.
    resource : str or None
        Folder in sparkdl's jar, for a network that comes with sparkdl.
    cached : bool
        Whether a bundle of it is in the model cache.
    """

    name: str
    height: int
    width: int
    features: int
    featureMap: tuple[int, int, int]
    channelOrder: str
    valueRange: str
    weightsMB: float
    classes: int
    keras: str | None = None
    resource: str | None = None
    cached: bool = field(default=False, compare=False)


@lru_cache(maxsize=1)
def named_models() -> tuple[NamedModel, ...]:
    """Return all rows of the table."""
    rows = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(NamedModel(**{**r, "featureMap": tuple(r["featureMap"])}) for r in rows)


def named_model(name: str, size: Sequence[int] | None = None) -> NamedModel:
    """Return one row of the table, with another height and width of the input if these are given.

    Examples
    --------
    >>> named_model("ResNet50").featureMap
    (7, 7, 2048)
    """
    for row in named_models():
        if row.name == name:
            return row if size is None else _at_size(row, *size)
    names = [row.name for row in named_models()]
    close = get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ModelNotFoundException(
        f"There is no model named {name!r}.{hint} Known names: {', '.join(names)}."
    )


def _at_size(model: NamedModel, height: int, width: int) -> NamedModel:
    if model.resource and (height, width) != (model.height, model.width):
        raise SettingsException(
            f"{model.name} comes with sparkdl as a graph of {model.height} x {model.width} pixels; "
            f"inputSize {height} x {width} is for the networks of Keras. Leave it unset."
        )
    return replace(model, height=height, width=width)
