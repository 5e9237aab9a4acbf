"""TensorFlow graphs on images, as the Scala class of the same name applies them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark import keyword_only
from pyspark.ml.param import Param, TypeConverters

from sparkdl._old_names import old_names_of, warn_of
from sparkdl.errors import SettingsException
from sparkdl.param.constants import ConstantsParams
from sparkdl.param.converters import one_of, tensor
from sparkdl.param.declaration import declare_param
from sparkdl.param.image_model import ImageModelParams
from sparkdl.param.keyword import setter_like
from sparkdl.transformers._graph_stage import GraphStage

if TYPE_CHECKING:
    import tensorflow as tf
    from py4j.java_gateway import JavaObject
    from pyspark.sql import SparkSession

    from sparkdl.graph.input import TFInputGraph


T = TypeVar("T", bound="TFImageTransformer")


class TFImageTransformer(GraphStage, ImageModelParams, ConstantsParams):
    """Applies a TensorFlow graph to images.

    Input: Spark's image struct or encoded bytes (JPEG, PNG, BMP, GIF, WebP, TIFF). They are resized
    to the height and width of the graph's input; where it has none, each image keeps its own size
    and images of equal size share a batch. The graph takes ``[rows, height, width, channels]``,
    uint8, int16, int32, int64, float32 or float64, with numbers of 0 to 255, or those of a struct
    of floats. Output: an MLlib dense vector, or an image struct in BGR order. Null only with
    handleInvalid "keep".

    Parameters
    ----------
    channelOrder : str
        Order of the channels that the graph takes: "RGB" (default), "BGR", or "L", one channel of
        luminance.
    inputCol : str
        Name of the column of images.
    outputCol : str
        Name of the new column; the DataFrame must not have it yet.
    graph : tf.Graph or GraphDef or TFInputGraph
        The graph, without variables. `TFInputGraph` makes one of anything else.
    tfInputGraph : TFInputGraph, str or Path
        The same, or the path of a bundle, a SavedModel directory or a frozen graph (.pb).
    inputTensor, outputTensor : str or tf.Tensor, optional
        The input and the output: a tensor ("op:0"), an operation or the key of a signature. Unset:
        the only one.
    constants : dict, optional
        Values of placeholders and inputs that no column feeds, by name, such as
        ``{"keep_prob": 1.0}``: booleans, numbers, texts, or lists of them.
    outputMode : str
        "vector" (default): the output flattened, row-major; or "image": Spark's image struct.
    scaleHint : str
        How images are resized: SCALE_AREA_AVERAGING (default), SCALE_SMOOTH, SCALE_DEFAULT,
        SCALE_FAST or SCALE_REPLICATE.
    batchSize : int, optional
        Images per run of the model. Default: the session's ``spark.sparkdl.batchSize``.
    precision : str, optional
        "float32" or "bfloat16". Default: the session's ``spark.sparkdl.precision`` (float32).
    handleInvalid : str
        What becomes of a row whose image is null or cannot be used: "error" (default: the job
        fails and names it), "skip" or "keep".
    errorCol : str, optional
        Name of a new string column for the reasons of rows that handleInvalid "keep" kept.
    seed : int, optional
        Makes the random numbers repeatable that a model draws: they follow from the seed and the
        row. Default: new numbers in every run.

    Raises
    ------
    SchemaMismatchException
        From `transform`: a column is missing, exists already or has another type; the graph's input
        does not take images in this order; the output is not an image.

    Examples
    --------
    >>> import sparkdl
    >>> stage = sparkdl.TFImageTransformer(
    ...     inputCol="image", outputCol="edges", tfInputGraph="/models/edges.pb", outputMode="image"
    ... )  # doctest: +SKIP
    >>> stage.transform(images).select("edges")  # doctest: +SKIP
    """

    inputCol = declare_param(
        "inputCol",
        "Name of the column of images: Spark's image struct, or encoded bytes such as the content "
        "of binaryFile.",
        TypeConverters.toString,
    )
    channelOrder = declare_param(
        "channelOrder",
        "Order of the channels that the graph takes: RGB, BGR, or L (one channel of luminance).",
        one_of("channelOrder", ("RGB", "BGR", "L")),
    )
    inputTensor = declare_param(
        "inputTensor",
        "The input that takes the images: the key of a signature, a tensor (op:0) or an operation; "
        "unset: the only one.",
        tensor,
    )
    outputTensor = declare_param(
        "outputTensor",
        "The output that is wanted: the key of a signature, a tensor (op:0) or an operation; "
        "unset: the only one.",
        tensor,
    )

    _input_kwargs: dict[str, Any]

    @keyword_only
    def __init__(
        self,
        *,
        channelOrder: str = "RGB",
        inputCol: str | None = None,
        outputCol: str | None = None,
        graph: tf.Graph | tf.compat.v1.GraphDef | TFInputGraph | None = None,
        tfInputGraph: TFInputGraph | str | Path | None = None,
        inputTensor: tf.Tensor | str | None = None,
        outputTensor: tf.Tensor | str | None = None,
        constants: Mapping[str, Any] | None = None,
        outputMode: str = "vector",
        scaleHint: str = "SCALE_AREA_AVERAGING",
        batchSize: int | None = None,
        precision: str | None = None,
        handleInvalid: str = "error",
        errorCol: str | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._create(channelOrder="RGB", outputMode="vector", scaleHint="SCALE_AREA_AVERAGING")
        self._set(**self._input_kwargs)

    setParams = setter_like(__init__)

    def _set(
        self: T,
        *,
        graph: tf.Graph | tf.compat.v1.GraphDef | TFInputGraph | None = None,
        **params: Any,
    ) -> T:
        if graph is not None:
            if params.get("tfInputGraph") is not None:
                raise SettingsException("graph and tfInputGraph are both set: set one of them.")
            self.setGraph(graph)
        return super()._set(**params)

    def _complete_java(self, java: JavaObject, spark: SparkSession | None) -> None:
        if self._graph is None:
            return
        input_graph = self._input_graph()
        self._bundle = input_graph.bundle  # held as long as the stage may be used again
        java.setTfInputGraph(self._bundle)
        if self.isSet(self.inputTensor):
            java.setInputTensor(input_graph.input_name(self.getOrDefault(self.inputTensor)))
        if self.isSet(self.outputTensor):
            java.setOutputTensor(input_graph.output_name(self.getOrDefault(self.outputTensor)))

    def _input_graph(self) -> TFInputGraph:
        """Return the graph with the input and output that are set."""
        from sparkdl.graph.input import TFInputGraph

        if isinstance(self._graph, TFInputGraph):
            return self._graph
        if self._graph is None:
            return TFInputGraph.fromBundle(self.getTfInputGraph())
        from sparkdl._bundles.bundle_store import stored_bundle
        from sparkdl._models.libraries import eagerly, tensorflow

        tf = tensorflow()

        def ends(param: Param[str]) -> list[str] | None:
            return [self.getOrDefault(param)] if self.isSet(param) else None

        inputs, outputs, graph = ends(self.inputTensor), ends(self.outputTensor), self._graph
        if not isinstance(graph, (tf.Graph, tf.compat.v1.GraphDef)):
            return TFInputGraph.fromBundle(stored_bundle(graph, inputs=inputs, outputs=outputs))
        from sparkdl._bundles.model_sources import from_graph, from_live_graph

        with eagerly():
            # Unlike `save_bundle`, this allows placeholders without a value: `constants` has them.
            if isinstance(graph, tf.Graph):
                frozen = from_live_graph(graph, inputs, outputs)
            else:
                frozen = from_graph(graph, inputs, outputs, "GraphDef")
        return TFInputGraph.fromBundle(stored_bundle(frozen))

    def setGraph(
        self, value: tf.Graph | tf.compat.v1.GraphDef | TFInputGraph
    ) -> TFImageTransformer:
        """Set the graph: a tf.Graph or GraphDef without variables, or a TFInputGraph."""
        if hasattr(value, "bundle"):
            return self._set(tfInputGraph=value)
        self.clear(self.tfInputGraph)
        self._graph = value
        return self

    @property
    def graph(self) -> Param[str]:
        """The param of the graph, by the name that it has in 1.x."""
        warn_of("TFImageTransformer.graph", "the param is tfInputGraph, and getGraph the graph")
        return self.tfInputGraph

    def getGraph(self) -> Any:
        """Return the graph as a tf.Graph."""
        from sparkdl._models.libraries import tensorflow

        tf = tensorflow()
        if isinstance(self._graph, tf.Graph):
            return self._graph
        with tf.Graph().as_default() as imported:
            tf.graph_util.import_graph_def(self._input_graph().graph_def, name="")
        return imported

    def getChannelOrder(self) -> str:
        """Return the order of the channels that the graph takes."""
        return self.getOrDefault(self.channelOrder)

    def setChannelOrder(self, value: str) -> TFImageTransformer:
        """Set the order of the channels that the graph takes: RGB, BGR or L."""
        return self._set(channelOrder=value)

    def getInputTensor(self) -> str:
        """Return the name of the input that takes the images."""
        return self.getOrDefault(self.inputTensor)

    def setInputTensor(self, value: tf.Tensor | str) -> TFImageTransformer:
        """Set the input that takes the images, by name or as a tensor."""
        return self._set(inputTensor=value)

    def getOutputTensor(self) -> str:
        """Return the name of the output that becomes the new column."""
        return self.getOrDefault(self.outputTensor)

    def setOutputTensor(self, value: tf.Tensor | str) -> TFImageTransformer:
        """Set the output that becomes the new column, by name or as a tensor."""
        return self._set(outputTensor=value)


__getattr__ = old_names_of(__name__)
