"""Models that change variables when they are called: no row depends on those before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parity import run_bundle

import sparkdl
from sparkdl.errors import InvalidModelException

ROWS = 6


def counter() -> Any:
    """Return an object that counts its calls, each of whose functions adds the count to rows."""
    import tensorflow as tf

    signature = [tf.TensorSpec([None, 2], tf.float32, "x")]

    class Counter(tf.Module):
        def __init__(self) -> None:
            self.count = tf.Variable(1.0, name="count")
            numbers = tf.constant([0, 1], tf.int64)
            made = tf.lookup.KeyValueTensorInitializer(numbers, numbers * 10)
            self.table = tf.lookup.StaticHashTable(made, 0)

        @tf.function(input_signature=signature)
        def plain(self, x: Any) -> Any:
            y = x + self.count
            self.count.assign_add(1.0)
            return {"y": y}

        @tf.function(input_signature=signature)
        def with_table(self, x: Any) -> Any:
            y = x + self.count + tf.cast(self.table.lookup(tf.cast(x, tf.int64)), x.dtype)
            self.count.assign_add(1.0)
            return {"y": y}

        @tf.function(input_signature=signature)
        def in_branch(self, x: Any) -> Any:
            y = x + self.count
            if tf.size(x) > 0:
                self.count.assign(9.0)
            return {"y": y}

        @tf.function(input_signature=signature)
        def reads_again(self, x: Any) -> Any:
            self.count.assign_add(1.0)
            return {"y": x + self.count}

        @tf.function(input_signature=signature)
        def loops(self, x: Any) -> Any:
            for _ in tf.range(3):
                x = x + self.count
                self.count.assign_add(1.0)
            return {"y": x}

    return Counter()


def saved(function: str, folder: Path) -> Path:
    import tensorflow as tf

    made = counter()
    tf.saved_model.save(made, str(folder / "saved"), {"serving_default": getattr(made, function)})
    return folder / "saved"


def bundled(function: str, folder: Path) -> str:
    return sparkdl.save_bundle(saved(function, folder), folder / "bundle")


def from_function(function: str, folder: Path) -> str:
    made = counter()  # a method does not keep it
    return sparkdl.save_bundle(getattr(made, function), folder / "bundle")


WAYS: dict[str, Callable[[str, Path], Any]] = {
    "SavedModel": saved,
    "bundle of a SavedModel": bundled,
    "function": from_function,
}


# Only a SavedModel can have a table.
TAKEN = [(w, f) for w in WAYS for f in ("plain", "in_branch")]
TAKEN += [("SavedModel", "with_table"), ("bundle of a SavedModel", "with_table")]


@pytest.mark.parametrize(("way", "function"), TAKEN)
def test_every_batch_begins_with_the_values_that_were_saved(
    way: str, function: str, spark: Any, tmp_path: Path
) -> None:
    model = sparkdl.load_model(WAYS[way](function, tmp_path))
    frame = spark.range(0, ROWS, 1, 3).selectExpr("int(id) i", "array(1f, 0f) x")
    expected = [12.0, 1.0] if function == "with_table" else [2.0, 1.0]
    for _ in range(2):
        rows = frame.select("i", model("x").alias("y")).collect()
        assert [row.y for row in rows] == [expected] * ROWS


@pytest.mark.parametrize("function", ["reads_again", "loops"])
@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_reads_what_it_has_changed_is_refused(
    way: str, function: str, spark: Any, tmp_path: Path
) -> None:
    words = r"a call changes the variable '[^']+' and reads it again \(operation '.+'\)"
    with pytest.raises(InvalidModelException, match=words):
        sparkdl.load_model(WAYS[way](function, tmp_path))


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_stateful_layer_in_a_function_begins_with_its_state_and_keeps_it(
    name: str, tmp_path: Path
) -> None:
    import keras
    import tensorflow as tf
    import tf_keras

    library = {"keras": keras, "tf_keras": tf_keras}[name]
    given = library.Input(batch_shape=(2, 4, 3), name="x")
    layer = library.layers.GRU(2, stateful=True)
    model = library.Model(given, layer(given))
    rows = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    model.predict(rows, verbose=0)
    before = np.array(layer.states[0])

    def call(x: Any) -> Any:
        return model(x, training=False)

    made = sparkdl.save_bundle(
        tf.function(call, autograph=False), tmp_path / "b", inputs={"x": ("float32", [2, 4, 3])}
    )
    assert np.array_equal(layer.states[0], before)
    expected = np.array(call(rows))
    assert np.allclose(single(made, rows), expected, atol=1e-6)


@pytest.mark.parametrize("way", ["function", "SavedModel"])
def test_a_loop_may_begin_with_a_variable(way: str, tmp_path: Path) -> None:
    import tensorflow as tf

    class Steps(tf.Module):
        def __init__(self) -> None:
            self.begin, self.step = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0])

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "x")])
        def run(self, x: Any) -> Any:
            def body(i: Any, y: Any) -> Any:
                return i + 1, y + self.step

            return {"y": x + tf.while_loop(lambda i, _: i < 2, body, (0, self.begin))[1]}

    steps = Steps()
    made: Any = steps.run
    if way == "SavedModel":
        made = tmp_path / "saved"
        tf.saved_model.save(steps, str(made), {"serving_default": steps.run})
    bundle = sparkdl.save_bundle(made, tmp_path / "b")
    assert single(bundle, np.zeros((1, 2), np.float32)).tolist() == [[7.0, 10.0]]


def single(bundle: str, rows: Any) -> Any:
    """Return the only output of a bundle."""
    return next(iter(run_bundle(bundle, {"x": rows}).values()))


def test_batch_normalization_that_goes_on_learning_is_converted(tmp_path: Path) -> None:
    import tf_keras

    given = tf_keras.Input((3,), name="x")
    made = tf_keras.layers.BatchNormalization()(given, training=True)
    bundle = sparkdl.save_bundle(tf_keras.Model(given, made), tmp_path / "b")
    rows = np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]], np.float32)
    assert np.allclose(single(bundle, rows), [[-1.0] * 3, [1.0] * 3], atol=1e-2)
