"""`sparkdl.compare_models`: which of the known networks is best for your pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._figures import RIGHT, new_figure
from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pyspark.sql import DataFrame

    from sparkdl.transformers import ImageClassifierModel

_MEGABYTE = 1e6


@dataclass(frozen=True)
class Result:
    """What one network reached.

    Attributes
    ----------
    model : str
        Name of the network.
    accuracy, loss : float
        Of the rows that were held out, after the best epoch; of the training rows if none were.
    seconds : float
        Of `fit`: features and head.
    megabytes : float
        Size of the classifier's graph, in 10^6 bytes.
    imagesPerSecond : float
        At inference on this session, from images to predictions; the model was loaded before.
    """

    model: str
    accuracy: float
    loss: float
    seconds: float
    megabytes: float
    imagesPerSecond: float


class Comparison(Sequence[Result]):
    """The results, best first, which print as a table.

    Attributes
    ----------
    models : dict of str to ImageClassifierModel
        The fitted models by the names of their networks.
    """

    def __init__(self, results: Sequence[Result], models: dict[str, ImageClassifierModel]) -> None:
        self._results = sorted(results, key=lambda r: (-r.accuracy, r.loss))
        self.models = models

    def __getitem__(self, index: Any) -> Any:
        """Return a result or a slice of results."""
        return self._results[index]

    def __len__(self) -> int:
        return len(self._results)

    @property
    def best(self) -> ImageClassifierModel:
        """The model with the highest accuracy, and of equal ones that with the least loss."""
        return self.models[self._results[0].model]

    def __repr__(self) -> str:
        header = ["model", "accuracy", "loss", "seconds", "MB", "images/s"]
        lines = [header, *(_cells(r) for r in self._results)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
        pad = [
            [
                c.rjust(w) if i else c.ljust(w)
                for i, (c, w) in enumerate(zip(li, widths, strict=True))
            ]
            for li in lines
        ]
        return "\n".join("  ".join(line) for line in pad)

    def plot(self) -> Figure:
        """Return a figure of accuracy, seconds, size and images per second of each network."""
        panels = ("accuracy", "seconds", "megabytes", "imagesPerSecond")
        figure = new_figure(3.2 * len(panels), 0.8 + 0.4 * len(self))
        names = [r.model for r in self._results]
        for i, (axis, panel) in enumerate(
            zip(figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True)
        ):
            values = [getattr(r, panel) for r in self._results]
            bars = axis.barh(range(len(names)), values, color=RIGHT)
            axis.bar_label(bars, [f"{v:.3g}" for v in values], padding=2)
            axis.set_yticks(range(len(names)), names if i == 0 else [])
            axis.invert_yaxis()
            axis.margins(x=0.2)
            axis.set_title(panel)
            axis.spines[["top", "right"]].set_visible(False)
        return figure


def _cells(result: Result) -> list[str]:
    values = [getattr(result, f.name) for f in fields(result)]
    return [values[0], *(f"{v:.{d}f}" for v, d in zip(values[1:], (4, 4, 1, 1, 1), strict=True))]


def compare_models(df: DataFrame, models: Sequence[str], **params: Any) -> Comparison:
    """Fit a classifier on each of several named networks, with the same rows held out.

    Parameters
    ----------
    df : DataFrame
        Images and labels.
    models : list of str
        Names of `sparkdl.models()`.
    **params
        Of `ImageClassifierEstimator`, for all of them; at least inputCol and labelCol.

    Returns
    -------
    Comparison
        Prints as a table; `plot()` is the picture; `models` are the fitted models and `best` is
        the best of them.

    Raises
    ------
    SettingsException
        No model is named, one is named twice, or params has what `models` says.
    SparkDLException
        As `ImageClassifierEstimator.fit`.

    Examples
    --------
    >>> found = sparkdl.compare_models(
    ...     images, ["VGG16", "ResNet50"], inputCol="image", labelCol="flower"
    ... )  # doctest: +SKIP
    >>> print(found)  # doctest: +SKIP
    >>> found.best.write().save("/models/flowers")  # doctest: +SKIP
    """
    names = list(models)
    if not names or len({*names}) != len(names):
        raise SettingsException(f"Expected names of different networks, got {names}.")
    wrong = sorted(params.keys() & {"baseModel", "model", "modelFile"})
    if wrong:
        raise SettingsException(f"compare_models sets {', '.join(wrong)} itself; give `models`.")
    fitted: dict[str, ImageClassifierModel] = {}
    results = []
    for name in names:
        fitted[name], result = _tried(df, name, params)
        results.append(result)
    return Comparison(results, fitted)


def _tried(df: DataFrame, name: str, params: dict[str, Any]) -> tuple[ImageClassifierModel, Result]:
    from sparkdl.estimators.image_classifier_estimator import ImageClassifierEstimator

    start = time.monotonic()
    model = ImageClassifierEstimator(baseModel=name, **params).fit(df)
    seconds = time.monotonic() - start
    history = model.history
    prefix = "val_" if "val_loss" in history else ""
    losses = history[f"{prefix}loss"]
    best = min(range(len(losses)), key=losses.__getitem__)
    return model, Result(
        model=name,
        accuracy=history[f"{prefix}accuracy"][best],
        loss=losses[best],
        seconds=seconds,
        megabytes=(Path(model.getModelFile()) / "graph.pb").stat().st_size / _MEGABYTE,
        imagesPerSecond=_speed(model, df),
    )


def _speed(model: ImageClassifierModel, df: DataFrame) -> float:
    count = df.count()
    model.transform(df).limit(1).collect()  # loads the model
    start = time.monotonic()
    model.transform(df).write.format("noop").mode("overwrite").save()
    return count / (time.monotonic() - start)
