"""How `KerasEstimator` fits all combinations of a grid: one after the other, on the same rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparkdl._models.libraries import eagerly
from sparkdl._notebook import Bar, has_bars
from sparkdl.training._estimator.fit_on_workers import fit
from sparkdl.training._estimator.keras_estimator_params import KerasEstimatorParams
from sparkdl.training._estimator.placed_rows import PlacedRows

if TYPE_CHECKING:
    from pyspark.ml.param import Param
    from pyspark.sql import DataFrame

    from sparkdl.transformers import KerasModel


class FittedGrid:
    """A thread-safe iterator of (index, model), as `Estimator.fitMultiple` returns it.

    Executors keep the rows until the last model is fitted, or one cannot be. In a notebook one bar
    counts the models, instead of lines and a bar for each of them.
    """

    def __init__(
        self,
        estimator: KerasEstimatorParams,
        dataset: DataFrame,
        grid: Sequence[Mapping[Param[Any], Any]],
    ) -> None:
        self._estimator, self._dataset, self._grid = estimator.copy(), dataset, grid
        self._rows = PlacedRows()
        self._lock = threading.Lock()
        self._started = self._finished = 0
        wanted = len(grid) > 1 and estimator.getVerbose() and has_bars()
        self._bar = Bar(len(grid), unit="model") if wanted else None

    def __iter__(self) -> Iterator[tuple[int, KerasModel]]:
        return self

    def __next__(self) -> tuple[int, KerasModel]:
        with self._lock:
            index = self._started
            if index >= len(self._grid):
                raise StopIteration
            self._started += 1
        try:
            with eagerly():
                estimator = self._estimator.copy(dict(self._grid[index]))
                if self._bar is not None:
                    estimator.setVerbose(0)
                model = fit(estimator, self._dataset, self._rows)
        except BaseException:
            self._end()
            raise
        with self._lock:
            self._finished += 1
            if self._bar is not None:
                self._bar.advance()
            if self._finished == len(self._grid):
                self._end()
        return index, model

    def _end(self) -> None:
        self._rows.forget()
        if self._bar is not None:
            self._bar.close()
