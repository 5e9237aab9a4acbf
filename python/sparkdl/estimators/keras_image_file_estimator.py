"""Trains a Keras model on files of images, one task of the cluster per combination of params."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml import Estimator
from pyspark.ml.param import Param

from sparkdl._models.keras_arguments import LossLike, OptimizerLike
from sparkdl._models.live_keras import LiveModel
from sparkdl.errors import SparkDLException
from sparkdl.estimators._trials.trial_params import TrialParams
from sparkdl.param import keyword_only
from sparkdl.param.keyword import setter_like, without_none
from sparkdl.transformers._image_loading import ImageLoading
from sparkdl.transformers._model_to_train import take_model
from sparkdl.transformers._saved_estimator import SavedEstimator

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.transformers import KerasImageFileTransformer

_TUNABLE = ("kerasOptimizer", "kerasLoss", "kerasFitParams", "outputCol", "outputMode")
_DEFINED = ("inputCol", "modelFile")

E = TypeVar("E", bound="KerasImageFileEstimator")


class KerasImageFileEstimator(
    ImageLoading,
    Estimator["KerasImageFileTransformer"],
    TrialParams,
    SavedEstimator,
):
    """Trains a Keras model on files of images; returns a `KerasImageFileTransformer`.

    Input: a column of URIs (string) of image files, and a column of labels.
    Every combination of params (`fit` with a list, `fitMultiple`, `CrossValidator`,
    `TrainValidationSplit`) is trained by Keras in its own task, from the weights that the
    model has. docs/tuning.md says what travels where, and what it costs.

    Parameters
    ----------
    inputCol : str
        Column of URIs, or of whatever the loader takes.
    outputCol : str
        New column of the fitted transformer.
    outputMode : str
        Form of that column: "vector" (default), an MLlib vector, or "image".
    labelCol : str, optional
        Column of labels: numbers, or vectors or arrays of a number per output. Sparse categorical
        losses take classes 0, 1, ... or one-hot vectors; so do the other categorical ones; all
        others take the numbers as they are. Unset: the model is trained with y=None.
    modelFile : str or Path
        The model with its first weights: a file of Keras (.keras, .h5) with one input of images
        and one output. How it was compiled is ignored.
    model : keras.Model
        A live model, instead of modelFile; a copy is taken at once.
    custom_objects : dict
        For Keras, when it loads the file: your classes and functions, by name. They travel to the
        executors, but not into a saved estimator.
    safe_mode : bool
        False lets Keras run code that is pickled in a file (Lambda layers): only for files that
        you trust.
    imageLoader, targetSize, preprocessing, scaleHint
        Where images come from, as in `KerasImageFileTransformer`: a function from a URI to pixels,
        which runs on the executors, once per row and `fit`; or what the JVM does with the files.
    kerasOptimizer : str or keras.optimizers.Optimizer
        Default "adam".
    kerasLoss : str or keras.losses.Loss or callable
        The loss.
    kerasFitParams : dict
        Keywords of `keras.Model.fit`; default ``{"verbose": 1}``: a line per epoch on stderr, in a
        notebook a bar.
    seed : int, optional
        For `keras.utils.set_random_seed` before each trial. The order of the rows is always the
        same, so with a seed training can be repeated.
    batchSize, precision, errorCol
        Of the fitted transformer, see there.
    handleInvalid : str
        Rows that cannot be loaded or have no label: "error" (default) names the first; "skip" and
        "keep" train on the others. The fitted transformer has the same.

    Raises
    ------
    SparkDLException
        From `fit`: params are missing, cannot be tuned, or do not fit together.
    SchemaMismatchException
        A column is missing or has another type.
    InvalidInputException
        A row cannot be used, none is left ("cannot extract any feature"), or the images do not
        fit the model.
    ModelExecutionException
        Every trial failed; the message has all reasons. When some failed, `fit` warns, and their
        transformers predict zeros and say why in `failure`.

    Examples
    --------
    >>> estimator = KerasImageFileEstimator(
    ...     inputCol="uri", outputCol="probabilities", labelCol="label", imageLoader=load,
    ...     modelFile="start.keras", kerasLoss="sparse_categorical_crossentropy",
    ... )  # doctest: +SKIP
    >>> grid = ParamGridBuilder().addGrid(
    ...     estimator.kerasFitParams, [{"epochs": 5, "batch_size": n} for n in (16, 64)]
    ... ).build()  # doctest: +SKIP
    >>> models = estimator.fit(df, grid)  # doctest: +SKIP
    >>> models[0].history["loss"]  # doctest: +SKIP
    """

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        outputCol: str | None = None,
        outputMode: str = "vector",
        labelCol: str | None = None,
        modelFile: str | Path | None = None,
        model: LiveModel | None = None,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
        imageLoader: Callable[[str], Any] | None = None,
        targetSize: Sequence[int] | None = None,
        preprocessing: str = "none",
        scaleHint: str = "SCALE_AREA_AVERAGING",
        kerasOptimizer: OptimizerLike = "adam",
        kerasLoss: LossLike | None = None,
        kerasFitParams: Mapping[str, Any] | None = None,
        seed: int | None = None,
        batchSize: int | None = None,
        precision: str | None = None,
        handleInvalid: str = "error",
        errorCol: str | None = None,
    ) -> None:
        super().__init__()
        self._setDefault(
            outputCol=f"{self.uid}__output",
            outputMode="vector",
            scaleHint="SCALE_AREA_AVERAGING",
            preprocessing="none",
            handleInvalid="error",
        )
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def _set(self: E, **values: object) -> E:
        """Set params, and what is not a param: the model, and how it is loaded."""
        return super()._set(**take_model(self, without_none(values)))

    def fitMultiple(
        self, dataset: DataFrame, paramMaps: Sequence[Mapping[Param[Any], Any]]
    ) -> Iterator[tuple[int, KerasImageFileTransformer]]:
        """Train a model for each param map, all in one Spark job; return when it has ended.

        Returns
        -------
        iterator
            Of (index, transformer), thread-safe. A model is fetched from the executors when it is
            asked for.
        """
        for param_map in paramMaps:
            self._validateParams(param_map)
        if not paramMaps:
            return iter(())
        from sparkdl.estimators._trials.fit_trials import fit_all

        return fit_all([self.copy(dict(m)) for m in paramMaps], dataset)

    def _fit(self, dataset: DataFrame) -> KerasImageFileTransformer:
        return next(self.fitMultiple(dataset, [{}]))[1]

    def _validateParams(self, paramMap: Mapping[Param[Any], Any]) -> bool:
        """Return True if all params are defined, or tuned by this map, and it tunes no others.

        Raises
        ------
        SparkDLException
            Lists the params that must be defined, those that must be defined or tuned, and those
            that cannot be tuned.
        """
        tuned = {p.name for p in paramMap if p.parent == self.uid}
        missing = [n for n in _DEFINED if not self.isDefined(n)]
        either = [n for n in _TUNABLE if not self.isDefined(n) and n not in tuned]
        fixed = sorted(tuned - set(_TUNABLE))
        wrong = [
            f"{', '.join(names)} must {what}"
            for names, what in (
                (missing, "be defined"),
                (either, "be defined or tuned"),
                (fixed, f"not be tuned (only {', '.join(_TUNABLE)} can be)"),
            )
            if names
        ]
        if wrong:
            raise SparkDLException(f"Cannot fit {self.uid}: {'; '.join(wrong)}.")
        return True

    def _resetUid(self, newUid: str) -> Any:
        super()._resetUid(newUid)
        return self._setDefault(outputCol=f"{newUid}__output")
