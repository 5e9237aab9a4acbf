"""Pictures of predictions and of training, as figures of matplotlib.

Every function returns a new `matplotlib.figure.Figure`: notebooks show it, `figure.savefig` writes
it. No window is opened and no state of pyplot is touched. Matplotlib comes with
``pip install 'sparkdl[plot]'``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._figures import RIGHT, WRONG, as_pixels, new_figure
from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["confusion_matrix", "history", "predictions", "top_k"]


def top_k(
    image: Any, probabilities: Any, labels: Sequence[str] | None = None, k: int = 5
) -> Figure:
    """Show an image and, beside it, its most probable classes as bars.

    Parameters
    ----------
    image : Row, bytes or ndarray
        Spark's image struct, the bytes of an image file, or pixels [height, width, channels] RGB,
        uint8, or float of 0 to 1.
    probabilities : vector, list of float, or list of Row
        One per class, in the order of `labels`; or what `DeepImagePredictor` gives with
        decodePredictions.
    labels : list of str, optional
        Names of the classes; by default their numbers.
    k : int
        How many bars, at least 1.

    Raises
    ------
    SettingsException
        `labels` does not have a name per probability, or matplotlib is not installed.
    """
    names, values = _best(probabilities, labels, k)
    figure = new_figure(8, 3)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.4])
    _show(left, image)
    right.barh(range(len(values)), values, color=RIGHT)
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    right.set(xlim=(0, 1), xlabel="probability")
    right.spines[["top", "right"]].set_visible(False)
    return figure


def _best(probabilities: Any, labels: Any, k: int) -> tuple[list[str], list[float]]:
    if k < 1:
        raise SettingsException(f"k must be at least 1, got {k}.")
    items = list(probabilities)
    if items and hasattr(items[0], "probability"):
        pairs = [(r.description, float(r.probability)) for r in items]
    else:
        names = [str(i) for i in range(len(items))] if labels is None else list(labels)
        if len(names) != len(items):
            raise SettingsException(
                f"Expected a label per probability, got {len(names)} labels and {len(items)} "
                "probabilities."
            )
        pairs = [(n, float(p)) for n, p in zip(names, items, strict=True)]
    best = sorted(pairs, key=lambda pair: -pair[1])[:k]
    return [n for n, _ in best], [p for _, p in best]


def predictions(
    images: Sequence[Any],
    predicted: Sequence[Any],
    actual: Sequence[Any] | None = None,
    columns: int = 8,
) -> Figure:
    """Show images in a grid, each under what was predicted; wrong ones in red, with the truth.

    Parameters
    ----------
    images : list
        As of `top_k`.
    predicted : list
        A label per image.
    actual : list, optional
        The true label per image.
    columns : int
        Images per line.
    """
    truth = list(predicted) if actual is None else list(actual)
    if not images or not len(images) == len(predicted) == len(truth):
        raise SettingsException(
            f"Expected as many labels as images and at least one, got {len(images)} images, "
            f"{len(predicted)} predicted and {len(truth)} actual labels."
        )
    columns = min(columns, len(images))
    lines = -(-len(images) // columns)
    figure = new_figure(1.6 * columns, 2.0 * lines)
    axes = figure.subplots(lines, columns, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, found, true in zip(axes.flat, images, predicted, truth, strict=False):
        _show(axis, image)
        right = str(found) == str(true)
        text = str(found) if right else f"{found}\nis: {true}"
        axis.set_title(text, color=RIGHT if right else WRONG, fontsize=10)
    return figure


def confusion_matrix(
    actual: Sequence[Any], predicted: Sequence[Any], labels: Sequence[Any] | None = None
) -> Figure:
    """Show how often each class was taken for each: a line per true class, a column per predicted.

    Parameters
    ----------
    actual, predicted : list
        A label per row.
    labels : list, optional
        Order of the classes; by default all that occur, sorted.
    """
    if len(actual) != len(predicted):
        raise SettingsException(
            f"Expected as many predicted as actual labels, got {len(predicted)} and {len(actual)}."
        )
    names = sorted({*actual, *predicted}) if labels is None else list(labels)
    counts = _counts(actual, predicted, names)
    size = 2.0 + 0.55 * len(names)
    figure = new_figure(size, size)
    axis = figure.subplots()
    axis.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmax=1)
    for (line, column), count in np.ndenumerate(counts):
        if count:
            dark = count > counts[line].sum() / 2
            axis.text(column, line, count, ha="center", va="center", color="w" if dark else "k")
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="predicted", ylabel="actual")
    return figure


def _counts(actual: Sequence[Any], predicted: Sequence[Any], names: Sequence[Any]) -> Any:
    place = {name: i for i, name in enumerate(names)}
    unknown = sorted({str(v) for v in [*actual, *predicted] if v not in place})
    if unknown:
        raise SettingsException(
            f"labels does not have {', '.join(unknown[:5])}; it has {', '.join(map(str, names))}."
        )
    counts = np.zeros((len(names), len(names)), int)
    for true, found in zip(actual, predicted, strict=True):
        counts[place[true], place[found]] += 1
    return counts


def history(values: Mapping[str, Sequence[float]]) -> Figure:
    """Show losses and metrics by epoch: a panel for each, with the one of validation dashed.

    Parameters
    ----------
    values : dict of str to list of float
        As `history` of a fitted model or Keras' `History.history`; "val_x" belongs to "x".
    """
    shown = [name for name in values if not name.startswith("val_")]
    shown += [n.removeprefix("val_") for n in values if n.startswith("val_")]
    names = list(dict.fromkeys(shown))
    if not names:
        raise SettingsException(
            "There is no history to show: expected losses by name, got none. Only models that an "
            "estimator has trained have one."
        )
    figure = new_figure(4.5 * len(names), 3.2)
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False).flat, names, strict=True):
        for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
            if key in values:
                axis.plot(range(1, len(values[key]) + 1), values[key], style, label=label)
        axis.set(xlabel="epoch", title=name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
    return figure


def _show(axis: Any, image: Any) -> None:
    pixels = as_pixels(image)
    axis.imshow(pixels[..., 0] if pixels.shape[2] == 1 else pixels, cmap="gray")
    axis.axis("off")
