"""The results of a comparison of networks, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, overload

from sparkdl.plot.figures import RIGHT, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sparkdl.transformers import ImageClassifierModel


@dataclass(frozen=True)
class Result:
    """What one network reached.

    Attributes
    ----------
    model : str
        Name of the network.
        Of the held-out rows, or of the training rows if none were held out; after the epoch whose
        weights the model has.
    seconds : float
        Of `fit`: features and head.
    megabytes : float
        Size of the classifier's graph, in 10^6 bytes.
    imagesPerSecond : float
        At inference on this session, from images to predictions. Another row went through the
        model before; executors of a cluster that did not take part load it within this time.
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

    @overload
    def __getitem__(self, index: int) -> Result: ...

    @overload
    def __getitem__(self, index: slice) -> list[Result]: ...

    def __getitem__(self, index: int | slice) -> Result | list[Result]:
        """Return a result or a slice of results."""
        return self._results[index]

    def __len__(self) -> int:
        return len(self._results)

    @property
    def best(self) -> ImageClassifierModel:
        """The model with the highest accuracy; among equals, the one with the lowest loss."""
        return self.models[self._results[0].model]

    def __repr__(self) -> str:
        header = ["model", "accuracy", "loss", "seconds", "MB", "images/s"]
        lines = [header, *(_cells(r) for r in self._results)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join([name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])])
            for name, *numbers in lines
        )

    def plot(self) -> Figure:
        """Return a figure of accuracy, seconds, size and images per second of each network."""
        panels = {
            "accuracy": "accuracy",
            "seconds": "seconds of fit",
            "megabytes": "size in MB",
            "imagesPerSecond": "images/s at inference",
        }
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
            axis.set_title(panels[panel])
            axis.spines[["top", "right"]].set_visible(False)
        return figure


def _cells(result: Result) -> list[str]:
    values = [getattr(result, f.name) for f in fields(result)]
    return [values[0], *(f"{v:.{d}f}" for v, d in zip(values[1:], (4, 4, 1, 1, 1), strict=True))]
