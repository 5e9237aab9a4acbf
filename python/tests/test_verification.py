"""A bundle is compared with its model before it is written."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import sparkdl
from sparkdl._bundles.description.manifest import BundleEnd
from sparkdl._bundles.graph import names, original, simplify
from sparkdl._bundles.graph.difference import difference, tolerance_of
from sparkdl._bundles.graph.made_up import made_up
from sparkdl._command_line.main import main
from sparkdl.errors import InvalidModelException

L = keras.layers


def two_heads() -> Any:
    x = keras.Input((4,), name="x")
    return keras.Model(x, {"u": L.Dense(2, name="u")(x), "b": L.Dense(2, name="b")(x)})


def convolutions() -> Any:
    norm = L.BatchNormalization(name="norm")
    model = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3), norm, L.Flatten()])
    norm.moving_variance.assign(np.linspace(0.5, 2, 4))
    return model


@pytest.fixture
def wrong_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fold batch norm as if all variances were twice as large."""
    fold = simplify.fold_affine

    def wrong(graph: Any) -> None:
        fold(graph)
        biases = [n for name, n in graph.nodes.items() if name.endswith("/scaled")]
        for node in biases:
            value = tf.make_ndarray(node.attr["value"].tensor)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value / 2))

    monkeypatch.setattr(simplify, "fold_affine", wrong)


def test_a_graph_that_was_simplified_wrongly_is_refused(wrong_fold: None, tmp_path: Path) -> None:
    with pytest.raises(InvalidModelException) as raised:
        sparkdl.save_bundle(convolutions(), tmp_path / "b", name="maps")
    text = str(raised.value)
    assert "The bundle of 'maps' does not give what the model gives, on 3 made-up rows" in text
    assert "output 'output'" in text
    assert "differs by" in text
    assert "allowed" in text
    assert "Likely reasons" in text
    assert "verify=False" in text
    assert list(tmp_path.iterdir()) == []


def test_verify_false_writes_it_all_the_same(wrong_fold: None, tmp_path: Path) -> None:
    path = sparkdl.save_bundle(convolutions(), tmp_path / "b", verify=False)
    assert (Path(path) / "graph.pb").is_file()


def test_the_command_line_verifies_unless_told_not_to(
    wrong_fold: None, tmp_path: Path, capsys: Any
) -> None:
    convolutions().save(tmp_path / "m.keras")
    command = ["bundle", str(tmp_path / "m.keras"), "--out", str(tmp_path / "b")]
    assert main(command) == 1
    assert "--no-verify" in capsys.readouterr().err
    assert main([*command, "--no-verify"]) == 0


def test_two_outputs_that_are_exchanged_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name_ends = names.name_ends

    def exchanged(graph_def: Any, inputs: Any, outputs: Any) -> Any:
        order = dict(zip(outputs, reversed(outputs.values()), strict=True))
        return name_ends(graph_def, inputs, order)

    monkeypatch.setattr(names, "name_ends", exchanged)
    model = two_heads()
    with pytest.raises(InvalidModelException, match="output '[bu]' differs by"):
        sparkdl.save_bundle(model, tmp_path / "k")
    model.export(tmp_path / "saved")
    with pytest.raises(InvalidModelException, match="output '[bu]' differs by"):
        sparkdl.save_bundle(tmp_path / "saved", tmp_path / "s")
    inputs = {"x": ("float32", [None, 3])}
    with pytest.raises(InvalidModelException, match="output '[ab]' differs by"):
        sparkdl.save_bundle(lambda x: {"a": x, "b": -x}, tmp_path / "f", inputs=inputs)


