"""TFImageTransformer against TensorFlow on the same graph and pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_rows import Array, as_array, as_png, outputs, picture, rgb, structs

import sparkdl
from sparkdl import TFImageTransformer, TFInputGraph
from sparkdl.errors import SchemaMismatchException, SettingsException, SparkDLException

pytestmark = pytest.mark.usefixtures("spark")

SIZES = [(5, 7), (5, 7), (7, 5), (1, 1), (12, 9)]


@pytest.fixture(scope="module")
def network() -> Any:
    """A convolution and what its channels are on average, for images of any size."""
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((None, None, 3), name="pixels")
    seen = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs / 255.0)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(seen))


def expected(network: Any, *images: Array) -> list[Array]:
    return [np.asarray(network(i[None]))[0] for i in images]


def assert_close(found: list[Array], wanted: list[Array]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_images_of_any_size_kind_and_number_type(spark: Any, network: Any) -> None:
    colours = [picture(h, w, seed=i) for i, (h, w) in enumerate(SIZES)]
    other = [picture(4, 6, 1), picture(3, 2, 4), picture(5, 7).astype(np.float32) * 1.5 - 20]
    other.append(picture(5, 7, 1).astype(np.float32))
    images = [*colours, *other]
    graph = TFInputGraph.fromKeras(network)
    stage = TFImageTransformer(inputCol="image", outputCol="out", tfInputGraph=graph, batchSize=3)
    wanted = expected(network, *map(rgb, images))
    assert_close(outputs(stage.transform(structs(spark, *images))), wanted)
    files = [(bytearray(as_png(i)),) for i in images[:7]]
    frame = spark.createDataFrame(files, "image binary").coalesce(1)
    assert_close(outputs(stage.transform(frame)), wanted[:7])


@pytest.mark.parametrize("order", ["RGB", "BGR", "L"])
def test_the_graph_gets_its_channel_order(spark: Any, order: str) -> None:
    import tensorflow as tf

    channels = 1 if order == "L" else 3
    graph = TFInputGraph.fromFunction(
        lambda x: tf.identity(x), {"x": ("float32", [None, None, None, channels])}
    )
    image = picture(3, 4)
    stage = TFImageTransformer(
        channelOrder=order, inputCol="image", outputCol="out", tfInputGraph=graph
    )
    found = outputs(stage.transform(structs(spark, image)))[0].reshape(3, 4, channels)
    pixels = image.astype(np.float32)
    grey = pixels @ np.array([[0.299], [0.587], [0.114]])
    wanted = {"RGB": pixels, "BGR": pixels[:, :, ::-1], "L": np.round(grey)}[order]
    np.testing.assert_allclose(found, wanted, atol=1.0 if order == "L" else 0)


def v1_graph() -> tuple[Any, Any, Any]:
    """Return a graph as programs of TensorFlow 1 made it, its input and its output."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3], "sparkdl_image_input")
        halved = tf.multiply(images, 0.5, name="halved")
        tf.reduce_mean(images, [1, 2], name="average")
    return graph, images, halved


def test_graphs_and_tensors_are_taken_as_in_1x(spark: Any) -> None:
    graph, images, halved = v1_graph()
    one = picture(2, 3)
    frame = structs(spark, one)
    columns = {"inputCol": "image", "outputCol": "out", "channelOrder": "RGB"}
    named = {"inputTensor": "sparkdl_image_input:0", "outputTensor": "halved:0"}
    for given in (
        {"graph": graph, "inputTensor": images, "outputTensor": halved},
        {"graph": graph, "outputTensor": "halved"},
        {"graph": graph.as_graph_def(), **named},
        {"tfInputGraph": TFInputGraph.fromGraphDef(graph.as_graph_def(), [images], [halved])},
        {"graph": TFInputGraph.fromGraphDef(graph.as_graph_def(), [images], [halved]), **named},
    ):
        stage = TFImageTransformer(**columns, **given)
        found = outputs(stage.transform(frame))[0]
        np.testing.assert_array_equal(found, one.astype(np.float32).ravel() / 2)
    assert TFImageTransformer(graph=graph, **named).getGraph() is graph
    assert TFImageTransformer(graph=graph, **named).getOutputTensor() == "halved:0"
    op = stage.getGraph().get_operations()[0]
    assert op.type == "Placeholder"


def test_another_output_of_the_same_graph_can_be_set_later(spark: Any) -> None:
    graph, _, _ = v1_graph()
    one = picture(2, 3)
    stage = TFImageTransformer(inputCol="image", outputCol="out").setGraph(graph)
    stage.setOutputTensor("halved").transform(structs(spark, one))
    found = outputs(stage.setOutputTensor("average:0").transform(structs(spark, one)))[0]
    np.testing.assert_allclose(found, one.astype(np.float32).mean((0, 1)), rtol=1e-5)


