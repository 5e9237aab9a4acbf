"""Trains a classifier of images on the features of a network that was trained before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml import Estimator
from pyspark.ml.param import Param

from sparkdl._models.keras_arguments import OptimizerLike
from sparkdl._models.live_keras import LiveModel
from sparkdl.errors import SparkDLException
from sparkdl.estimators._classifier.classifier_params import ClassifierParams
from sparkdl.param import keyword_only
from sparkdl.param.keyword import setter_like, without_none
from sparkdl.transformers._model_to_train import take_model
from sparkdl.transformers._saved_estimator import SavedEstimator

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.transformers import ImageClassifierModel

_DEFAULTS: dict[str, Any] = {
    "predictionCol": "prediction",
    "probabilityCol": "probability",
    "predictedLabelCol": "predictedLabel",
    "scaleHint": "SCALE_AREA_AVERAGING",
    "handleInvalid": "error",
    "weights": "imagenet",
    "preprocessing": "none",
    "headUnits": 512,
    "epochs": 20,
    "batchSize": 32,
    "validationFraction": 0.2,
    "earlyStoppingPatience": 10,
    "fineTuneLearningRate": 1e-5,
    "augmentCopies": 2,
    "callbacks": None,
    "classWeight": "none",
    "seed": 0,
    "verbose": 1,
}

E = TypeVar("E", bound="ImageClassifierEstimator")


class ImageClassifierEstimator(
    Estimator["ImageClassifierModel"],
    ClassifierParams,
    SavedEstimator,
):
    """Trains a classifier of images by transfer learning; returns an `ImageClassifierModel`.

    The network stays as it is. The cluster computes its features (global average pooling) of every
    image once; Keras trains a head of two dense layers on them, on the driver.
    docs/fine-tuning.md says what travels where, and what it costs.

    Parameters
    ----------
    inputCol : str
        Column of images: Spark's image struct, or encoded bytes (JPEG, PNG, BMP, GIF, WebP, TIFF).
    labelCol : str
        Column of labels: strings, numbers or booleans; each value is a class.
    baseModel : str
        Name of the network, one of `sparkdl.models()`.
    inputSize : (int, int), optional
        Height and width in pixels of its input. Default: those of `sparkdl.models()`.
    model, modelFile
        Your own network instead, live or as a file of Keras: one input of RGB images, one output
        of features [rows, n] or maps [rows, height, width, n], which are averaged.
    preprocessing : str
        How pixels are prepared for your own network: "none" (default: 0 to 255), "tf", "caffe" or
        "torch".
    weights, modelDir
        Of the named network, as of `DeepImageFeaturizer`.
    headUnits : int
        Units of the dense layer (relu) before the softmax; default 512; 0: softmax only.
    unfreezeFrom : str, optional
        Name of the first layer of the network that is trained too, by `KerasEstimator` on the
        cluster, once the head is trained. Batch norms stay as they are.
    optimizer : str or keras.optimizers.Optimizer
        Default "adam".
    learningRate : float, optional
        Default: the optimizer's own.
    fineTuneLearningRate : float
        That of the optimizer when the network is trained; default 1e-5.
    epochs, batchSize : int
        At most 20 epochs (of the head, and again of the network), in steps of 32 images.
    validationFraction : float
        Share of the images that is held out, drawn by their content and the seed; default 0.2.
    validationCol : str, optional
        A boolean column that says which are held out instead.
    earlyStoppingPatience : int
        Epochs (default 10) without a smaller validation loss after which training stops. The
        weights are those of the best epoch. 0: train all epochs and keep the last.
    augment : list of str, optional
        "flip", "crop", "colour": what is done at random to copies of the images. Each epoch takes
        an image or one of its copies.
    augmentCopies : int
        Default 2; each costs another run of the network.
    callbacks : list of keras.callbacks.Callback, optional
        They run on the driver, in the training of the head and then in that of the network.
    classWeight : str
        "none" (default) or "balanced".
    tensorBoardDir, checkpointDir : str or Path, optional
        Directories on any file system of Hadoop, for TensorBoard and for states to resume from.
    seed : int
        Default 0. The same seed, rows and order give the same model on the same machine.
    numWorkers : int, optional
        Tasks that train the network, with unfreezeFrom.
    verbose : int
        1 (default): a line per epoch on stderr, in a notebook a bar; 0: none.
    predictionCol, probabilityCol, predictedLabelCol, scaleHint, precision, errorCol
        Of the fitted model, see there; scaleHint and precision apply to the features too.
    handleInvalid : str
        Rows without a readable image or a label: "error" (default) or "skip". The fitted model has
        the same.
    custom_objects, safe_mode
        For Keras, when it loads modelFile: see `KerasTransformer`.

    Raises
    ------
    SparkDLException
        From `fit`: params are missing or do not fit together.
    SchemaMismatchException
        A column is missing or has another type.
    InvalidInputException
        A row cannot be used, or fewer than two classes are left.
    InvalidModelException, ModelNotFoundException
        The network is not available.

    Examples
    --------
    >>> estimator = sparkdl.ImageClassifierEstimator(
    ...     inputCol="image", labelCol="flower", baseModel="ResNet50", epochs=30
    ... )  # doctest: +SKIP
    >>> model = estimator.fit(images)  # doctest: +SKIP
    >>> model.transform(others).select("predictedLabel")  # doctest: +SKIP
    >>> model.plot_history().savefig("history.png")  # doctest: +SKIP
    """

    # How Keras is to load the file. Code, so no params, as in KerasTransformer.
    custom_objects: Mapping[str, Any] | None = None
    safe_mode: bool = True
    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        labelCol: str | None = None,
        baseModel: str | None = None,
        inputSize: Sequence[int] | None = None,
        model: LiveModel | None = None,
        modelFile: str | Path | None = None,
        preprocessing: str = "none",
        weights: str | Path = "imagenet",
        modelDir: str | Path | None = None,
        headUnits: int = 512,
        unfreezeFrom: str | None = None,
        optimizer: OptimizerLike = "adam",
        learningRate: float | None = None,
        fineTuneLearningRate: float = 1e-5,
        epochs: int = 20,
        batchSize: int = 32,
        validationFraction: float = 0.2,
        validationCol: str | None = None,
        earlyStoppingPatience: int = 10,
        augment: Sequence[str] | str | None = None,
        augmentCopies: int = 2,
        callbacks: Sequence[Any] | None = None,
        classWeight: str = "none",
        tensorBoardDir: str | Path | None = None,
        checkpointDir: str | Path | None = None,
        seed: int = 0,
        numWorkers: int | None = None,
        verbose: int = 1,
        predictionCol: str = "prediction",
        probabilityCol: str = "probability",
        predictedLabelCol: str = "predictedLabel",
        scaleHint: str = "SCALE_AREA_AVERAGING",
        precision: str | None = None,
        handleInvalid: str = "error",
        errorCol: str | None = None,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
    ) -> None:
        super().__init__()
        self._setDefault(**_DEFAULTS)
        # Not through _setDefault, which would convert it, and so import Keras.
        self._defaultParamMap[self.optimizer] = "adam"
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def _set(self: E, **values: object) -> E:
        """Set params, and what is not a param: the model, and how it is loaded."""
        return super()._set(**take_model(self, without_none(values)))

    def fitMultiple(
        self, dataset: DataFrame, paramMaps: Sequence[Mapping[Param[Any], Any]]
    ) -> Iterator[tuple[int, ImageClassifierModel]]:
        """Train a model for each param map; those with the same network share its features.

        Returns
        -------
        iterator
            Of (index, model), thread-safe. A model is trained when it is asked for.
        """
        from sparkdl._models.libraries import keras_to_train

        keras_to_train()
        from sparkdl.estimators._classifier.fit_classifiers import FittedClassifiers
        from sparkdl.estimators._classifier.labelled_images import labelled_images

        estimators = [self.copy(dict(m)) for m in paramMaps]
        for estimator in estimators:
            estimator._validate()
            labelled_images(estimator, dataset)  # checks columns before a network is made
        return FittedClassifiers(estimators, dataset)

    def _fit(self, dataset: DataFrame) -> ImageClassifierModel:
        return next(self.fitMultiple(dataset, [{}]))[1]

    def _validate(self) -> None:
        missing = [name for name in ("inputCol", "labelCol") if not self.isSet(name)]
        if missing:
            raise SparkDLException(f"Cannot fit {self.uid}: set {' and '.join(missing)}.")
