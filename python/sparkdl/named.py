"""The named models: one table, `resources/named_models.json`, for Python and Scala."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparkdl.errors import ModelNotFoundException

_TABLE = Path(__file__).parent / "resources" / "named_models.json"


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
        What the graph makes of the pixels 0..255 before the network sees them.
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


class ModelTable(Sequence[NamedModel]):
    """The named models as a list that prints as a table."""

    def __init__(self, rows: Sequence[NamedModel]) -> None:
        self._rows = tuple(rows)

    def __getitem__(self, index: Any) -> Any:
        """Return a row or a slice of rows."""
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        header = ("model", "input", "features", "weights", "channels", "values", "in cache")
        lines = [header, *(_cells(row) for row in self._rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
        pad = ["  ".join(c.ljust(w) for c, w in zip(li, widths, strict=True)) for li in lines]
        return "\n".join(line.rstrip() for line in pad)


def _cells(row: NamedModel) -> tuple[str, ...]:
    cached = "with sparkdl" if row.resource else ("yes" if row.cached else "no")
    size = f"{row.weightsMB:.1f} MB"
    shape = f"{row.height} x {row.width}"
    return row.name, shape, str(row.features), size, row.channelOrder, row.valueRange, cached


@lru_cache(maxsize=1)
def _table() -> tuple[NamedModel, ...]:
    rows = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(NamedModel(**{**r, "featureMap": tuple(r["featureMap"])}) for r in rows)


def named_model(name: str) -> NamedModel:
    """Return one row of the table.

    Examples
    --------
    >>> named_model("ResNet50").featureMap
    (7, 7, 2048)
    """
    for row in _table():
        if row.name == name:
            return row
    names = [row.name for row in _table()]
    close = get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ModelNotFoundException(
        f"There is no model named {name!r}.{hint} Known names: {', '.join(names)}."
    )


def models(model_dir: str | None = None) -> ModelTable:
    """List the models that the stages know by name.

    Parameters
    ----------
    model_dir : str, optional
        The model cache to look in; by default the one that the stages use.

    Returns
    -------
    ModelTable
        A sequence of `NamedModel`, which prints as a table: size of the input, length of the
        features with pooling "avg", size of the weights, channel order and range of values,
        and whether a bundle is in the cache.

    Examples
    --------
    >>> sparkdl_models = models()
    >>> [m.name for m in sparkdl_models if m.features == 512]
    ['VGG16', 'VGG19']
    """
    from dataclasses import replace

    from sparkdl.model_cache import is_cached

    return ModelTable([replace(r, cached=is_cached(r, model_dir)) for r in _table()])
