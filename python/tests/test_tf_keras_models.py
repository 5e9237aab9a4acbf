"""Live models of tf_keras are taken as those of Keras 3 are, in every way in; training says no."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras2_models import FAMILIES, L, assert_same, ends, expected, rows_of, run, text

import sparkdl
from sparkdl.errors import InvalidModelException

LIVE = ["dense", "nested", "two outputs", "dictionaries", "stateful", "masked"]


@pytest.mark.parametrize("family", LIVE)
def test_a_live_model_gives_the_numbers_and_names_of_its_file(family: str, tmp_path: Path) -> None:
    model = FAMILIES[family]()
    rows = rows_of(model)
    bundle = sparkdl.save_bundle(model, tmp_path / "live")
    assert_same(run(bundle, rows), expected(model, rows), family)
    model.save(tmp_path / "model.h5")
    assert ends(bundle) == ends(sparkdl.save_bundle(tmp_path / "model.h5", tmp_path / "file"))


def test_a_stateful_layer_begins_with_zeros_and_is_left_as_it_was(tmp_path: Path) -> None:
    model = FAMILIES["stateful"]()
    rows = rows_of(model)
    [fresh] = expected(model, rows)
    model.predict(rows[0], batch_size=3, verbose=0)
    assert_same(run(sparkdl.save_bundle(model, tmp_path / "b"), rows), [fresh], "stateful")
    assert model.layers[0].stateful


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN", "ConvLSTM1D", "StackedRNNCells"])
def test_a_stateful_layer_that_is_called_again_goes_on_from_its_first_call(
    kind: str, tmp_path: Path
) -> None:
    if kind == "ConvLSTM1D":
        x = tf_keras.Input(batch_shape=(2, 4, 5, 3))
        layer = L.ConvLSTM1D(3, 2, padding="same", stateful=True, return_sequences=True)
    else:
        x = tf_keras.Input(batch_shape=(2, 4, 3))
        options = {"stateful": True, "return_sequences": True}
        if kind == "StackedRNNCells":
            layer = L.RNN([L.LSTMCell(3), L.GRUCell(3)], **options)
        else:
            layer = getattr(L, kind)(3, **options)
    model = tf_keras.Model(x, layer(layer(x)))
    rows = [np.random.default_rng(3).normal(size=x.shape).astype("float32")]
    fresh = expected(model, rows)
    model.predict(rows[0], batch_size=2, verbose=0)
    left = [v.numpy() for v in tf.nest.flatten(layer.states)]
    assert_same(run(sparkdl.save_bundle(model, tmp_path / "b"), rows), fresh, kind)
    for variable, value in zip(tf.nest.flatten(layer.states), left, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_stateful_layer_in_a_loop_is_refused(tmp_path: Path) -> None:
    x = tf_keras.Input(batch_shape=(2, 4, 3, 2))
    layer = L.TimeDistributed(L.GRU(3, stateful=True, name="remembers"))
    with pytest.raises(InvalidModelException, match="'remembers' is called in a loop"):
        sparkdl.save_bundle(tf_keras.Model(x, layer(x)), tmp_path / "b")


def test_dropout_that_is_asked_for_in_inference_draws_anew(tmp_path: Path) -> None:
    x = tf_keras.Input((64,))
    model = tf_keras.Model(x, L.Dropout(0.5)(x, training=True))
    bundle = sparkdl.save_bundle(model, tmp_path / "b")
    rows = [np.ones((2, 64), "float32")]
    [one], [two] = run(bundle, rows), run(bundle, rows)
    assert set(np.unique(one)) == {0.0, 2.0}
    assert (one != two).any()
    assert (one[0] != one[1]).any()


def test_tables_and_classes_of_models_come_along(tmp_path: Path) -> None:
    words = text()
    rows = rows_of(words)
    bundle = sparkdl.save_bundle(words, tmp_path / "words")
    assert_same(run(bundle, rows), expected(words, rows), "words")

    class Scaled(tf_keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.layer = L.Dense(1)

        def call(self, x: Any) -> Any:  # without the argument `training`
            return {"y": self.layer(x)}

    scaled = Scaled()
    made = sparkdl.save_bundle(scaled, tmp_path / "own", inputs={"x": ("float32", [None, 2])})
    x = np.ones((2, 2), "float32")
    assert_same(run(made, [x]), [np.asarray(scaled(x)["y"])], "own class")


def test_stages_functions_and_images_take_them(spark: Any, tmp_path: Path) -> None:
    model = tf_keras.Sequential([L.Dense(2, input_shape=(3,), name="scores")])
    model.save(tmp_path / "file")  # a SavedModel
    model.save(tmp_path / "called.pb", save_format="h5")
    rows = np.float32([[1, 2, 3], [4, 5, 6]])
    df = spark.createDataFrame(
        [(i, r.tolist()) for i, r in enumerate(rows)], "i int, x array<float>"
    )
    want = np.asarray(model(rows))
    for given in ({"model": model}, {"modelFile": str(tmp_path / "called.pb")}):
        stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", **given)
        got = [r.y for r in stage.transform(df).orderBy("i").collect()]
        np.testing.assert_allclose(np.array(got), want, atol=1e-5)
    for name, given in [("live_two", model), ("file_two", tmp_path / "called.pb")]:
        sparkdl.registerKerasUDF(name, given)
        got = [r.y for r in df.selectExpr("i", f"{name}(x) y").orderBy("i").collect()]
        np.testing.assert_allclose(np.array(got), want, atol=1e-5)
    pictures = tf_keras.Sequential([L.GlobalAveragePooling2D(input_shape=(4, 4, 3))])
    sparkdl.registerKerasImageUDF("mean_colour", pictures)
    stage = sparkdl.KerasImageFileTransformer(inputCol="path", outputCol="y", model=pictures)
    from PIL import Image

    Image.new("RGB", (4, 4), (10, 20, 30)).save(tmp_path / "a.png")
    files = spark.createDataFrame([(str(tmp_path / "a.png"),)], "path string")
    [row] = stage.transform(files).select("y").collect()
    np.testing.assert_allclose(row.y.toArray(), [10, 20, 30])
    [row] = files.selectExpr("mean_colour(path) y").collect()
    np.testing.assert_allclose(row.y, [10, 20, 30])


def test_bytes_graphs_and_the_command_line_take_them(tmp_path: Path) -> None:
    from sparkdl._command_line.main import main
    from sparkdl.graph.builder import GraphFunction
    from sparkdl.utils.keras_model import bytes_to_h5file, bytes_to_model, model_to_bytes

    model = tf_keras.Sequential([L.GRU(2, input_shape=(3, 1), name="last")])
    rows = rows_of(model)
    again = bytes_to_model(model_to_bytes(model))
    assert_same([np.asarray(again(rows[0]))], expected(model, rows), "bytes")
    file = Path(bytes_to_h5file(model_to_bytes(model)))
    assert main(["bundle", str(file), "--out", str(tmp_path / "b")]) == 0
    assert_same(run(tmp_path / "b", rows), expected(model, rows), "command line")
    for given in (model, str(file)):
        made = GraphFunction.fromKeras(given)
        assert (made.input_names, made.output_names) == (["last_input"], ["last"])
        assert sparkdl.TFInputGraph.fromKeras(given).outputs == ["last"]
    file.unlink()


def test_a_program_under_TF_USE_LEGACY_KERAS_hands_over_its_models(tmp_path: Path) -> None:
    program = f"""
