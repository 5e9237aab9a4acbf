"""`sparkdl.models()`: the named models, and which of them are in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import overload

from sparkdl._notebook import html_table
from sparkdl._places.places import PathOrUri
from sparkdl.networks.memory_need import most_memory
from sparkdl.networks.model_cache import is_cached
from sparkdl.networks.named_models import NamedModel, named_models

_HEADER = ("model", "input", "features", "weights", "executor", "channels", "values", "in cache")


class ModelTable(Sequence[NamedModel]):
    """The named models as a list that prints as a table."""

    def __init__(self, rows: Sequence[NamedModel]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> NamedModel: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[NamedModel, ...]: ...

    def __getitem__(self, index: int | slice) -> NamedModel | tuple[NamedModel, ...]:
        """Return a row or a slice of rows."""
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        lines = [_HEADER, *(_cells(row) for row in self._rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADER))]
        pad = ["  ".join(c.ljust(w) for c, w in zip(li, widths, strict=True)) for li in lines]
        return "\n".join(line.rstrip() for line in pad)

    def _repr_html_(self) -> str:
        return html_table(_HEADER, map(_cells, self._rows))


def _cells(row: NamedModel) -> tuple[str, ...]:
    cached = "with sparkdl" if row.resource else ("yes" if row.cached else "no")
    size = f"{row.weightsMB:.1f} MB"
    memory = f"{most_memory(row.weightsMB) / 1000:.1f} GB"
    shape = f"{row.height} x {row.width}"
    features = str(row.features)
    return row.name, shape, features, size, memory, row.channelOrder, row.valueRange, cached


def models(model_dir: PathOrUri | None = None) -> ModelTable:
    """List the models that the stages know by name.

    Parameters
    ----------
    model_dir : str or Path, optional
        The model cache to look in, on any of Hadoop's file systems; by default the one that the
        stages use.

    Returns
    -------
    ModelTable
        A sequence of `NamedModel`, which prints as a table: size of the input, length of the
        features with pooling "avg", size of the weights, the memory that an executor needs at
        most, channel order and range of values, and whether a bundle is in the cache.

    Examples
    --------
    >>> sparkdl_models = models()
    >>> [m.name for m in sparkdl_models if m.features == 512]
    ['VGG16', 'VGG19']
    """
    return ModelTable([replace(r, cached=is_cached(r, model_dir)) for r in named_models()])