def test_every_way_in_is_verified(wrong_fold: None, spark: Any, tmp_path: Path) -> None:
    model = convolutions()
    model.save(tmp_path / "m.keras")
    ways = [
        lambda: sparkdl.KerasTransformer(inputCol="x", outputCol="y", model=model),
        lambda: sparkdl.registerKerasUDF("maps", tmp_path / "m.keras"),
        lambda: sparkdl.registerKerasImageUDF("maps", model, preprocessing="tf"),
        lambda: sparkdl.TFInputGraph.fromKeras(model),
    ]
    for way in ways:
        with pytest.raises(InvalidModelException, match="does not give what the model gives"):
            way()
    sparkdl.KerasTransformer(inputCol="x", outputCol="y", model=model, verify=False)
    sparkdl.registerKerasUDF("maps", tmp_path / "m.keras", verify=False)
    sparkdl.registerKerasImageUDF("maps", model, preprocessing="tf", verify=False)
    sparkdl.TFInputGraph.fromKeras(model, verify=False)


def test_numbers_from_outside_of_tensorflow_are_noticed(tmp_path: Path) -> None:
    numpy = np.random.default_rng(0)
    with pytest.raises(InvalidModelException, match="computes something outside of TensorFlow"):
        sparkdl.save_bundle(
            lambda x: x * numpy.uniform(1, 2), tmp_path / "b", inputs={"x": ("float32", [None])}
        )


def test_a_bundle_that_fails_where_the_model_does_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unfed(graph: Any) -> None:
        node = next(n for n in graph.nodes.values() if n.op == "MatMul")
        shape = tf.compat.v1.NodeDef(name="unfed", op="Placeholder")
        shape.attr["dtype"].type = tf.float32.as_datatype_enum
        graph.nodes["unfed"] = shape
        node.input[1] = "unfed"

    monkeypatch.setattr(simplify, "rewrite", unfed)
    model = keras.Sequential([keras.Input((3,)), L.Dense(2)])
    with pytest.raises(InvalidModelException, match="the bundle fails: .*unfed"):
        sparkdl.save_bundle(model, tmp_path / "b")


class FlattenOfOldKeras(L.Layer):
    """As it was before Keras 3.11."""

    def call(self, x: Any) -> Any:
        return tf.reshape(x, [-1 if n is None else n for n in (x.shape[0], x.shape[1])])


def test_what_old_versions_of_keras_cannot_do_is_said_with_the_version_that_can(
    tmp_path: Path,
) -> None:
    model = keras.Sequential([keras.Input((None, 1)), FlattenOfOldKeras()])
    with pytest.raises(InvalidModelException, match=r"-1, not both.* Install keras 3\.11 or newer"):
        sparkdl.save_bundle(model, tmp_path / "b")


def test_a_model_with_tables_is_verified_too(tmp_path: Path) -> None:
    words = L.StringLookup(vocabulary=["the", "cat"])
    model = keras.Sequential([keras.Input((2,), dtype="string"), words])
    sparkdl.save_bundle(model, tmp_path / "good")
    model.call = lambda inputs, training=None, mask=None: words(inputs) + np.random.randint(9, 99)
    with pytest.raises(InvalidModelException, match=r"differs in \d of 6 values"):
        sparkdl.save_bundle(model, tmp_path / "b")


def test_models_that_draw_random_numbers_pass(tmp_path: Path) -> None:
    def drawing(x: Any) -> Any:
        return {"noise": x + tf.random.normal(tf.shape(x)), "plain": x + 1}

    sparkdl.save_bundle(drawing, tmp_path / "b", inputs={"x": ("float32", [None, 3])})


def test_what_the_model_refuses_is_exchanged_for_gentler_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    only_ones = L.Lambda(lambda x: tf.debugging.check_numerics(1 / tf.cast(x, tf.float32), "zero"))
    model = keras.Sequential([keras.Input((4,), dtype="int32"), only_ones])
    sparkdl.save_bundle(model, tmp_path / "ones")
    assert "could not be compared" not in caplog.text
    large = L.Lambda(lambda x: tf.debugging.check_numerics(tf.cast(x - 2, tf.float32) ** 0.5, "x"))
    with caplog.at_level(logging.WARNING):
        refused = keras.Sequential([keras.Input((4,), dtype="int32"), large])
        sparkdl.save_bundle(refused, tmp_path / "none")
    assert "could not be compared with the model, which refuses made-up rows" in caplog.text