import tensorflow as tf, sparkdl
model = tf.keras.Sequential([tf.keras.layers.LSTM(2, input_shape=(3, 1))])
assert type(model).__module__.startswith("tf_keras")
sparkdl.save_bundle(model, "{tmp_path}/b")
model.save("{tmp_path}/m.h5")
sparkdl.save_bundle("{tmp_path}/m.h5", "{tmp_path}/c")
import keras
three = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
sparkdl.save_bundle(three, "{tmp_path}/d")
"""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


TWO_WAYS = "Cannot train .*Keras 3.*load_weights.*TensorFlowDistributor"


def test_training_a_live_model_names_the_two_ways(spark: Any) -> None:
    model = tf_keras.Sequential([L.Dense(1, input_shape=(2,))])
    with pytest.raises(InvalidModelException, match=TWO_WAYS):
        sparkdl.KerasEstimator(model=model, inputCols=["x"], labelCols=["y"], loss="mse")
    with pytest.raises(InvalidModelException, match=TWO_WAYS):
        sparkdl.ImageClassifierEstimator(model=model)


def test_training_a_file_takes_what_keras_3_loads_and_names_the_two_ways_for_the_others(
    tmp_path: Path,
) -> None:
    import keras

    from sparkdl._models.files.loading import load_to_train

    tf_keras.Sequential([L.Dense(1, input_shape=(2,))]).save(tmp_path / "dense.h5")
    assert isinstance(load_to_train(tmp_path / "dense.h5", None, True), keras.Model)
    tf_keras.Sequential([L.LSTM(1, input_shape=(2, 1))]).save(tmp_path / "lstm.h5")
    with pytest.raises(InvalidModelException, match=TWO_WAYS):
        load_to_train(tmp_path / "lstm.h5", None, True)


@pytest.mark.parametrize("name", ["whole.h5", "whole.keras", "weights.h5", "w.weights.h5"])
def test_named_networks_take_weights_that_keras_2_wrote(name: str, tmp_path: Path) -> None:
    from sparkdl.networks.model_weights import with_weights
    from sparkdl.networks.named_models import named_model

    network = tf_keras.applications.MobileNetV2((224, 224, 3), weights=None, include_top=True)
    save = network.save if name.startswith("whole") else network.save_weights
    save(str(tmp_path / name))
    (tmp_path / name).rename(tmp_path / "any_name")
    found = with_weights(named_model("MobileNetV2"), str(tmp_path / "any_name"))
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, 224, 224, 3)).astype("float32")
    want = np.asarray(network(tf.constant(pixels), training=False))
    np.testing.assert_allclose(np.asarray(found.whole(pixels, training=False)), want, atol=1e-5)


def test_what_a_layer_asserts_about_rows_is_still_asserted(tmp_path: Path) -> None:
    tokens = tf_keras.Input((3,), dtype="int64")
    model = tf_keras.Model(tokens, L.CategoryEncoding(num_tokens=4, output_mode="count")(tokens))
    bundle = sparkdl.save_bundle(model, tmp_path / "b")
    rows = [np.array([[0, 1, 3], [2, 2, 0]])]
    assert_same(run(bundle, rows), expected(model, rows), "encoding")
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_tokens=4"):
        run(bundle, [np.array([[0, 1, 4]])])


@pytest.mark.parametrize("axis", [-1, [1, 2]])
@pytest.mark.parametrize("merge", [L.Average, L.Add])
def test_what_is_added_to_a_layer_normalization_is_not_taken_for_its_offset(
    merge: Any, axis: Any, tmp_path: Path
) -> None:
    given = tf_keras.Input((4, 3))
    scaled = L.LayerNormalization(axis=axis, center=False)(given)
    model = tf_keras.Model(given, merge()([scaled, given]))
    rows = rows_of(model)
    bundle = sparkdl.save_bundle(model, tmp_path / "b")
    assert_same(run(bundle, rows), expected(model, rows), "sum")


def test_a_layer_normalization_is_left_for_tensorflow_to_fuse(tmp_path: Path) -> None:
    layers = [tf_keras.Input((4, 3)), L.LayerNormalization()]
    bundle = sparkdl.save_bundle(tf_keras.Sequential(layers), tmp_path / "b")
    graph_def = tf.compat.v1.GraphDef.FromString(Path(bundle, "graph.pb").read_bytes())
    assert [n.op for n in graph_def.node if n.op.startswith("Add")] == ["AddV2"]
