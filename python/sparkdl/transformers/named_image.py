"""Stages that apply networks known by name, as the Scala classes of the same names do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark import keyword_only
from pyspark.ml.param import TypeConverters

from sparkdl._old_names import old_names_of
from sparkdl.param.converters import at_least_one, one_of, path
from sparkdl.param.declaration import declare_param
from sparkdl.param.keyword import setter_like
from sparkdl.transformers._stage import ImageStage


class DeepImageFeaturizer(ImageStage):
    """Turns images into the features that a pretrained network sees in them.

    Input: Spark's image struct, or encoded bytes (JPEG, PNG, BMP, GIF, WebP, TIFF), of any size;
    they are decoded and resized inside the operator. Output: an MLlib dense vector.
    `sparkdl.models()` lists its length for pooling "avg" and "max"; for "none" it is that of the
    whole feature map, row-major ``[height, width, channels]``. Null only with handleInvalid "keep".

    Parameters
    ----------
    inputCol : str
        Name of the column of images.
    outputCol : str
        Name of the new column; the DataFrame must not have it yet. Default: uid and ``__output``.
    modelName : str
        Name of the network, one of those that `sparkdl.models()` lists.
    inputSize : (int, int), optional
        Height and width in pixels of the network's input. Default: those of `sparkdl.models()`.
    scaleHint : str
        How images are resized: SCALE_AREA_AVERAGING (default), SCALE_SMOOTH, SCALE_DEFAULT,
        SCALE_FAST or SCALE_REPLICATE.
    batchSize : int, optional
        Images per run of the model. Default: the session's ``spark.sparkdl.batchSize``.
    precision : str, optional
        "float32" or "bfloat16". Default: the session's ``spark.sparkdl.precision`` (float32).
    pooling : str
        "avg" (default) or "max" over the positions of the feature map, or "none" for all of it.
    handleInvalid : str
        What becomes of a row whose image is null or cannot be decoded: "error" (default: the job
        fails and names it), "skip" or "keep".
    errorCol : str, optional
        Name of a new string column for the reasons of rows that handleInvalid "keep" kept.
    seed : int, optional
        Makes the random numbers repeatable that a model draws: they follow from the seed and the
        row. Default: new numbers in every run.
    weights : str or Path
        "imagenet" (default; Keras downloads its weights once), the path of a weights file of
        Keras (.weights.h5, .h5, .keras), or of a bundle.
    modelDir : str or Path, optional
        The model cache. Default: the session's ``spark.sparkdl.models.dir`` (~/.sparkdl/models).
    outputMode : str
        "vector" (default; an MLlib vector) or "array" (``array<float>``, which SQL functions, Lance
        and Delta take).

    Raises
    ------
    SchemaMismatchException
        From `transform`: a column is missing, exists already or has another type.
    ModelNotFoundException
        The name does not exist (when it is set), or, from `transform`, there are no weights.

    Notes
    -----
    `write` saves the model with the params, so a saved stage, or a pipeline around it, can be
    loaded on another machine, in Python and in Scala; `weights` is then the bundle that was saved.

    Examples
    --------
    >>> import sparkdl
    >>> featurizer = sparkdl.DeepImageFeaturizer(
    ...     inputCol="image", outputCol="features", modelName="ResNet50"
    ... )  # doctest: +SKIP
    >>> Pipeline(stages=[featurizer, LogisticRegression()]).fit(images)  # doctest: +SKIP
    """

    pooling = declare_param(
        "pooling",
        "What is made of the feature map: avg or max over its positions, or none, which is the "
        "whole map, flattened as in sparkdl 1.x.",
        one_of("pooling", ("avg", "max", "none")),
    )

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        outputCol: str | None = None,
        modelName: str | None = None,
        inputSize: Sequence[int] | None = None,
        scaleHint: str = "SCALE_AREA_AVERAGING",
        batchSize: int | None = None,
        precision: str | None = None,
        pooling: str = "avg",
        handleInvalid: str = "error",
        errorCol: str | None = None,
        seed: int | None = None,
        weights: str | Path = "imagenet",
        modelDir: str | Path | None = None,
        outputMode: str = "vector",
    ) -> None:
        super().__init__()
        self._create(pooling="avg")
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def getPooling(self) -> str:
        """Return how the feature map is pooled."""
        return self.getOrDefault(self.pooling)

    def setPooling(self, value: str) -> DeepImageFeaturizer:
        """Set how the feature map is pooled: avg, max or none."""
        return self._set(pooling=value)


class DeepImagePredictor(ImageStage):
    """Predicts the classes of images with a network that has its classifier on top.

    Input: as in `DeepImageFeaturizer`. Output: an MLlib dense vector of the probabilities of all
    classes; with decodePredictions an array of struct<class: string, description: string,
    probability: float>, the topK most probable classes, best first. A named
    network of 1000 classes without labels has ImageNet's; otherwise class and description are the
    number of the class.

    Parameters
    ----------
    inputCol, outputCol, modelName, inputSize, scaleHint, batchSize, precision, handleInvalid, \
