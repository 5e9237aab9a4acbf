"""Large weights stand beside their graph on the way into a bundle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from parity import run_bundle

import sparkdl
from sparkdl._bundles.graph import graph_writing, weights
from sparkdl._bundles.graph.freeze import freeze
from sparkdl.errors import InvalidModelException

L = keras.layers
LARGE = weights.LARGE_BYTES // 4


def dense(units: int = 8) -> Any:
    model = keras.Sequential([keras.Input((LARGE // 4,), name="x"), L.Dense(units)])
    model.layers[0].bias.assign(np.arange(units, dtype=np.float32))
    return model


def frozen(model: Any) -> Any:
    spec = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    return freeze(tf.function(lambda x: model(x), autograph=False).get_concrete_function(spec))


def test_a_frozen_graph_has_placeholders_for_its_large_weights_only() -> None:
    model = dense()
    found = frozen(model)
    standing = [n for n in found.graph_def.node if weights.key_of(n) is not None]
    assert [n.attr["dtype"].type for n in standing] == [tf.float32.as_datatype_enum]
    [(key, array)] = found.weights.items()
    assert key == weights.key_of(standing[0])
    assert np.array_equal(array, model.layers[0].kernel)
    assert found.graph_def.ByteSize() < weights.LARGE_BYTES // 4
    assert not [n for n in found.whole().node if weights.key_of(n) is not None]


def test_a_weight_is_the_model_s_own_array_and_stays_what_it_was() -> None:
    model = dense()
    before = np.array(model.layers[0].kernel)
    [array] = frozen(model).weights.values()
    assert not array.flags.owndata
    model.layers[0].kernel.assign_add(np.ones_like(before))
    assert np.array_equal(array, before)


@pytest.mark.parametrize(
    "dtype", [tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.int64, tf.int8, tf.bool]
)
def test_the_file_is_what_protocol_buffers_write(dtype: Any, tmp_path: Path) -> None:
    table = tf.Variable(tf.cast(np.arange(1 << 16).reshape(64, -1) % 100, dtype))
    small = tf.Variable(tf.cast([[3]], dtype))
    found = freeze(
        tf.function(lambda i: [tf.gather(table, i), small]).get_concrete_function(
            tf.TensorSpec([None], tf.int32)
        )
    )
    assert len(found.weights) == (1 if table.dtype.size << 16 >= weights.LARGE_BYTES else 0)
    graph_writing.write_graph(tmp_path / "graph.pb", found.graph_def, found.weights)
    expected = found.whole().SerializeToString(deterministic=True)
    read = tf.compat.v1.GraphDef.FromString((tmp_path / "graph.pb").read_bytes())
    assert read.SerializeToString(deterministic=True) == expected
    [value] = [n for n in read.node if n.op == "Const" and n.ByteSize() > 1 << 15]
    assert np.array_equal(tf.make_ndarray(value.attr["value"].tensor), table.numpy())


def test_weights_that_are_equal_are_stored_once(tmp_path: Path) -> None:
    first, second = L.Dense(8, name="a"), L.Dense(8, name="b")
    x = keras.Input((LARGE // 4,), name="x")
    model = keras.Model(x, [first(x), second(x)])
    second.set_weights(first.get_weights())
    bundle = sparkdl.save_bundle(model, tmp_path / "bundle")
    size = (Path(bundle) / "graph.pb").stat().st_size
    assert first.kernel.shape[0] * 8 * 4 < size < 1.2 * first.kernel.shape[0] * 8 * 4


def test_loops_and_look_ups_use_weights_beside_their_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "LARGE_BYTES", 16)
    words = keras.Input((5,), name="words", dtype="int32")
    x = L.Embedding(40, 6)(words)
    x = L.Bidirectional(L.LSTM(4, return_sequences=True))(x)
    x = L.GRU(3, unroll=True)(x)
    model = keras.Model(words, L.BatchNormalization()(L.Dense(2)(x)))
    rows = np.random.default_rng(3).integers(0, 40, (7, 5))
    bundle = sparkdl.save_bundle(model, tmp_path / "bundle")
    [got] = run_bundle(bundle, {"words": rows}).values()
    assert np.allclose(got, model(rows), atol=1e-6)


def test_more_than_a_graph_can_hold_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_writing, "MOST_BYTES", 1000)
    with pytest.raises(InvalidModelException, match="holds at most 2.1 GB. Save the model as a"):
        sparkdl.save_bundle(dense(), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


MEMORY = """
import sys
import keras
import sparkdl

def megabytes(what):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(what))

small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
sparkdl.save_bundle(small, sys.argv[1] + "/small")
model = keras.Sequential([keras.Input((8192,), name="x"), keras.layers.Dense(6144)])
open("/proc/self/clear_refs", "w").write("5")  # the peak is from here on
before = megabytes("VmRSS")
sparkdl.save_bundle(model, sys.argv[1] + "/large")
print("MB", megabytes("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_making_a_bundle_takes_two_and_a_half_times_the_weights_at_most(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    beside_the_model = int(printed.split("MB ")[-1])
    assert beside_the_model < 1.5 * 192, printed
