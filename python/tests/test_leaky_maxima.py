"""The larger of values and a multiple of them, which TensorFlow takes for a leaky ReLU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras2_models import run

import sparkdl

ROWS = np.array([[1.5, -2.0, 3.0], [np.nan, 0.0, -7.0]], "float32")

MAXIMA: dict[str, Callable[[Any], Any]] = {
    "double": lambda x: tf.maximum(x, 2.0 * x),
    "sum": lambda x: tf.maximum(x + x, x),
    "quotient": lambda x: tf.maximum(x, x / 0.5),
    "sum of three": lambda x: tf.maximum(tf.add_n([x, x, x]), x),
    "two products": lambda x: tf.maximum(x, x * 1.5 * 1.5),
    "not a number": lambda x: tf.maximum(x, x * float("nan")),
    "half": lambda x: tf.maximum(x, 0.5 * x),
    "negative": lambda x: tf.maximum(-1.0 * x, x),
    "two multiples": lambda x: tf.maximum(2.0 * x, 3.0 * x),
    "factors of columns": lambda x: tf.maximum(x, x * tf.constant([0.5, 2.0, -1.0])),
    "other values": lambda x: tf.maximum(x, x * x),
}


def of(kind: str, x: Any) -> Any:
    return np.asarray(MAXIMA[kind](tf.constant(x)))  # one operation after the other


@pytest.mark.parametrize("kind", MAXIMA)
def test_the_larger_one_is_larger_in_a_bundle(kind: str, tmp_path: Path) -> None:
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Lambda(MAXIMA[kind], output_shape=(3,))(x))
    bundle = sparkdl.save_bundle(model, tmp_path / "b")
    np.testing.assert_array_equal(run(bundle, [ROWS])[0], of(kind, ROWS))


def test_a_leaky_relu_is_left_for_tensorflow_to_fuse(tmp_path: Path) -> None:
    specs = {"x": ("float32", [None, 3])}
    for kind, kept in {"half": True, "negative": True, "double": False, "sum": False}.items():
        bundle = sparkdl.save_bundle(MAXIMA[kind], tmp_path / kind, inputs=specs)
        graph_def = tf.compat.v1.GraphDef.FromString(Path(bundle, "graph.pb").read_bytes())
        assert ("Maximum" in {n.op for n in graph_def.node}) is kept, kind


def test_a_function_that_tensorflow_optimizes_is_compared_as_it_is(tmp_path: Path) -> None:
    function = tf.function(MAXIMA["double"])
    assert np.asarray(function(tf.constant(ROWS)))[0, 0] == 1.5, "TensorFlow has mended its fusion"
    bundle = sparkdl.save_bundle(function, tmp_path / "b", inputs={"x": ("float32", [None, 3])})
    np.testing.assert_array_equal(run(bundle, [ROWS])[0], of("double", ROWS))


class Maxima(tf.Module):
    """All of them, in functions that one signature calls."""

    @tf.function
    def doubled(self, x: Any) -> Any:
        return x * 2.0

    @tf.function(input_signature=[tf.TensorSpec((None, 3), "float32", name="x")])
    def __call__(self, x: Any) -> Any:
        """Return each by its name."""
        here = {name.replace(" ", "_"): maximum(x) for name, maximum in MAXIMA.items()}
        return {**here, "called": tf.maximum(self.doubled(x), x)}


def test_the_larger_one_is_larger_in_a_saved_model_and_a_frozen_graph(
    spark: Any, tmp_path: Path
) -> None:
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    module = Maxima()
    tf.saved_model.save(module, tmp_path / "saved")
    function = module.__call__.get_concrete_function()
    names = sorted(function.structured_outputs)
    frozen = convert_variables_to_constants_v2(function)
    (tmp_path / "frozen.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
    tensors = [t.name for t in frozen.outputs]
    graph = sparkdl.load_model(tmp_path / "frozen.pb", inputs=["x"], outputs=tensors)
    frame = spark.createDataFrame([(row.tolist(),) for row in ROWS], ["x"]).coalesce(1)
    columns = [sparkdl.load_model(tmp_path / "saved")("x").alias("a"), graph("x").alias("b")]
    rows = frame.select(*columns).collect()
    for place, name in enumerate(names):
        kind = name.replace("_", " ")
        want = of("double" if kind == "called" else kind, ROWS)
        got = [[r["a"][name] for r in rows], [r["b"][place] for r in rows]]
        np.testing.assert_array_equal(got, [want, want], err_msg=name)
