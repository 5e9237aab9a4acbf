"""`sparkdl.param`: mixins, converters and keyword-only methods."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from pyspark.ml import Transformer
from pyspark.ml.image import ImageSchema
from pyspark.ml.param import Params

from sparkdl import param as sparkdl_param
from sparkdl.graph.input import TFInputGraph
from sparkdl.param import OUTPUT_MODES, SparkDLTypeConverters, keyword_only

CONVERT = SparkDLTypeConverters
MIXINS = [getattr(sparkdl_param, n) for n in sparkdl_param.__all__ if n[:3] in ("Has", "Can")]


class Everything(*MIXINS, Transformer):  # type: ignore[misc]
    """A stage with all mixins."""

    @keyword_only
    def __init__(self, *, inputCol: str | None = None, outputCol: str | None = None) -> None:
        super().__init__()
        self._set(**self._input_kwargs)

    def _transform(self, dataset: Any) -> Any:
        return dataset


def test_defaults_are_those_of_1x() -> None:
    stage = Everything()
    assert stage.getOutputCol() == f"{stage.uid}__output"
    assert stage.getOutputMode() == "vector"
    assert stage.getKerasFitParams() == {"verbose": 1}
    assert stage.getKerasOptimizer() == "adam"
    assert stage.getTFInputGraph() is None
    for name in ("inputCol", "labelCol", "modelFile", "kerasLoss", "imageLoader", "inputMapping"):
        assert not stage.isDefined(name)
    assert "outputMode: What the output column holds: vector or image." in stage.explainParams()


def test_every_param_has_a_setter_that_returns_the_stage_and_a_getter() -> None:
    graph = TFInputGraph.fromFunction(lambda x: x, {"x": ("float32", [None])})
    values: dict[str, Any] = {
        "InputCol": "a",
        "OutputCol": "b",
        "LabelCol": "c",
        "OutputMode": "image",
        "ImageLoader": len,
        "ModelFile": "/m.keras",
        "KerasFitParams": {"epochs": 2},
        "KerasOptimizer": "sgd",
        "KerasLoss": "mse",
        "InputMapping": {"b": "y:0", "a": "x:0"},
        "OutputMapping": {"z": "c"},
        "TFInputGraph": graph,
    }
    stage = Everything()
    assert {n.lower() for n in values} == {p.name.lower() for p in stage.params}
    for name, value in values.items():
        assert getattr(stage, f"set{name}")(value) is stage
        found = getattr(stage, f"get{name}")()
        expected = sorted(value.items()) if name.endswith("Mapping") else value
        assert found == expected, name
    assert stage.copy({stage.kerasLoss: "mae"}).getKerasLoss() == "mae"


def test_positional_arguments_are_refused_and_the_signature_stays_visible() -> None:
    with pytest.raises(TypeError, match="Method __init__ takes keyword arguments only; got 1"):
        Everything("a")
    assert list(inspect.signature(Everything).parameters) == ["inputCol", "outputCol"]
    assert Everything(inputCol="a")._input_kwargs == {"inputCol": "a"}


def test_making_a_stage_does_not_import_keras() -> None:
    code = (
        "import sys; from pyspark.ml.param import Params; import sparkdl.param as p\n"
        "class S(p.HasKerasOptimizer, p.HasKerasLoss, p.HasTFInputGraph): pass\n"
        "S(); assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_wrong_values_are_refused_with_the_types_of_1x() -> None:
    stage = Everything()
    with pytest.raises(TypeError, match="'list' is not supported. Expected one of: vector, image"):
        stage.setOutputMode("list")
    with pytest.raises(ValueError, match="Keras does not know the loss 'anger'"):
        stage.setKerasLoss("anger")
    with pytest.raises(TypeError, match="Keras does not know the optimizer 'eve'"):
        stage.setKerasOptimizer("eve")
    with pytest.raises(TypeError, match="Expected a sparkdl.TFInputGraph, got str"):
        stage.setTFInputGraph("graph")
    with pytest.raises(TypeError, match="Expected a dict {column: input}, got str"):
        stage.setInputMapping("x:0")


def test_mappings_become_sorted_pairs() -> None:
    import tensorflow as tf

    with tf.Graph().as_default():
        tensor = tf.compat.v1.placeholder(tf.float32, name="t")
    assert CONVERT.asColumnToTensorNameMap({"b": "y:0", "a": tensor}) == [
        ("a", "t:0"),
        ("b", "y:0"),
    ]
    assert CONVERT.asTensorNameToColumnMap([("z", "c"), (tensor, "a")]) == [
        ("t:0", "a"),
        ("z", "c"),
    ]
    for wrong in ({"a": 1}, {"a": "x:0:1"}, {"a": "x:y"}, {"a": ""}, {1: "x"}, [("a",)], "ab", 3):
        with pytest.raises(TypeError, match="Expected"):
            CONVERT.asColumnToTensorNameMap(wrong)


def test_tensor_names_and_graphs() -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tensor = tf.compat.v1.placeholder(tf.float32, name="t")
    assert CONVERT.toTFTensorName(tensor) == CONVERT.toTFTensorName("t:0") == "t:0"
    for wrong in ("t", "t:0:1", "t:x", 1, ["t:0"], ("t:0",)):
        with pytest.raises(TypeError, match="Expected a tensor or its name"):
            CONVERT.toTFTensorName(wrong)
    assert CONVERT.toTFGraph(graph) is graph
    with pytest.raises(TypeError, match="Expected a tf.Graph, got GraphDef"):
        CONVERT.toTFGraph(graph.as_graph_def())


def test_supported_items_and_channel_orders() -> None:
    assert OUTPUT_MODES == ("vector", "image")
    assert CONVERT.buildSupportedItemConverter([1, 2])(2) == 2
    assert [CONVERT.toChannelOrder(o) for o in ("L", "RGB", "BGR")] == ["L", "RGB", "BGR"]
    with pytest.raises(ValueError, match="Unknown channel order 'GBR'. Expected one of: L, RGB"):
        CONVERT.toChannelOrder("GBR")


def test_losses_and_metrics_keep_what_keras_leaves_out_of_their_configurations() -> None:
    import keras

    from sparkdl.training._estimator.training_converters import metrics

    truth, predicted = np.array([[0.0, 1.0, 2.0]] * 2), np.array([[3.0, 1.0, 9.0]] * 2)
    for loss in (keras.losses.Huber(3.0), keras.losses.CosineSimilarity(axis=0)):
        made = keras.losses.deserialize(SparkDLTypeConverters.toKerasLoss(loss))
        assert float(made(truth, predicted)) == pytest.approx(float(loss(truth, predicted)))
    metric = keras.metrics.CosineSimilarity(axis=0)
    again = keras.metrics.deserialize(metrics([metric])[0])
    assert float(again(truth, predicted)) == pytest.approx(float(metric(truth, predicted)))


def test_a_loader_gives_a_column_of_images_and_null_where_it_fails(spark: Any) -> None:
    def load(uri: str) -> Any:
        if "bad" in uri:
            raise OSError(uri)
        return np.array([[[[1, 2, 3], [4, 5, 6]]]], np.uint8)

    frame = spark.createDataFrame([("good",), ("bad",)], "uri string").coalesce(1)
    made = Everything().setImageLoader(load).loadImagesInternal(frame, "uri")
    assert made.columns == ["uri", "__sdl_img"]
    assert made.schema["__sdl_img"].dataType == ImageSchema.columnSchema
    found = [r[1] for r in made.collect()]
    assert list(found[0].data) == [3, 2, 1, 6, 5, 4], "the loader's RGB is the struct's BGR"
    assert (found[0].origin, found[1]) == ("good", None)


def test_the_mixins_are_params() -> None:
    assert len(MIXINS) == 11
    assert all(issubclass(m, Params) for m in MIXINS)
