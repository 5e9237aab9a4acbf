"""Trains one Keras model on a DataFrame, by many workers at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml import Estimator
from pyspark.ml.util import MLReadable, MLReader, MLWritable, MLWriter

from sparkdl._places.places import path_text
from sparkdl.param import keyword_only
from sparkdl.param.keyword import setter_like, without_none
from sparkdl.training._estimator.column_params import TrainingColumns
from sparkdl.training._estimator.record_params import RecordParams
from sparkdl.training._estimator.training_params import TrainingParams
from sparkdl.transformers._model_to_train import stored_model, take_model

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.transformers import KerasModel

E = TypeVar("E", bound="KerasEstimator")


class KerasEstimator(
    Estimator["KerasModel"],
    TrainingColumns,
    TrainingParams,
    RecordParams,
    MLReadable[Any],
    MLWritable,
):
    """Trains one Keras model on the rows of a DataFrame, in several workers; gives a `KerasModel`.

    The workers are tasks of one barrier job. Each keeps its share of the rows on its disk and runs
    Keras; after each step they sum their gradients, so all have the same weights, and losses are
    those of plain Keras with the same batches. docs/training.md tells what is equal, in which order
    rows are trained on, and what happens when something fails.

    Parameters
    ----------
    model : keras.Model or str or Path or callable
        The model with its first weights (a copy is taken at once), the path of its file (.keras,
        .h5), or a function without arguments that returns it. How it was compiled does not count.
    inputCols : list or dict of str
        A column per input of the model: numbers, arrays as deep as the input has dimensions, MLlib
        vectors, or raw bytes for uint8. By name (``{"input": "column"}``), or in the order in which
        the model was given its inputs.
    labelCols : list or dict of str, optional
        A column per output: numbers (classes or values), vectors or arrays of numbers. By name, or
        in the order in which the model was given its outputs, which for a dict is that of its keys
        as they were written. Of a model with several, training begins with a line that tells which
        column is whose.
    outputCols : list or dict of str, optional
        New columns of the fitted model, by name or in the same order.
    outputMode : str
        Form of these: "array" (default) or "vector".
    optimizer : str or keras.optimizers.Optimizer
        Default "adam". Schedules of learning rates work.
    loss : str or keras.losses.Loss or callable, or a list or dict of them
        For each output, or for all. Where Keras takes a list in another order than that of the
        outputs (it sorts the keys of a dict), a list is refused: use a dict.
    lossWeights : list or dict of float, optional
        Factor of each output's loss. Default 1.
    metrics : list or dict, optional
        As Keras' `compile` takes them.
    sampleWeightCol : str, optional
        Column of a number per row that its loss is multiplied by.
    batchSize : int
        Rows of a global batch, shared by the workers. Default 32.
    epochs : int
        Default 1.
    validationFraction : float
        Of the rows, 0 <= fraction < 1. Default 0. Of every 1 / fraction rows one is for validation.
    validationCol : str, optional
        Boolean column of rows for validation, instead of a fraction.
    shuffle : bool
        Default True: each epoch has its own order. False: that of the DataFrame.
    seed : int
        Default 0.
    callbacks : list of keras.callbacks.Callback, optional
        They run on the driver, at the end of each epoch.
    checkpointDir : str, optional
        Keeps the state at the end of each epoch, and every `checkpointSteps` steps.
    resume : bool
        Default True: goes on from the newest state of this very training in checkpointDir.
    tensorBoardDir : str, optional
        Losses and metrics per step and epoch; every `histogramEpochs` epochs the weights too.
    numWorkers : int, optional
        Default: all task slots, at most batchSize.
    syncEvery : int
        Default 1. k: workers take k steps alone before their weights are averaged, for slow
        networks; losses are then no longer those of one machine.
    timeout : float
        Deadline of every wait between workers, driver and task slots, in seconds. Default 300.
    verbose : int
        1 (default) prints a line per epoch on stderr, 0 nothing.
    custom_objects : dict, optional
        Your classes and functions by name, for Keras when it loads the model. They travel to the
        workers, but not into a saved estimator.
    safe_mode : bool
        False lets Keras run code that is pickled in the file: only for files that you trust.

    Raises
    ------
    SettingsException, SchemaMismatchException, InvalidModelException, InvalidInputException
        From `fit`, before training: params, columns or rows do not fit the model or each other.
    ModelExecutionException
        From `fit`: a worker failed (with its traceback), a deadline passed, or workers were lost
        four times without progress.

    Examples
    --------
    >>> estimator = sparkdl.KerasEstimator(
    ...     model=model, inputCols=["features"], labelCols=["label"], outputCols=["scores"],
    ...     loss="sparse_categorical_crossentropy", metrics=["accuracy"], batchSize=256, epochs=10,
    ...     validationFraction=0.1, checkpointDir="/checkpoints",
    ... )  # doctest: +SKIP
    >>> fitted = estimator.fit(df)  # doctest: +SKIP
    >>> fitted.history["val_loss"], fitted.transform(df)  # doctest: +SKIP
    """

    custom_objects: Mapping[str, Any] | None = None
    safe_mode: bool = True
    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        model: Any = None,
        modelFile: str | Path | None = None,
        inputCols: Sequence[str] | Mapping[str, str] | str | None = None,
        labelCols: Sequence[str] | Mapping[str, str] | str | None = None,
        outputCols: Sequence[str] | Mapping[str, str] | str | None = None,
        outputMode: str = "array",
        optimizer: Any = "adam",
        loss: Any = None,
        lossWeights: Any = None,
        metrics: Any = None,
        sampleWeightCol: str | None = None,
        batchSize: int = 32,
        epochs: int = 1,
        validationFraction: float = 0.0,
        validationCol: str | None = None,
        shuffle: bool = True,
        seed: int = 0,
        callbacks: Sequence[Any] | None = None,
        checkpointDir: str | Path | None = None,
        checkpointSteps: int = 0,
        resume: bool = True,
        tensorBoardDir: str | Path | None = None,
        histogramEpochs: int = 0,
        numWorkers: int | None = None,
        syncEvery: int = 1,
        timeout: float = 300.0,
        verbose: int = 1,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
    ) -> None:
        super().__init__()
        self._set_defaults()
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def _set(self: E, **given: Any) -> E:
        """Set params, and what is none: the model, and how it is loaded."""
        return super()._set(**take_model(self, without_none(given), _file_of))

    def _set_defaults(self) -> None:
        self._setDefault(
            outputCols=[f"{self.uid}__output"],
            outputMode="array",
            sampleWeightCol=None,
            validationFraction=0.0,
            validationCol=None,
            loss=None,
            lossWeights=None,
            metrics=None,
            batchSize=32,
            epochs=1,
            shuffle=True,
            seed=0,
            syncEvery=1,
            timeout=300.0,
            verbose=1,
            callbacks=None,
            checkpointDir=None,
            checkpointSteps=0,
            resume=True,
            tensorBoardDir=None,
            histogramEpochs=0,
        )
        # Not through _setDefault, which would convert it, and so import Keras.
        self._defaultParamMap[self.optimizer] = "adam"

    def _fit(self, dataset: DataFrame) -> KerasModel:
        from sparkdl.training._estimator.fit_on_workers import fit

        return fit(self, dataset)

    def _resetUid(self, newUid: str) -> Any:
        super()._resetUid(newUid)
        return self._setDefault(outputCols=[f"{newUid}__output"])

    def write(self) -> MLWriter:
        """Return a writer of the params and the model's file."""
        from sparkdl.transformers._saved_estimator import EstimatorWriter

        return EstimatorWriter(self)

    @classmethod
    def read(cls) -> MLReader[Any]:
        """Return a reader of saved estimators."""
        from sparkdl.transformers._saved_estimator import EstimatorReader

        return EstimatorReader(cls)


def _file_of(model: Any) -> str:
    """Return the file of a model that is given live, by path, or by a function that makes it."""
    if isinstance(model, (str, os.PathLike)):
        return path_text(model)
    made: Callable[[], Any] | Any = model
    from sparkdl._models.live_keras import is_keras

    live = model if is_keras(model) else made()
    return stored_model(live)
