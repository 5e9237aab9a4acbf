"""Mixins for users' own stages, and for those of sparkdl that are written in Python.

Each mixin has one or two params with a setter and a getter. The stages that have a class in Scala
do not use them: their params are in `image_stage`, `model_stage` and `tensor_stage`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.param import Param, Params, TypeConverters

from sparkdl._old_names import old_names_of, warn_of
from sparkdl.param.converters import path
from sparkdl.param.declaration import declare_param
from sparkdl.param.sparkdl_converters import OUTPUT_MODES, SparkDLTypeConverters

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import Row

    from sparkdl.graph.input import TFInputGraph

P = TypeVar("P", bound=Params)

_IMAGE_COLUMN = "__sdl_img"


class HasInputCol(Params):
    """Mixin for the param inputCol, without a default."""

    inputCol = declare_param("inputCol", "Name of the input column.", TypeConverters.toString)

    def setInputCol(self: P, value: str) -> P:
        """Set the name of the input column."""
        return self._set(inputCol=value)

    def getInputCol(self) -> str:
        """Return the name of the input column."""
        return str(self.getOrDefault(self.inputCol))


class HasOutputCol(Params):
    """Mixin for the param outputCol; default: the stage's uid followed by "__output"."""

    outputCol = declare_param("outputCol", "Name of the output column.", TypeConverters.toString)

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(outputCol=self.uid + "__output")

    def setOutputCol(self: P, value: str) -> P:
        """Set the name of the output column."""
        return self._set(outputCol=value)

    def getOutputCol(self) -> str:
        """Return the name of the output column."""
        return str(self.getOrDefault(self.outputCol))


class HasLabelCol(Params):
    """Mixin for the param labelCol, without a default."""

    labelCol = declare_param("labelCol", "Name of the column of labels.", TypeConverters.toString)

    def setLabelCol(self: P, value: str) -> P:
        """Set the name of the column of labels."""
        return self._set(labelCol=value)

    def getLabelCol(self) -> str:
        """Return the name of the column of labels."""
        return str(self.getOrDefault(self.labelCol))


