"""Large weights stand beside their graph on the way into a bundle."""

from __future__ import annotations

import gc
import os
import shutil
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
from sparkdl._bundles.description.manifest import read_manifest, verify_bundle
from sparkdl._bundles.graph import graph_writing, stored_weights, weights
from sparkdl._bundles.graph.freeze import freeze
from sparkdl._bundles.graph.session import freeze_by_session
from sparkdl._models.files import graph_file, loading, undrawn
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
    offsets = stored_weights.offsets_of(found.graph_def, found.weights)
    graph_writing.write_graph(tmp_path, found.graph_def, found.weights, offsets)
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


def test_a_graph_that_is_too_large_without_its_weights_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_writing, "MOST_BYTES", 1000)
    with pytest.raises(InvalidModelException, match="larger than 2.1 GB.*without its large"):
        sparkdl.save_bundle(dense(), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_frozen_graph_that_is_too_large_says_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = sparkdl.save_bundle(dense(), tmp_path / "bundle")
    monkeypatch.setattr(graph_file, "MOST_BYTES", 1000)
    with pytest.raises(InvalidModelException, match="more than 2.1 GB. Make a bundle of the model"):
        sparkdl.save_bundle(Path(bundle) / "graph.pb", tmp_path / "again")


@pytest.fixture
def few_bytes_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let weights of 64 bytes be too large for a graph."""
    monkeypatch.setattr(weights, "LARGE_BYTES", 16)
    monkeypatch.setattr(stored_weights, "LEAST_BYTES", 64)
    monkeypatch.setattr(stored_weights, "MOST_INSIDE_BYTES", 0)


def two_layers() -> tuple[Any, Any]:
    """Return a model with a weight of each kind, and rows for it."""
    model = keras.Sequential(
        [keras.Input((5,), name="x"), L.Dense(7, "tanh"), L.Dense(7, dtype="bfloat16"), L.Dense(1)]
    )
    return model, np.random.default_rng(5).normal(size=(3, 5)).astype(np.float32)


@pytest.mark.usefixtures("few_bytes_inside")
def test_weights_that_are_too_large_for_a_graph_are_in_a_file_beside_it(tmp_path: Path) -> None:
    model, rows = two_layers()
    bundle = Path(sparkdl.save_bundle(model, tmp_path / "bundle", outputs=["y"]))
    manifest = verify_bundle(bundle)
    assert (manifest["formatVersion"], manifest["weights"]) == (2, "weights.bin")
    assert {*manifest["files"]} == {"graph.pb", "weights.bin"}
    graph = tf.compat.v1.GraphDef.FromString((bundle / "graph.pb").read_bytes())
    outside = [n for n in graph.node if weights.key_of(n) is not None]
    assert len(outside) == 2, "the smaller weights are constants"
    assert sorted(n.attr["_sparkdl_offset"].i for n in outside) == [0, 192]
    content = (bundle / "weights.bin").read_bytes()
    [kernel] = [np.asarray(w) for w in model.weights if w.shape == (5, 7)]
    assert kernel.tobytes() in (content[:140], content[192:])
    [got] = run_bundle(bundle, {"x": rows}).values()
    assert np.allclose(got, model(rows), atol=1e-2)


@pytest.mark.usefixtures("few_bytes_inside")
def test_a_bundle_with_such_a_file_can_be_taken_on_from(tmp_path: Path) -> None:
    model, rows = two_layers()
    bundle = sparkdl.save_bundle(model, tmp_path / "bundle", outputs=["y"])
    again = sparkdl.save_bundle(Path(bundle) / "graph.pb", tmp_path / "again")
    graph = sparkdl.TFInputGraph.fromBundle(bundle).graph_def
    inside = sparkdl.save_bundle(graph, tmp_path / "inside", inputs=["x:0"], outputs=["y:0"])
    expected = run_bundle(bundle, {"x": rows})["y"]
    assert np.array_equal(run_bundle(again, {"x": rows})["y"], expected)
    assert np.array_equal(run_bundle(inside, {"x": rows})["y"], expected)
    (Path(bundle) / "weights.bin").unlink()
    with pytest.raises(InvalidModelException, match="in weights.bin, which cannot be read"):
        sparkdl.save_bundle(Path(bundle) / "graph.pb", tmp_path / "third")


@pytest.mark.usefixtures("few_bytes_inside")
def test_equal_weights_are_in_the_file_once_and_a_manifest_without_it_keeps_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = L.Dense(8, name="a"), L.Dense(8, name="b")
    x = keras.Input((4,), name="x")
    model = keras.Model(x, [first(x), second(x)])
    second.set_weights(first.get_weights())
    bundle = Path(sparkdl.save_bundle(model, tmp_path / "bundle"))
    assert (bundle / "weights.bin").stat().st_size == 4 * 8 * 4
    monkeypatch.setattr(stored_weights, "MOST_INSIDE_BYTES", 1 << 20)
    plain = Path(sparkdl.save_bundle(model, tmp_path / "plain"))
    assert read_manifest(plain)["formatVersion"] == 1
    assert not (plain / "weights.bin").exists()


def test_a_large_constant_of_a_graph_can_be_an_input(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        table = tf.constant(np.ones((3, LARGE), np.float32), name="table")
        tf.reduce_sum(x @ table, 1, name="y")
    ends = {"inputs": {"x": "x:0", "t": "table:0"}, "outputs": {"y": "y:0"}}
    bundle = sparkdl.save_bundle(graph, tmp_path / "bundle", **ends)
    fed = {"x": np.ones((2, 3), np.float32), "t": np.full((3, LARGE), 2, np.float32)}
    assert run_bundle(bundle, fed)["y"].tolist() == [6.0 * LARGE] * 2


GIGABYTES = float(os.environ.get("SPARKDL_TEST_GIGABYTES", "0"))


def available_gigabytes() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) / 1e6 for line in lines if line.startswith("MemAvailable"))


@pytest.mark.skipif(not GIGABYTES, reason="set SPARKDL_TEST_GIGABYTES, such as to 3")
@pytest.mark.parametrize(("name", "times"), [("live", 3), ("m.keras", 4), ("saved", 6)])
def test_a_model_of_gigabytes_is_applied_from_its_bundle_its_file_and_a_saved_model(
    name: str, times: int, spark: Any, tmp_path: Path
) -> None:
    if available_gigabytes() < times * GIGABYTES:
        pytest.skip(f"needs {times * GIGABYTES:.0f} GB of memory")
    rows = int(GIGABYTES * 1e9 / 256)
    table = L.Embedding(rows, 64, embeddings_initializer="ones")
    words = keras.Input((4,), dtype="int32", name="words")
    model = keras.Model(words, L.GlobalAveragePooling1D()(table(words)))
    if name == "live":
        sparkdl.save_bundle(model, tmp_path / "bundle")
    else:
        model.export(str(tmp_path / name)) if name == "saved" else model.save(tmp_path / name)
    del table, model
    gc.collect()
    if name != "live":
        sparkdl.save_bundle(tmp_path / name, tmp_path / "bundle")
        gc.collect()  # the model of the file
    assert verify_bundle(tmp_path / "bundle")["weights"] == "weights.bin"
    frame = spark.range(2).selectExpr(f"array({rows - 1}, 0, 1, cast(id AS int)) AS words")
    means = frame.select(sparkdl.load_model(tmp_path / "bundle")("words")).collect()
    assert means[0][0] == [1.0] * 64
    shutil.rmtree(tmp_path)  # pytest would keep it


MEMORY = """
import sys
import keras
import sparkdl

def megabytes(what):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(what))