def test_an_image_comes_out_in_bgr_order(spark: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    graph = TFInputGraph.fromFunction(
        lambda x: tf.concat([255.0 - x, x[..., :1]], -1), {"x": ("float32", [None, None, None, 3])}
    )
    image = picture(3, 5)
    stage = TFImageTransformer(
        inputCol="image", outputCol="out", tfInputGraph=graph, outputMode="image"
    )
    made = stage.transform(structs(spark, image)).head().out
    assert (made.origin, made.mode, made.nChannels) == ("", 29, 4)
    pixels = image.astype(np.float32)
    bgra = np.concatenate([255 - pixels[:, :, ::-1], pixels[:, :, :1]], 2)
    np.testing.assert_array_equal(as_array(made), bgra)


def test_what_cannot_be_is_refused_with_the_remedy(spark: Any, network: Any) -> None:
    frame = structs(spark, picture(3, 3))
    graph = TFInputGraph.fromKeras(network)
    stage = TFImageTransformer(inputCol="image", outputCol="out", tfInputGraph=graph)
    with pytest.raises(SchemaMismatchException, match="cannot become an image struct"):
        stage.copy({stage.outputMode: "image"}).transform(frame)
    with pytest.raises(SparkDLException, match="no input 'y'.* It has: pixels"):
        stage.copy({stage.inputTensor: "y"}).transform(frame)
    with pytest.raises(SettingsException, match="graph and tfInputGraph are both set"):
        TFImageTransformer(graph=graph, tfInputGraph=graph)
    with pytest.raises(TypeError, match="is not a name"):
        TFImageTransformer(inputTensor=3)
    with pytest.raises(SparkDLException, match="Expected one of: RGB, BGR, L"):
        TFImageTransformer(channelOrder="HSV")


def test_bad_images_are_kept_with_their_reasons(spark: Any, network: Any) -> None:
    rows = [(bytearray(as_png(picture(4, 4))),), (bytearray(b"words"),), (None,)]
    frame = spark.createDataFrame(rows, "image binary").coalesce(1)
    stage = TFImageTransformer(
        inputCol="image",
        outputCol="out",
        tfInputGraph=TFInputGraph.fromKeras(network),
        handleInvalid="keep",
        errorCol="why",
    )
    made = stage.transform(frame).collect()
    assert [r.out is None for r in made] == [False, True, True]
    assert made[1].why == "the bytes are text; supported are JPEG, PNG, BMP, GIF, WebP and TIFF"
    assert made[2].why == "the value for input 'pixels' is null"


def test_a_stage_with_a_live_graph_is_saved_and_loaded(spark: Any, tmp_path: Path) -> None:
    graph, images, halved = v1_graph()
    frame = structs(spark, picture(2, 3), picture(4, 4))
    stage = TFImageTransformer(
        inputCol="image", outputCol="out", graph=graph, inputTensor=images, outputTensor=halved
    )
    wanted = outputs(stage.transform(frame))
    stage.write().save(str(tmp_path / "stage"))
    loaded = sparkdl.TFImageTransformer.load(str(tmp_path / "stage"))
    assert loaded.getGraph().get_operations()
    for found, one in zip(outputs(loaded.transform(frame)), wanted, strict=True):
        np.testing.assert_array_equal(found, one)


def test_a_frozen_graph_of_others_names_photos(
    spark: Any, shared_data: Path, tmp_path: Path
) -> None:
    import tensorflow as tf
    from PIL import Image

    file = shared_data / "models" / "mobilenet_v1_0.25_128" / "frozen_graph.pb"
    given, wanted = "input:0", "MobilenetV1/Predictions/Reshape_1:0"
    photos = [
        np.asarray(Image.open(p).convert("RGB").resize((128, 128)))
        for p in sorted((shared_data / "imagenet" / "photos").glob("*.bmp"))
    ]
    graph_def = tf.compat.v1.GraphDef.FromString(file.read_bytes())
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        # The graph takes one image at a time, -1 to 1.
        expected = [session.run(wanted, {given: p[None] / 127.5 - 1.0})[0] for p in photos]
    bundle = sparkdl.save_bundle(
        file, tmp_path / "bundle", inputs=[given], outputs=[wanted], preprocessing="tf"
    )
    stage = TFImageTransformer(inputCol="image", outputCol="out", tfInputGraph=bundle)
    assert_close(outputs(stage.transform(structs(spark, *photos))), expected)
    rows = [((p / 127.5 - 1.0).astype(np.float32).tolist(),) for p in photos[:2]]
    tensors = spark.createDataFrame(rows, "x array<array<array<float>>>").coalesce(1)
    one_by_one = sparkdl.TFTransformer(
        tfInputGraph=str(file), inputMapping={"x": given}, outputMapping={wanted: "out"}
    )
    assert_close([np.array(r.out) for r in one_by_one.transform(tensors).collect()], expected[:2])
