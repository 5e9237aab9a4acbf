"""Sums of normalized values in SavedModels, graphs and programs that are run as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras2_models import L, assert_same, expected
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import sparkdl

ROWS = np.random.default_rng(3).normal(size=(5, 4, 3)).astype("float32")


def sums() -> Any:
    """Return a model whose outputs TensorFlow would all take for layer normalizations."""
    given = tf_keras.Input((4, 3), name="x")
    plain = L.LayerNormalization(center=False)(given)
    dropped = L.Dropout(0.5)(L.LayerNormalization(center=False)(given))
    wide = L.LayerNormalization(axis=[1, 2])(given)
    whole = L.LayerNormalization()(given)
    outputs = [L.Add()([plain, given]), L.Add()([given, dropped]), wide, whole]
    model = tf_keras.Model(given, outputs)
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


class Called(tf.Module):
    """A module that adds to what a function of its own has normalized."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = L.LayerNormalization(center=False)
        self.layer.build((None, 4, 3))
        self.places = tf.Variable(np.random.default_rng(5).normal(size=(4, 3)).astype("float32"))

    @tf.function
    def normalized(self, x: Any) -> Any:
        """Return normalized values."""
        return self.layer(x)

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 3), "float32", name="x")])
    def __call__(self, x: Any) -> Any:
        """Return normalized values and what depends on their places."""
        return {"y": self.normalized(x) + self.places}


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    return spark.createDataFrame([(row.tolist(),) for row in ROWS], ["x"]).coalesce(1)


def applied(model: Any, frame: Any, outputs: list[str]) -> list[Any]:
    row = frame.select(model("x").alias("y")).collect()
    if len(outputs) == 1:
        return [np.array([r["y"] for r in row])]
    return [np.array([r["y"][name] for r in row]) for name in outputs]


def test_a_saved_model_adds_to_normalized_values(frame: Any, tmp_path: Path) -> None:
    model = sums()
    model.save(tmp_path / "saved", save_format="tf")
    loaded = sparkdl.load_model(tmp_path / "saved")
    names = list(model.output_names)
    assert_same(applied(loaded, frame, names), expected(model, [ROWS]), "SavedModel")


def test_a_saved_model_adds_to_what_its_function_has_normalized(frame: Any, tmp_path: Path) -> None:
    module = Called()
    tf.saved_model.save(module, tmp_path / "saved")
    loaded = sparkdl.load_model(tmp_path / "saved")
    want = [np.asarray(module.layer(ROWS) + module.places)]
    assert_same(applied(loaded, frame, ["y"]), want, "function")


def test_a_frozen_graph_adds_to_normalized_values(frame: Any, tmp_path: Path) -> None:
    model = sums()
    function = tf.function(model).get_concrete_function(tf.TensorSpec((None, 4, 3), name="x"))
    frozen = convert_variables_to_constants_v2(function)
    (tmp_path / "frozen.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
    outputs = [t.name for t in frozen.outputs]
    loaded = sparkdl.load_model(tmp_path / "frozen.pb", inputs=["x"], outputs=outputs)
    names = [name.removesuffix(":0") for name in outputs]
    assert_same(applied(loaded, frame, names), expected(model, [ROWS]), "frozen graph")
