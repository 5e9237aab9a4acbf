"""How `KerasEstimator` fits all combinations of a grid: one after the other, on the same rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparkdl._models.libraries import eagerly
from sparkdl.training._estimator.fit_on_workers import fit
from sparkdl.training._estimator.keras_estimator_params import KerasEstimatorParams
from sparkdl.training._estimator.placed_rows import PlacedRows

if TYPE_CHECKING:
    from pyspark.ml.param import Param
    from pyspark.sql import DataFrame

    from sparkdl.transformers import KerasModel


class FittedGrid:
    """A thread-safe iterator of (index, model), as `Estimator.fitMultiple` returns it.

    Executors keep the rows until the last model is fitted, or one cannot be.
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
                model = fit(estimator, self._dataset, self._rows)
        except BaseException:
            self._rows.forget()
            raise
        with self._lock:
            self._finished += 1
            if self._finished == len(self._grid):
                self._rows.forget()
        return index, model
