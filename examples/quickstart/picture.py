"""A picture of test images with the predicted and the true class."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import sparkdl
from pyspark.sql import DataFrame

COLUMNS = 8
MOST = 32
MOST_WRONG = 8
TINY = 64  # pixels; what is smaller gets smooth edges instead of squares
RIGHT, WRONG = "#1a7f37", "#cf222e"


def chosen(predicted: DataFrame) -> list[Any]:
    """Return rows of all classes in turn, with some of the wrong ones, in the order of classes."""
    rows = sorted(predicted.collect(), key=lambda r: r.path)
    wrong = [r for r in rows if r.label != r.prediction][:MOST_WRONG]
    right = in_turn([r for r in rows if r.label == r.prediction])
    return sorted(wrong + right[: MOST - len(wrong)], key=lambda r: (r.label, r.path))


def in_turn(rows: list[Any]) -> list[Any]:
    """Order rows so that each run through the classes has one of each."""
    seen: dict[float, int] = {}
    keyed = []
    for r in rows:
        seen[r.label] = seen.get(r.label, 0) + 1
        keyed.append(((seen[r.label], r.label), r))
    return [r for _, r in sorted(keyed, key=lambda k: k[0])]


def pixels(paths: list[str]) -> dict[str, Any]:
    """Read images as arrays, RGB or grey."""
    found = sparkdl.readImages(paths, dropImageFailures=True).collect()
    arrays = {r.image.origin: sparkdl.image.ImageSchema.toNDArray(r.image) for r in found}
    return {o: a[..., 0] if a.shape[2] == 1 else a[..., 2::-1] for o, a in arrays.items()}


def draw(predicted: DataFrame, classes: list[str], file: Path, network: str) -> Path:
    """Write the picture as a PNG file."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = chosen(predicted)
    images = pixels([r.path for r in rows])
    lines = math.ceil(len(rows) / COLUMNS)
    figure, axes = plt.subplots(lines, COLUMNS, figsize=(1.5 * COLUMNS, 1.9 * lines), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, row in zip(axes.flat, rows, strict=False):
        image = images[row.path]
        smooth = "lanczos" if max(image.shape[:2]) < TINY else None
        axis.imshow(image, cmap="gray", interpolation=smooth)
        axis.set_title(**title(row, classes))
    figure.suptitle(f"{network} and a logistic regression on Spark: images that were held out")
    figure.tight_layout()
    figure.savefig(file, dpi=80)
    plt.close(figure)
    return file


def title(row: Any, classes: list[str]) -> dict[str, Any]:
    """Return the text above an image and its colour."""
    predicted, true = classes[int(row.prediction)], classes[int(row.label)]
    if row.prediction == row.label:
        return {"label": f"{predicted}  {row.sure:.2f}", "color": RIGHT, "fontsize": 10}
    return {"label": f"{predicted}  {row.sure:.2f}\nis: {true}", "color": WRONG, "fontsize": 10}