@pytest.mark.parametrize("length", [5, 40])
def test_rows_without_one_window_of_pooling_are_not_tried(
    length: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TensorFlow divides by zero there, which would end this process."""
    x = keras.Input((None, 3))
    model = keras.Model(x, keras.layers.MaxPooling1D(length, strides=1)(x))
    with caplog.at_level("WARNING"):
        sparkdl.save_bundle(model, tmp_path / "b")
    assert ("a window of pooling is larger than they are" in caplog.text) == (length > 32)


def test_a_layer_that_keras_traces_wrongly_is_noticed(tmp_path: Path) -> None:
    # Keras 3.15 counts the rows instead of the steps where it traces with both unknown.
    each = L.TimeDistributed(L.Dense(2), name="each")
    model = keras.Sequential([keras.Input((None, 3)), each])
    with pytest.raises(InvalidModelException, match=r"is float32 \[3, 3, 2\]; expected"):
        sparkdl.save_bundle(model, tmp_path / "unknown")
    known = keras.Sequential([keras.Input((5, 3)), L.TimeDistributed(L.Dense(2))])
    sparkdl.save_bundle(known, tmp_path / "known")


def test_a_fixed_batch_is_fed_with_its_size(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input(batch_shape=(5, 3)), L.Dense(2)])
    sparkdl.save_bundle(model, tmp_path / "b")


def test_tolerance_is_that_of_the_least_precise_floats() -> None:
    def graph(dtype: Any) -> Any:
        spec = tf.TensorSpec([None], dtype)
        concrete = tf.function(lambda x: tf.cast(x + x, tf.float64)).get_concrete_function(spec)
        return concrete.graph.as_graph_def()

    relative = [tolerance_of(graph(t)).relative for t in (tf.bfloat16, tf.float32, tf.float64)]
    assert relative == [5e-2, 3e-3, 1e-8]


def test_nan_equals_nan_and_infinity_itself() -> None:
    tolerance = tolerance_of(tf.compat.v1.GraphDef())
    some = np.array([1.0, np.nan, np.inf, -np.inf])
    assert difference(some, some.copy(), tolerance) is None
    found = difference(some, np.array([1.0, np.nan, np.inf, np.inf]), tolerance)
    assert found is not None
    assert "at [3] the model gives -inf, the bundle inf" in found
    assert difference(np.array([1.0]), np.array([np.nan]), tolerance) is not None


def test_made_up_rows_are_the_same_every_time() -> None:
    specs = [BundleEnd("x", "x:0", "float32", [-1, -1, 2]), BundleEnd("s", "s:0", "string", [-1])]
    first, again = (next(made_up(specs, 3)) for _ in range(2))
    assert first["x"].shape == (3, 4, 2)
    assert np.array_equal(first["x"], again["x"])
    assert list(first["s"]) == list(again["s"])


@pytest.mark.parametrize("frozen", [False, True], ids=["SavedModel", "frozen graph"])
def test_a_model_that_does_not_end_on_the_made_up_rows_is_refused_in_time(
    frozen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def endless(x: Any) -> Any:
        [y] = tf.while_loop(lambda v: tf.reduce_sum(v) > -1e30, lambda v: (v + 1e-9,), (x,))
        return {"y": y}

    path = tmp_path / "model"
    if frozen:
        path = path.with_suffix(".pb")
        function = endless.get_concrete_function()
        path.write_bytes(function.graph.as_graph_def().SerializeToString())
    else:
        module = tf.Module()
        module.serve = endless
        tf.saved_model.save(module, str(path), signatures=module.serve)
    monkeypatch.setattr(original, "RUN_SECONDS", 1.0)
    with pytest.raises(
        InvalidModelException, match="did not give a result within 1 seconds.*verify=False"
    ):
        sparkdl.save_bundle(path, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
    sparkdl.save_bundle(path, tmp_path / "bundle", verify=False)