folder, file = sys.argv[1:]
def model_of(inputs, units):
    live = keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(units)])
    if file == "saved":
        live.export(f"{folder}/{file}", verbose=False)
    elif file != "live":
        live.save(f"{folder}/{file}")
    return live if file == "live" else f"{folder}/{file}"

sparkdl.save_bundle(model_of(4, 2), f"{folder}/small")  # takes what is taken once
model = f"{folder}/large-{file}" if file != "live" else model_of(8192, 6144)
open("/proc/self/clear_refs", "w").write("5")  # the peak is from here on
before = megabytes("VmRSS")
sparkdl.save_bundle(model, f"{folder}/large")
print("MB", megabytes("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize(("file", "times"), [("live", 1.5), ("m.keras", 2.5), ("saved", 2.5)])
def test_making_a_bundle_takes_two_and_a_half_times_the_weights_at_most(
    file: str, times: float, tmp_path: Path
) -> None:
    if file != "live":
        model = keras.Sequential([keras.Input((8192,), name="x"), L.Dense(6144)])
        path = str(tmp_path / f"large-{file}")
        model.export(path, verbose=False) if file == "saved" else model.save(path)
    command = [sys.executable, "-c", MEMORY, str(tmp_path), file]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    beside_the_model = int(printed.split("MB ")[-1])
    assert beside_the_model < times * 192, printed


def test_variables_of_a_session_are_read_where_they_are_and_stay_what_they_were() -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        kinds = {"new": True, "old": False}
        shape = [LARGE]
        variables = [v1.get_variable(n, shape, use_resource=r) for n, r in kinds.items()]
        total = tf.add_n([v.read_value() for v in variables], name="total")
        additions = [v.assign_add(tf.ones(shape)).op for v in variables]
        session.run([v.initializer for v in variables])
        before = session.run(total)
        graph_def, found = freeze_by_session(session, graph, ["total"], own=True)
        session.run(additions)
    assert [a.flags.owndata for a in found.values()].count(False) == 1
    assert np.allclose(sum(found.values()), before)
    assert len(weights.feeds(graph_def, found)) == 2


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_large_weights_are_not_drawn_before_they_are_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = dense()
    model.save(tmp_path / name)
    monkeypatch.setattr(loading, "_LARGE_BYTES", 0)
    monkeypatch.setattr(undrawn, "LEAST_BYTES", 1 << 10)
    drawn: list[Any] = []
    call = keras.initializers.VarianceScaling.__call__
    monkeypatch.setattr(
        keras.initializers.VarianceScaling,
        "__call__",
        lambda self, *a, **k: drawn.append(a) or call(self, *a, **k),
    )
    loaded = loading.load_keras_file(tmp_path / name, None, True)
    assert not drawn
    for own, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(own, expected)
    L.Dense(8).build((None, LARGE // 4))
    assert len(drawn) == 1, "models that are built afterwards are drawn"


class Unsaved(L.Dense):
    """A layer whose file does not have its weights."""

    def save_own_variables(self, store: Any) -> None:
        del store

    def load_own_variables(self, store: Any) -> None:
        del store


def test_large_weights_that_a_file_does_not_have_are_drawn_as_keras_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undrawn, "LEAST_BYTES", 1 << 10)
    model = keras.Sequential([keras.Input((LARGE // 4,)), Unsaved(32)])
    model.save(tmp_path / "m.keras")
    loaded = loading.load_keras_file(tmp_path / "m.keras", {"Unsaved": Unsaved}, True)
    kernel = np.asarray(loaded.layers[0].kernel)
    assert kernel.std() > 0
    assert np.abs(kernel).max() <= np.sqrt(6 / sum(kernel.shape))
