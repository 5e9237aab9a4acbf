"""The model of `ImageClassifierEstimator`, as the Scala class of the same name applies it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark import keyword_only
from pyspark.ml import Model

from sparkdl._bundles.description.training_record import facts
from sparkdl._models.libraries import keras
from sparkdl._places.held_folders import hold_new
from sparkdl._places.temporary_folders import new_folder
from sparkdl.networks.classifier_keras import HEAD, HEAD_EPOCHS, KERAS_FILE_CONTENT, with_network
from sparkdl.param.converters import path
from sparkdl.param.declaration import declare_param
from sparkdl.param.image_classifier_params import ImageClassifierParams
from sparkdl.param.keyword import setter_like
from sparkdl.transformers._fitted import FittedModel
from sparkdl.transformers._stage import ModelStage


class ImageClassifierModel(FittedModel, ModelStage, ImageClassifierParams, Model):
    """A classifier of images that `ImageClassifierEstimator` has trained, with its history.

    Input: Spark's image struct, or encoded bytes (JPEG, PNG, BMP, GIF, WebP, TIFF), of any size.
    Output: up to three columns, those whose names are not empty. Null only with handleInvalid
    "keep".

    Parameters
    ----------
    inputCol : str
        Name of the column of images.
    modelFile : str or Path
        The bundle that the estimator has written.
    predictionCol : str
        New column, double: the label itself where labels are numbers, so that Spark's evaluators
        compare it with the column of labels; otherwise the label's place among the sorted labels.
    probabilityCol : str
        New column, MLlib dense vector: the probabilities in the order of the sorted labels.
    predictedLabelCol : str
        New column, string: the most probable label.
    scaleHint : str
        How images are resized; see `DeepImageFeaturizer`.
    batchSize, precision, handleInvalid, errorCol, seed
        As in `DeepImageFeaturizer`.

    Raises
    ------
    SchemaMismatchException
        From `transform`: a column is missing, exists already or has another type.
    InvalidModelException, ModelNotFoundException
        From `transform`: the bundle is not one of a classifier, damaged or missing.

    Examples
    --------
    >>> model = sparkdl.ImageClassifierModel.load("/models/flowers")  # doctest: +SKIP
    >>> model.transform(images).select("predictedLabel", "probability")  # doctest: +SKIP
    >>> print(model.summary())  # doctest: +SKIP
    """

    modelFile = declare_param(
        "modelFile",
        "The model: path of a bundle that ImageClassifierEstimator has written.",
        path,
    )

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        modelFile: str | Path | None = None,
        predictionCol: str = "prediction",
        probabilityCol: str = "probability",
        predictedLabelCol: str = "predictedLabel",
        scaleHint: str = "SCALE_AREA_AVERAGING",
        batchSize: int | None = None,
        precision: str | None = None,
        handleInvalid: str = "error",
        errorCol: str | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._create(
            predictionCol="prediction",
            probabilityCol="probability",
            predictedLabelCol="predictedLabel",
            scaleHint="SCALE_AREA_AVERAGING",
        )
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    @property
    def labels(self) -> list[str]:
        """The labels as text, in the order of the probabilities."""
        from sparkdl.labels import read_labels

        file = Path(self._bundle_folder()) / "labels.json"
        return [description for _, description in read_labels(file)]

    def _parts(self) -> dict[str, int]:
        epochs = facts(self._bundle_folder()).get(HEAD_EPOCHS)
        if epochs is None:
            return {}
        return {"head": int(epochs), "network": len(self.history["loss"]) - int(epochs)}

    def _keras_file(self) -> str:
        file = super()._keras_file()
        record = facts(self._bundle_folder())
        if record.get(KERAS_FILE_CONTENT) != HEAD:
            return file
        from sparkdl._models.files.loading import load_keras_file

        whole = with_network(load_keras_file(Path(file), None, True), record)
        copy = new_folder("whole") / Path(file).name
        keras().saving.save_model(whole, copy)
        return hold_new(copy)

    def getModelFile(self) -> str:
        """Return the path of the bundle."""
        return self.getOrDefault(self.modelFile)

    def setModelFile(self, value: str | Path) -> ImageClassifierModel:
        """Set the path of the bundle."""
        return self._set(modelFile=value)