errorCol, seed, weights, modelDir, outputMode
        As in `DeepImageFeaturizer`. The weights must include the classifier; that of VGG16 and
        VGG19 is for the usual inputSize alone.
    decodePredictions : bool
        Whether to return the best classes by name; default False.
    topK : int
        How many classes decodePredictions returns; default 5.
    labels : str or Path, optional
        A file with the names of the classes: Keras' class index, a JSON list, or a label per line
        (class, tab, description). Default: those in the bundle.

    Raises
    ------
    InvalidModelException
        From `transform`: the weights have no classifier.
    SchemaMismatchException, ModelNotFoundException
        As in `DeepImageFeaturizer`.

    Examples
    --------
    >>> import sparkdl
    >>> predictor = sparkdl.DeepImagePredictor(
    ...     inputCol="image", outputCol="predicted", modelName="ResNet50", decodePredictions=True
    ... )  # doctest: +SKIP
    >>> predictor.transform(images).select("predicted.description")  # doctest: +SKIP
    """

    decodePredictions = declare_param(
        "decodePredictions",
        "Whether to give the best classes by name, instead of the probabilities of all classes.",
        TypeConverters.toBoolean,
    )
    topK = declare_param(
        "topK",
        "How many classes decodePredictions gives, 1 or more; all of them where the network has "
        "fewer.",
        at_least_one("topK"),
    )
    labels = declare_param(
        "labels",
        "Path of a file with the names of the classes: Keras' class index, a JSON list, or a label "
        "per line (class, tab, description); unset: those in the bundle, else ImageNet's for a "
        "named network of 1000 classes, else the number of the class.",
        path,
    )

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        outputCol: str | None = None,
        modelName: str | None = None,
        inputSize: Sequence[int] | None = None,
        decodePredictions: bool = False,
        topK: int = 5,
        labels: str | Path | None = None,
        scaleHint: str = "SCALE_AREA_AVERAGING",
        batchSize: int | None = None,
        precision: str | None = None,
        handleInvalid: str = "error",
        errorCol: str | None = None,
        seed: int | None = None,
        weights: str | Path = "imagenet",
        modelDir: str | Path | None = None,
        outputMode: str = "vector",
    ) -> None:
        super().__init__()
        self._create(decodePredictions=False, topK=5)
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def getDecodePredictions(self) -> bool:
        """Return whether the best classes are returned by name."""
        return self.getOrDefault(self.decodePredictions)

    def setDecodePredictions(self, value: bool) -> DeepImagePredictor:
        """Set whether the best classes are returned by name."""
        return self._set(decodePredictions=value)

    def getTopK(self) -> int:
        """Return how many classes are returned."""
        return self.getOrDefault(self.topK)

    def setTopK(self, value: int) -> DeepImagePredictor:
        """Set how many classes are returned."""
        return self._set(topK=value)

    def getLabels(self) -> str:
        """Return the path of the names of the classes."""
        return self.getOrDefault(self.labels)

    def setLabels(self, value: str | Path) -> DeepImagePredictor:
        """Set the path of the names of the classes."""
        return self._set(labels=value)


__getattr__ = old_names_of(__name__)
