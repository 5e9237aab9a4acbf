"""Pictures of predictions and of training, as figures of matplotlib.

Every function returns a new `matplotlib.figure.Figure`: notebooks show it, `figure.savefig` writes
it. No window is opened and no state of pyplot is touched. Matplotlib comes with
``pip install 'sparkdl-py[plot]'``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from sparkdl.errors import SettingsException
from sparkdl.labels import label_text
from sparkdl.plot.confusion import confusion_matrix
from sparkdl.plot.figures import RIGHT, WRONG, ImageLike, as_pixels, new_figure
from sparkdl.plot.metric_values import single_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["confusion_matrix", "history", "predictions", "top_k"]

_MOST_LINES = 10  # of a metric with several results
_TINY = 64  # pixels
_TITLE_LETTERS = 18  # that fit above an image in a grid


def top_k(
    image: ImageLike,
    probabilities: Iterable[Any],
    labels: Sequence[str] | None = None,
    k: int = 5,
) -> Figure:
    """Show an image and, beside it, its most probable classes as bars.

    Parameters
    ----------
    image : Row, bytes or ndarray
        Spark's image struct, the bytes of an image file, or pixels [height, width, channels] RGB,
        uint8, or float of 0 to 1.
    probabilities : vector, list of float, or list of Row
        One per class, in the order of `labels`; or the output of `DeepImagePredictor` with
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
    bars = right.barh(range(len(values)), values, color=RIGHT)
    right.bar_label(bars, [f"{v:.2g}" for v in values], padding=2)
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    right.set(xlim=(0, 1), xlabel="probability")
    right.spines[["top", "right"]].set_visible(False)
    return figure


def _best(
    probabilities: Iterable[Any], labels: Sequence[str] | None, k: int
) -> tuple[list[str], list[float]]:
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
    images: Sequence[ImageLike],
    predicted: Sequence[Any],
    actual: Sequence[Any] | None = None,
    columns: int = 8,
) -> Figure:
    """Show images in a grid, each under its prediction; wrong ones in red, with the truth.

    Images of less than 64 pixels get smooth edges.

    Parameters
    ----------
    images : list
        Each as `top_k` takes it.
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
    for axis, image, *labels in zip(axes.flat, images, predicted, truth, strict=False):
        _show(axis, image)
        guess, true = map(label_text, labels)  # 3.0 is right where the label is 3
        text = guess if guess == true else f"{guess}\nis: {true}"
        lines_of_text = [fill(line, _TITLE_LETTERS) for line in text.splitlines()]
        colour = RIGHT if guess == true else WRONG
        axis.set_title("\n".join(lines_of_text), color=colour, fontsize=10)
    return figure


def history(values: Mapping[str, Sequence[Any]], parts: Mapping[str, int] | None = None) -> Figure:
    """Show losses and metrics by epoch: a panel for each, with a dashed line for validation.

    A metric with several results has a line for each of them; the first ten are drawn.

    Parameters
    ----------
    values : dict of str to list
        As `history` of a fitted model or Keras' `History.history`; "val_x" belongs to "x".
    parts : dict of str to int, optional
        Parts of the training with their numbers of epochs, in order; a dotted line is drawn where
        one follows another.
    """
    training = [name for name in values if not name.startswith("val_")]
    validation = [n.removeprefix("val_") for n in values if n.startswith("val_")]
    names = list(dict.fromkeys([*training, *validation]))
    if not names:
        raise SettingsException(
            "There is no history to show: expected losses by name, got none. Only models that an "
            "estimator has trained have one."
        )
    figure = new_figure(4.5 * len(names), 3.2)
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False).flat, names, strict=True):
        for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
            if key in values:
                _draw_lines(axis, values[key], label, style)
        axis.set(xlabel="epoch", title=_title(name, values))
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axis.spines[["top", "right"]].set_visible(False)
        _draw_parts(axis, parts or {})
        axis.legend(frameon=False)
    return figure


def _draw_lines(axis: Axes, values: Sequence[ArrayLike], label: str, style: str) -> None:
    """Draw a line, or one per result of a metric that has several."""
    curves: dict[str, list[float]] = {}
    for value in values:
        for place, number in single_numbers("", value):
            curves.setdefault(place, []).append(number)
    style = style if len(values) > 1 else "o"  # a line of one point is invisible
    for i, (place, numbers) in enumerate(list(curves.items())[:_MOST_LINES]):
        epochs = range(1, len(numbers) + 1)
        axis.plot(
            epochs,
            numbers,
            style,
            label=f"{label} {place}".strip(),
            color=f"C{i}" if place else None,
        )


def _title(name: str, values: Mapping[str, Sequence[Any]]) -> str:
    epochs = values.get(name) or values.get(f"val_{name}") or [0.0]
    count = int(np.size(epochs[0]))
    return name if count <= _MOST_LINES else f"{name} (first {_MOST_LINES} of {count})"


def _draw_parts(axis: Axes, parts: Mapping[str, int]) -> None:
    """Draw a line where a part of the training follows another."""
    start = 0.5
    for i, (name, epochs) in enumerate(parts.items()):
        if i > 0:
            axis.axvline(start, color="grey", linestyle=":", label=f"{name} begins")
        start += epochs


def _show(axis: Axes, image: ImageLike) -> None:
    pixels = as_pixels(image)
    shown = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    smooth = "lanczos" if max(shown.shape[:2]) < _TINY else None  # squares are all that one sees
    axis.imshow(shown, cmap="gray", interpolation=smooth)
    axis.axis("off")
