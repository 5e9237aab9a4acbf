"""Keras models on image files, as the Scala class of the same name applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import keyword_only
from pyspark.ml.param import Param

from sparkdl.param.image_file import ImageFileParams
from sparkdl.param.keyword import setter_like
from sparkdl.param.saved_function import text_of
from sparkdl.session.jvm_door import door
from sparkdl.transformers._image_loading import ImageLoading, load_images
from sparkdl.transformers._keras_file import KerasFileStage
from sparkdl.transformers._trained import Trained

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import DataFrame, SparkSession

    from sparkdl._models.live_keras import LiveModel


class KerasImageFileTransformer(ImageLoading, Trained, KerasFileStage, ImageFileParams):
    """Applies a Keras model to image files.

    Input: a column of paths or URIs. Without a loader the files (JPEG, PNG, BMP, GIF, WebP, TIFF,
    on any file system that Hadoop reads) are read, decoded, resized to targetSize and preprocessed
    in the JVM. With a loader, your function makes the images, in Python workers, of a column of any
    type, and the model still runs in the JVM. The model takes ``[rows, height, width, channels]``:
    RGB (BGR with preprocessing "caffe", as in Keras), or luminance where it has one channel.
    Output: an MLlib dense vector, or an image struct. It is null only with handleInvalid "keep".

    Parameters
    ----------
    inputCol : str
        Name of the column of paths or URIs, or of whatever the loader takes.
    outputCol : str
        Name of the new column; the DataFrame must not have it yet.
    modelFile : str or Path
        The model: a file of Keras (.keras, .h5), a bundle, a SavedModel directory or a frozen
        graph (.pb).
    model : keras.Model
        A live model, instead of modelFile. It is converted at once.
    imageLoader : callable, optional
        From a URI to an array ``[1, height, width, channels]`` or ``[height, width, channels]`` in
        RGB order, uint8 or float. What it raises is the reason of an invalid row. uint8 images
        are resized and preprocessed as files are; floats are preprocessed but not resized, so they
        must have the model's size.
    targetSize : (int, int), optional
        Height and width in pixels that images are resized to. Unset: the model's, or each image's
        own where the model takes any.
    preprocessing : str
        How the pixels are scaled before the model sees them: "none" (default: 0 to 255), "tf",
        "caffe" or "torch", as in `keras.applications.imagenet_utils.preprocess_input`.
    outputMode : str
        "vector" (default): the output flattened, row-major; or "image": Spark's image struct.
    scaleHint : str
        How images are resized: SCALE_AREA_AVERAGING (default), SCALE_SMOOTH, SCALE_DEFAULT,
        SCALE_FAST or SCALE_REPLICATE.
    custom_objects, safe_mode, verify
        For Keras, when it loads a file, and for the check of the bundle that is made of it: see
        `KerasTransformer`.
    batchSize : int, optional
        Images per run of the model. Default: the session's ``spark.sparkdl.batchSize``.
    precision : str, optional
        "float32" or "bfloat16". Default: the session's ``spark.sparkdl.precision`` (float32).
    handleInvalid : str
        What becomes of a row whose file is missing or cannot be decoded, or whose loader failed:
        "error" (default: the job fails and names it), "skip" or "keep".
    errorCol : str, optional
        Name of a new string column for the reasons of rows that handleInvalid "keep" kept.
    seed : int, optional
        Makes the random numbers repeatable that a model draws: they follow from the seed and the
        row. Default: new numbers in every run.

    Raises
    ------
    SchemaMismatchException
        From `transform`: a column is missing, exists already or has another type, or the model does
        not take such images.
    SettingsException
        From `transform` of a loaded stage whose loader was not loaded; see the notes.

    Notes
    -----
    A stage is saved with its loader: by address (module and name) if it can be imported, otherwise
    as a pickle. Loading does not import or unpickle it unless
    ``spark.sparkdl.pythonFunctions.load`` is "true", since that runs code from the files.
    `setImageLoader` gives a loaded stage its function again. Scala loads such a stage, but refuses
    to apply it.

    Examples
    --------
    >>> import sparkdl
    >>> stage = sparkdl.KerasImageFileTransformer(
    ...     inputCol="uri", outputCol="features", modelFile="model.keras", preprocessing="tf"
    ... )  # doctest: +SKIP
    >>> stage.transform(files).select("features")  # doctest: +SKIP
    """

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,
        outputCol: str | None = None,
        modelFile: str | Path | None = None,
        model: LiveModel | None = None,
        imageLoader: Callable[[str], Any] | None = None,
        targetSize: Sequence[int] | None = None,
        preprocessing: str = "none",
        outputMode: str = "vector",
        scaleHint: str = "SCALE_AREA_AVERAGING",
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
        verify: bool = True,
        batchSize: int | None = None,
        precision: str | None = None,
        handleInvalid: str = "error",
        errorCol: str | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._create(preprocessing="none", outputMode="vector", scaleHint="SCALE_AREA_AVERAGING")
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        self._warn_if_failed()
        if not self.isSet(self.imageLoader):
            return super()._transform(dataset)
        from pyspark.sql import DataFrame

        java = self._java_in(dataset.sparkSession)
        door().checkFiles(java, dataset._jdf)
        image, reason = f"{self.uid}__image", f"{self.uid}__reason"
        loaded = load_images(dataset, self.getInputCol(), self._loader(), image, reason)
        result = door().transformLoaded(java, loaded._jdf, image, reason)
        return DataFrame(result, dataset.sparkSession)

    def _make_java_param_pair(self, param: Param[Any], value: Any) -> Any:
        text = text_of(value) if param.name == "imageLoader" else value
        return super()._make_java_param_pair(param, text)

    def _complete_java(self, java: JavaObject, spark: SparkSession | None) -> None:
        super()._complete_java(java, spark)
        if not self.isSet(self.imageLoader):  # cleared: the JVM would refuse to read the files
            java.clear(java.getParam("imageLoader"))