class HasOutputMode(Params):
    """Mixin for the param outputMode; default: "vector"."""

    outputMode = declare_param(
        "outputMode",
        f"What the output column holds: {' or '.join(OUTPUT_MODES)}.",
        SparkDLTypeConverters.buildSupportedItemConverter(OUTPUT_MODES),
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(outputMode="vector")

    def setOutputMode(self: P, value: str) -> P:
        """Set what the output column holds."""
        return self._set(outputMode=value)

    def getOutputMode(self) -> str:
        """Return what the output column holds."""
        return str(self.getOrDefault(self.outputMode))


class CanLoadImage(Params):
    """Mixin for the param imageLoader: the user's function that reads an image."""

    imageLoader: Param[Callable[[str], Any]] = declare_param(
        "imageLoader",
        "Function from a URI to an array [1, height, width, channels], float32 or uint8, RGB.",
        TypeConverters.identity,
    )

    def setImageLoader(self: P, value: Callable[[str], Any]) -> P:
        """Set the function."""
        return self._set(imageLoader=value)

    def getImageLoader(self) -> Callable[[str], Any]:
        """Return the function."""
        loader: Callable[[str], Any] = self.getOrDefault(self.imageLoader)
        return loader

    def loadImagesInternal(self, dataframe: DataFrame, inputCol: str) -> DataFrame:
        """Append the column "__sdl_img": images as structs (BGR), null where the loader fails."""
        from pyspark.ml.image import ImageSchema
        from pyspark.sql.functions import udf

        from sparkdl.image.imageIO import fixColorChannelOrdering, imageArrayToStruct

        loader = self.getImageLoader()

        def load(uri: str) -> Row | None:
            try:
                return imageArrayToStruct(fixColorChannelOrdering("RGB", loader(uri)), uri)
            except Exception:  # the user's function: a folder may have files that are not images
                return None

        loaded = udf(load, ImageSchema.columnSchema, useArrow=False)(inputCol)
        return dataframe.withColumn(_IMAGE_COLUMN, loaded)


class HasKerasModel(Params):
    """Mixin for the params modelFile and kerasFitParams; default of these: {"verbose": 1}."""

    modelFile = declare_param("modelFile", "Path of a Keras model (.keras, .h5).", path)
    kerasFitParams = declare_param(
        "kerasFitParams",
        "Keyword arguments of keras.Model.fit, such as epochs and batch_size.",
        SparkDLTypeConverters.toKerasFitParams,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(kerasFitParams={"verbose": 1})

    def setModelFile(self: P, value: str) -> P:
        """Set the path of the model."""
        return self._set(modelFile=value)

    def getModelFile(self) -> str:
        """Return the path of the model."""
        return str(self.getOrDefault(self.modelFile))

    def setKerasFitParams(self: P, value: Mapping[str, Any]) -> P:
        """Set the arguments of `fit`."""
        return self._set(kerasFitParams=value)

    def getKerasFitParams(self) -> dict[str, Any]:
        """Return the arguments of `fit`."""
        fit_params: dict[str, Any] = self.getOrDefault(self.kerasFitParams)
        return dict(fit_params)


class HasKerasOptimizer(Params):
    """Mixin for the param kerasOptimizer; default: "adam"."""

    kerasOptimizer = declare_param(
        "kerasOptimizer",
        "Name of one of Keras' optimizers, or an optimizer, of which the configuration is taken.",
        SparkDLTypeConverters.toKerasOptimizer,
    )

    def __init__(self) -> None:
        super().__init__()
        # Not through _setDefault, which would convert it, and so import Keras.
        self._defaultParamMap[self.kerasOptimizer] = "adam"

    def setKerasOptimizer(self: P, value: str) -> P:
        """Set the optimizer."""
        return self._set(kerasOptimizer=value)

    def getKerasOptimizer(self) -> Any:
        """Return the optimizer."""
        return self.getOrDefault(self.kerasOptimizer)


class HasKerasLoss(Params):
    """Mixin for the param kerasLoss, without a default."""

    kerasLoss = declare_param(
        "kerasLoss", "Name of one of Keras' losses, or a loss.", SparkDLTypeConverters.toKerasLoss
    )

    def setKerasLoss(self: P, value: str) -> P:
        """Set the loss."""
        return self._set(kerasLoss=value)

    def seKerasLoss(self: P, value: str) -> P:
        """Set the loss, by the name that the setter has in 1.x."""
        warn_of("HasKerasLoss.seKerasLoss", "it is setKerasLoss now")
        return self._set(kerasLoss=value)

    def getKerasLoss(self) -> Any:
        """Return the loss."""
        return self.getOrDefault(self.kerasLoss)


class HasInputMapping(Params):
    """Mixin for the param inputMapping, without a default."""

    inputMapping = declare_param(
        "inputMapping",
        "Which column goes into which input of the graph: {column: tensor or key}.",
        SparkDLTypeConverters.asColumnToTensorNameMap,
    )

    def setInputMapping(self: P, value: Mapping[str, Any]) -> P:
        """Set which column goes into which input."""
        return self._set(inputMapping=value)

    def getInputMapping(self) -> list[tuple[str, str]]:
        """Return sorted pairs of column and input."""
        pairs: list[tuple[str, str]] = self.getOrDefault(self.inputMapping)
        return list(pairs)


class HasOutputMapping(Params):
    """Mixin for the param outputMapping, without a default."""

    outputMapping = declare_param(
        "outputMapping",
        "Which output of the graph becomes which column: {tensor or key: column}.",
        SparkDLTypeConverters.asTensorNameToColumnMap,
    )

    def setOutputMapping(self: P, value: Mapping[Any, str]) -> P:
        """Set which output becomes which column."""
        return self._set(outputMapping=value)

    def getOutputMapping(self) -> list[tuple[str, str]]:
        """Return sorted pairs of output and column."""
        pairs: list[tuple[str, str]] = self.getOrDefault(self.outputMapping)
        return list(pairs)


class HasTFInputGraph(Params):
    """Mixin for the param tfInputGraph; default: None."""

    tfInputGraph = declare_param(
        "tfInputGraph",
        "The graph to apply, a TFInputGraph.",
        SparkDLTypeConverters.toTFInputGraph,
    )

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(tfInputGraph=None)

    def setTFInputGraph(self: P, value: TFInputGraph) -> P:
        """Set the graph."""
        return self._set(tfInputGraph=value)

    def getTFInputGraph(self) -> Any:
        """Return the graph."""
        return self.getOrDefault(self.tfInputGraph)


__getattr__ = old_names_of(__name__)
