"""The picture of a confusion matrix, from two classes to a thousand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.errors import SettingsException
from sparkdl.labels import label_text
from sparkdl.plot.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELL, _LEAST_CELL = 0.55, 0.3  # inches; with smaller ones there is no room for numbers
_MOST_INCHES = 16.0  # of all cells
_LETTER = 0.08  # inches


def confusion_matrix(
    actual: Sequence[Any], predicted: Sequence[Any], labels: Sequence[Any] | None = None
) -> Figure:
    """Show how often each class was predicted as each: a line per true class, a column per guess.

    Colours show the share of a true class's rows, numbers how many rows they are; with more than
    about fifty classes there are no numbers, and not every class has its name.

    Parameters
    ----------
    actual, predicted : list
        A label per row. Numbers and texts of the same number are one class: 3, 3.0 and "3".
    labels : list, optional
        Order of the classes; by default all that occur, sorted.
    """
    if len(actual) != len(predicted) or not len(actual):
        raise SettingsException(
            "Expected as many predicted as actual labels and at least one, got "
            f"{len(predicted)} and {len(actual)}."
        )
    truth, guesses = list(map(label_text, actual)), list(map(label_text, predicted))
    names = _sorted({*truth, *guesses}) if labels is None else list(map(label_text, labels))
    counts = _counts(truth, guesses, names)
    cell = min(_CELL, _MOST_INCHES / len(names))
    size = 1.2 + cell * len(names) + _LETTER * max(map(len, names))
    figure = new_figure(size, size)
    axis = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if cell >= _LEAST_CELL:
        _write(axis, counts, shares)
    _name(axis, names, cell)
    return figure


def _sorted(names: set[str]) -> list[str]:
    """Sort numbers by their values, anything else as texts."""
    try:
        return sorted(names, key=float)
    except ValueError:
        return sorted(names)


def _counts(
    actual: Sequence[str], predicted: Sequence[str], names: Sequence[str]
) -> NDArray[np.int_]:
    place = {name: i for i, name in enumerate(names)}
    unknown = sorted({*actual, *predicted} - place.keys())
    if unknown:
        raise SettingsException(
            f"labels does not have {', '.join(unknown[:5])}; it has {', '.join(names)}."
        )
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, ([place[a] for a in actual], [place[p] for p in predicted]), 1)
    return counts


def _write(axis: Axes, counts: NDArray[np.int_], shares: NDArray[np.float64]) -> None:
    for line, column in np.argwhere(counts):
        colour = "w" if shares[line, column] > 0.5 else "k"
        axis.text(column, line, counts[line, column], ha="center", va="center", color=colour)


def _name(axis: Axes, names: Sequence[str], cell: float) -> None:
    """Name every class, or as many as there is room for."""
    every = range(0, len(names), math.ceil(_LEAST_CELL / 2 / cell))
    shown = [names[i] for i in every]
    axis.set_xticks(every, shown, rotation=45, ha="right", rotation_mode="anchor")
    axis.set_yticks(every, shown)
    axis.set(xlabel="predicted", ylabel="actual")
