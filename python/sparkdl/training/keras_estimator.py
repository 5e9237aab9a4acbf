"""Trains one Keras model on a DataFrame, by many workers at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml import Estimator

from sparkdl._models.keras_arguments import LossLike, OptimizerLike, PerOutput
from sparkdl._models.libraries import eagerly
from sparkdl._models.live_keras import LiveModel, is_keras
from sparkdl._places.places import path_text
from sparkdl.param import keyword_only
from sparkdl.param.keyword import setter_like, without_none
from sparkdl.training._estimator.column_params import GivenColumns
from sparkdl.training._estimator.keras_estimator_params import KerasEstimatorParams
from sparkdl.transformers._model_to_train import stored_model, take_model
from sparkdl.transformers._saved_estimator import SavedEstimator

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.transformers import KerasModel

E = TypeVar("E", bound="KerasEstimator")


class KerasEstimator(
    Estimator["KerasModel"],
    KerasEstimatorParams,
    SavedEstimator,
):
    """Trains one Keras model on a DataFrame, by several workers; returns a `KerasModel`.

    The workers are tasks of one barrier job. Each keeps its share of the rows on its disk and runs
    Keras; after each step they sum their gradients, so all have the same weights, and losses are
    those of plain Keras with the same batches. docs/training.md says what is equal, in which order
    rows are trained on, and what happens when something fails.

    Parameters
    ----------
    model : keras.Model or str or Path or callable
        The model with its first weights (a copy is taken at once), the path of its file (.keras,
        .h5), or a function without arguments that returns it. How it was compiled is ignored.
    inputCols : list or dict of str
        A column per input of the model, or a field of a struct ("s.v"): numbers, texts, arrays as
        deep as the input has dimensions, MLlib vectors, or raw bytes for uint8. A plain number or
        text feeds ``[rows, 1]`` too. Or one struct, whose fields have the inputs' names. By name
        (``{"input": "column"}``), or in the order in which the model was given its inputs.
    labelCols : list or dict of str, optional
        A column per output: numbers (classes or values), vectors or arrays of numbers. By name, or
        in the order in which the model was given its outputs, which for a dict is that of its keys
        as they were written. If there are several, training begins with a line that says which
        column belongs to which. Strings are indexed in their order, and predictedLabelCol gives
        them back.
    outputCols : list or dict of str, optional
        New columns of the fitted model, by name or in the same order.
    outputMode : str
        Form of these: "array" (default), "vector" or "scalar".
    predictionCol : str, optional
        New column for Spark ML's evaluators, double: the number of an output that has one, or the
        index of the predicted class. docs/keras-on-tables.md has the rules.
    probabilityCol, rawPredictionCol : str, optional
        New columns, MLlib vectors: the probabilities of all classes, and what the model gives.
    predictedLabelCol : str, optional
        New column, string: the label of the predicted class.
    predictionOutput : str, optional
        The output that these columns are made of. Default: the only one.
    thresholds : list of float, optional
        One per class: the largest probability / threshold is predicted.
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
        Of the rows, 0 <= fraction < 1. Default 0. One of every 1 / fraction rows is for validation.
    validationCol : str, optional
        Boolean column of rows for validation, instead of a fraction.
    shuffle : bool
        Default True: each epoch has its own order. False: that of the DataFrame.
    bucketByLength : bool
        Default False. True: the rows of a batch are of like length, so that less is padded; see
        docs/training.md for their order.
    paddingValue : float or dict of float
        Rows of an input with an unknown size, such as ``Input((None, 2))``, may differ in it: they
        are padded at their end with this number, for all inputs or by name, to the longest of
        their global batch. Default 0.
    seed : int
        Default 0.
    callbacks : list of keras.callbacks.Callback, optional
        They run on the driver, at the end of each epoch.
    checkpointDir : str, optional
        Keeps the state at the end of each epoch, and every `checkpointSteps` steps.
    resume : bool
        Default True: resumes from the newest state of this very training in checkpointDir.
    tensorBoardDir : str, optional
        Losses and metrics per step and epoch; every `histogramEpochs` epochs the weights too.
    numWorkers : int, optional
        Default: all task slots, at most batchSize.
    syncEvery : int
        Default 1. k: workers take k steps alone before their weights are averaged, for slow
        connections; losses are then no longer those of one machine.
    timeout : float
        Deadline of every wait between workers, driver and task slots, in seconds. Default 300.
    verbose : int
        1 (default) prints a line per epoch on stderr, in a notebook a bar, 0 nothing.
    custom_objects : dict, optional
        Your classes and functions by name, for Keras when it loads a file. They travel to the
        workers, as those of a live model do by themselves, but not into a saved estimator.
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

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        model: LiveModel | str | Path | Callable[[], LiveModel] | None = None,
        modelFile: str | Path | None = None,
        inputCols: GivenColumns | None = None,
        labelCols: GivenColumns | None = None,
        outputCols: GivenColumns | None = None,
        outputMode: str = "array",
        predictionCol: str | None = None,
        probabilityCol: str | None = None,
        rawPredictionCol: str | None = None,
        predictedLabelCol: str | None = None,
        predictionOutput: str | None = None,
        thresholds: Sequence[float] | None = None,
        optimizer: OptimizerLike = "adam",
        loss: LossLike | PerOutput | None = None,
        lossWeights: PerOutput | None = None,
        metrics: PerOutput | None = None,
        sampleWeightCol: str | None = None,
        batchSize: int = 32,
        epochs: int = 1,
        validationFraction: float = 0.0,
        validationCol: str | None = None,
        shuffle: bool = True,
        bucketByLength: bool = False,
        paddingValue: float | Mapping[str, float] = 0.0,
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

    def _set(self: E, **values: object) -> E:
        """Set params, and what is not a param: the model, and how it is loaded."""
        return super()._set(**take_model(self, without_none(values), _file_of))

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
            bucketByLength=False,
            paddingValue=0.0,
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
        from sparkdl.training._estimator.placed_rows import placed_rows

        with eagerly(), placed_rows() as rows:
            return fit(self, dataset, rows)

    def fitMultiple(
        self, dataset: DataFrame, paramMaps: Sequence[Mapping[Any, Any]]
    ) -> Iterator[tuple[int, KerasModel]]:
        """Fit a model per combination of params; rows that several need are placed once.

        Returns
        -------
        iterator of (int, KerasModel)
            Thread-safe: each model with the number of its combination.
        """
        from sparkdl.training._estimator.fit_grid import FittedGrid

        return FittedGrid(self, dataset, paramMaps)

    def _resetUid(self, newUid: str) -> Any:
        super()._resetUid(newUid)
        return self._setDefault(outputCols=[f"{newUid}__output"])


def _file_of(model: LiveModel | str | os.PathLike[str] | Callable[[], LiveModel]) -> str:
    """Return the file of a model: a live one, its path, or a function that makes it."""
    if isinstance(model, (str, os.PathLike)):
        return path_text(model)
    live = model() if callable(model) and not is_keras(model) else model
    return stored_model(live)
