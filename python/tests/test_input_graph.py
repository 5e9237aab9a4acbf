"""`TFInputGraph`: every way to make one gives TensorFlow's own numbers in the JVM."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import sparkdl
from sparkdl.errors import InvalidModelException, ModelNotFoundException
from sparkdl.errors.builtin_errors import UnknownNameException, WrongStateException
from sparkdl.graph.builder import GraphFunction
from sparkdl.graph.input import TFInputGraph

v1 = tf.compat.v1
SIGNATURE = v1.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
ROWS = np.array([[1, 2, 3], [-4, 5.5, 6], [0, 0, 0.25]], np.float32)


def applied(graph: TFInputGraph, spark: Any, rows: Any = ROWS) -> dict[str, Any]:
    """Run the graph's bundle in the JVM; return its outputs by name."""
    model = sparkdl.load_model(graph.bundle)
    assert [s.name for s in model.inputs] == graph.inputs
    assert [s.name for s in model.outputs] == graph.outputs
    values = [r if isinstance(r, str) else np.asarray(r).tolist() for r in rows]
    kind = {str: "string", float: "float"}.get(type(values[0]), "array<float>")
    frame = spark.createDataFrame([(v,) for v in values], f"x {kind}").coalesce(1)
    columns = [f"out{i}" for i in range(len(graph.outputs))]
    table = model.append_to(frame, "x", columns).collect()
    return {n: np.array([r[c] for r in table]) for n, c in zip(graph.outputs, columns, strict=True)}


def tf1_model(resource: bool = True) -> tuple[Any, Any, Any, Any]:
    """Return graph, session, input and output of x @ w + b with variables that were changed."""
    graph = tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        w = v1.get_variable("w", initializer=np.ones((3, 2), np.float32), use_resource=resource)
        b = v1.get_variable("b", initializer=np.ones(2, np.float32), use_resource=resource)
        z = tf.add(tf.matmul(x, w), b, name="z")
        v1.placeholder(tf.float32, name="unused")
        session = v1.Session(graph=graph)
        session.run(v1.global_variables_initializer())
        session.run([v1.assign(w, [[1, 2], [3, 4], [5, 6]]), v1.assign(b, [0.5, -0.5])])
    return graph, session, x, z


def signature_def(x: Any, z: Any) -> Any:
    info = tf.compat.v1.saved_model.build_tensor_info
    return v1.saved_model.signature_def_utils.build_signature_def(
        inputs={"numbers": info(x)}, outputs={"total": info(z)}, method_name="m"
    )


@pytest.mark.parametrize("resource", [True, False], ids=["resource variables", "old variables"])
def test_a_graph_is_frozen_with_the_values_in_its_session(spark: Any, resource: bool) -> None:
    graph, session, x, z = tf1_model(resource)
    expected = session.run(z, {x: ROWS})
    made = TFInputGraph.fromGraph(graph, session, [x], ["z"])
    np.testing.assert_allclose(applied(made, spark)["z"], expected, rtol=1e-6)
    assert session.run(z, {x: ROWS}).shape == (3, 2), "the session stays open"
    assert (made.inputs, made.outputs) == (["x"], ["z"])
    assert made.input_tensor_name_from_signature is None
    assert {n.name for n in made.graph_def.node} >= {"x", "z"}
    assert not {n.op for n in made.graph_def.node} & {"VarHandleOp", "VariableV2"}
    assert "unused" not in {n.name for n in made.graph_def.node}
    session.close()


@pytest.mark.parametrize("kind", ["op name", "tensor name", "tensor", "operation"])
def test_names_may_be_ops_or_tensors(kind: str) -> None:
    graph, session, x, z = tf1_model()
    given = {
        "op name": ("x", "z"),
        "tensor name": ("x:0", "z:0"),
        "tensor": (x, z),
        "operation": (x.op, z.op),
    }[kind]
    made = TFInputGraph.fromGraph(graph, session, [given[0]], [given[1]])
    assert (made.inputs, made.outputs) == (["x"], ["z"])
    assert made.input_name(given[0]) == "x"
    assert made.output_name(given[1]) == "z"
    with pytest.raises(UnknownNameException, match=r"has no output 'y:0'; it has z \(z:0\)"):
        made.output_name("y:0")
    with pytest.raises(KeyError, match=r"has no input 'q'; it has x \(x:0\)"):
        made.input_name("q")
    with pytest.raises(KeyError, match="no operation 'nothing'. Some operations that it has"):
        TFInputGraph.fromGraph(graph, session, ["nothing"], ["z"])
    with pytest.raises(KeyError, match="no tensor 'z:1'"):
        TFInputGraph.fromGraph(graph, session, ["x"], ["z:1"])


def test_the_session_must_be_that_of_the_graph_and_have_values() -> None:
    graph, session, _, _ = tf1_model()
    with pytest.raises(WrongStateException, match="session has another graph"):
        TFInputGraph.fromGraph(graph, v1.Session(graph=tf.Graph()), ["x"], ["z"])
    with pytest.raises(AssertionError, match="Expected a tf.Graph, got GraphDef"):
        TFInputGraph.fromGraph(graph.as_graph_def(), session, ["x"], ["z"])
    with pytest.raises(AssertionError, match="a variable has no value in the session. Restore it"):
        TFInputGraph.fromGraph(graph, v1.Session(graph=graph), ["x"], ["z"])


def test_a_graph_def_and_a_second_output_of_an_operation(spark: Any) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 3], name="in/x")
        first, second = tf.split(x, [1, 2], axis=1, name="parts")
    made = TFInputGraph.fromGraphDef(graph.as_graph_def(), ["in/x"], [second, "parts"])
    assert (made.inputs, made.outputs) == (["in/x"], ["parts:1", "parts"])
    found = applied(made, spark)
    np.testing.assert_array_equal(found["parts:1"], ROWS[:, 1:])
    np.testing.assert_array_equal(found["parts"], ROWS[:, :1])
    assert made.output_name(first) == "parts"
    assert made.output_name("parts:1") == "parts:1"
    with pytest.raises(AssertionError, match="Expected a GraphDef, got Graph. For a tf.Graph"):
        TFInputGraph.fromGraphDef(graph, ["in/x"], ["parts"])
    loose, _, _, _ = tf1_model()
    with pytest.raises(InvalidModelException, match="is not frozen: it has 4 variables"):
        TFInputGraph.fromGraphDef(loose.as_graph_def(), ["x"], ["z"])


def test_a_tensor_in_the_middle_of_a_graph_can_be_fed(spark: Any) -> None:
    with tf.Graph().as_default() as graph:
        raw = v1.placeholder(tf.string, [None], name="raw")
        numbers = tf.io.decode_raw(raw, tf.float32, name="numbers")
        tf.reduce_sum(tf.reshape(numbers, [-1, 3]) * 2, axis=1, name="sum")
    made = TFInputGraph.fromGraphDef(graph.as_graph_def(), ["numbers"], ["sum"])
    np.testing.assert_allclose(applied(made, spark)["sum"], ROWS.sum(1) * 2, rtol=1e-6)


def test_an_input_and_an_output_may_be_the_same_tensor(spark: Any) -> None:
    with tf.Graph().as_default() as graph:
        v1.placeholder(tf.float32, [None, 3], name="x")
    made = TFInputGraph.fromGraphDef(graph.as_graph_def(), ["x"], ["x"])
    assert (made.inputs, made.outputs) == (["x"], ["x"])
    np.testing.assert_array_equal(applied(made, spark)["x"], ROWS)


def test_a_while_loop_and_a_condition_of_tensorflow_2_survive_freezing(spark: Any) -> None:
    graph = tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        v = v1.get_variable("v", initializer=2.0)

        @tf.function
        def thrice(t: Any) -> Any:
            for _ in tf.range(3):
                t = t * v
            return tf.cond(tf.reduce_sum(t) > 1e6, lambda: -t, lambda: t + v)

        y = tf.identity(thrice(x), name="y")
        session.run(v1.global_variables_initializer())
        expected = session.run(y, {x: ROWS})
        made = TFInputGraph.fromGraph(graph, session, ["x"], ["y"])
    np.testing.assert_allclose(applied(made, spark)["y"], expected, rtol=1e-6)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """A directory as a Saver writes it, with a signature in the .meta file; and its numbers."""
    folder = tmp_path_factory.mktemp("checkpoint")
    graph, session, x, z = tf1_model()
    with graph.as_default():
        saver = v1.train.Saver()
        saver.save(session, str(folder / "model"), global_step=1)
        session.run(v1.global_variables_initializer())
        saver.save(session, str(folder / "model"), global_step=2, write_meta_graph=False)
        meta = saver.export_meta_graph(clear_devices=True)
        meta.signature_def["sig"].CopyFrom(signature_def(x, z))
        (folder / "model-2.meta").write_bytes(meta.SerializeToString())
        return str(folder), session.run(z, {x: ROWS})


def test_the_latest_checkpoint_is_restored(spark: Any, checkpoint: Any) -> None:
    folder, expected = checkpoint
    named = TFInputGraph.fromCheckpoint(folder, ["x"], ["z:0"])
    np.testing.assert_allclose(applied(named, spark)["z"], expected, rtol=1e-6)
    signed = TFInputGraph.fromCheckpointWithSignature(folder, "sig")
    np.testing.assert_allclose(applied(signed, spark)["total"], expected, rtol=1e-6)
    assert signed.input_tensor_name_from_signature == {"numbers": "x:0"}
    assert signed.output_tensor_name_from_signature == {"total": "z:0"}
    with pytest.raises(KeyError, match="has no signature 'sog'; it has: sig"):
        TFInputGraph.fromCheckpointWithSignature(folder, "sog")


def test_a_checkpoint_in_a_folder_that_was_moved_is_read_there(
    checkpoint: Any, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(checkpoint[0], tmp_path / "moved"))
    (moved / "checkpoint").write_text('model_checkpoint_path: "/gone/model-2"')
    assert TFInputGraph.fromCheckpoint(moved, ["x"], ["z"]).outputs == ["z"]
    (moved / "checkpoint").write_text('model_checkpoint_path: "/gone/model-9"')
    text = "names /gone/model-9, of which there are no files, neither there nor as model-9 in this"
    with pytest.raises(ModelNotFoundException, match=text):
        TFInputGraph.fromCheckpoint(moved, ["x"], ["z"])


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundException, match="no directory /nowhere"):
        TFInputGraph.fromCheckpoint("/nowhere", ["x"], ["z"])
    with pytest.raises(ModelNotFoundException, match="has no checkpoint: .* found nothing"):
        TFInputGraph.fromCheckpoint(tmp_path, ["x"], ["z"])
    tf.train.Checkpoint(v=tf.Variable(1.0)).save(str(tmp_path / "two"))
    with pytest.raises(InvalidModelException, match="no two-1.meta. .* use fromKeras"):
        TFInputGraph.fromCheckpoint(tmp_path, ["x"], ["z"])


@pytest.fixture(scope="module")
def saved_tf1(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    folder = str(tmp_path_factory.mktemp("saved") / "tf1")
    graph, session, x, z = tf1_model()
    with graph.as_default():
        builder = v1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(
            session, ["serve", "cpu"], signature_def_map={"sig": signature_def(x, z)}
        )
        builder.save()
        return folder, session.run(z, {x: ROWS})


def test_a_saved_model_of_tensorflow_1(spark: Any, saved_tf1: Any) -> None:
    folder, expected = saved_tf1
    named = TFInputGraph.fromSavedModel(folder, "serve,cpu", ["x"], ["z"])
    np.testing.assert_allclose(applied(named, spark)["z"], expected, rtol=1e-6)
    signed = TFInputGraph.fromSavedModelWithSignature(folder, "cpu, serve", "sig")
    np.testing.assert_allclose(applied(signed, spark)["total"], expected, rtol=1e-6)
    with pytest.raises(KeyError, match="no graph with the tags 'serve'; it has 'cpu,serve'"):
        TFInputGraph.fromSavedModel(folder, "serve", ["x"], ["z"])
    with pytest.raises(UnknownNameException, match="no signature 'sog'; it has: sig"):
        TFInputGraph.fromSavedModelWithSignature(folder, "cpu,serve", "sog")
    with pytest.raises(ModelNotFoundException, match="no SavedModel at /nowhere"):
        TFInputGraph.fromSavedModel("/nowhere", "serve", ["x"], ["z"])


def test_a_saved_model_of_tensorflow_2_by_signature_and_by_names(
    spark: Any, tmp_path: Path
) -> None:
    class Loop(tf.Module):
        def __init__(self) -> None:
            self.v = tf.Variable([1.0, 2.0, 3.0])

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="numbers")])
        def run(self, numbers: Any) -> Any:
            for _ in tf.range(2):
                numbers = numbers * self.v
            return {"product": numbers, "sum": tf.reduce_sum(numbers, 1)}

    loop = Loop()
    folder = str(tmp_path / "m")
    tf.saved_model.save(loop, folder, signatures=loop.run)
    expected = loop.run(ROWS)
    signed = TFInputGraph.fromSavedModelWithSignature(folder, "serve", SIGNATURE)
    assert (signed.inputs, signed.outputs) == (["numbers"], ["product", "sum"])
    found = applied(signed, spark)
    for name in signed.outputs:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
    tensors = signed.output_tensor_name_from_signature
    assert tensors is not None
    named = TFInputGraph.fromSavedModel(
        folder, "serve", ["serving_default_numbers"], [tensors["sum"], tensors["product"]]
    )
    found = applied(named, spark)
    np.testing.assert_allclose(found[named.output_name(tensors["sum"])], expected["sum"], rtol=1e-6)


def test_saved_models_of_others(spark: Any, shared_data: Path) -> None:
    for kind, rows in (("cpu", ROWS[:, :1]), ("tf2_cpu", ROWS[:1, 0])):
        folder = shared_data / "interop" / f"saved_model_half_plus_two_{kind}" / "00000123"
        made = TFInputGraph.fromSavedModelWithSignature(folder, "serve", SIGNATURE)
        np.testing.assert_allclose(applied(made, spark, rows)["y"], rows / 2 + 2)


def test_a_saved_model_with_a_table_stays_whole(spark: Any, tmp_path: Path) -> None:
    class Words(tf.Module):
        def __init__(self) -> None:
            keys = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1.0, 2.0])
            self.table = tf.lookup.StaticHashTable(keys, 0.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
        def value(self, word: Any) -> Any:
            return {"value": self.table.lookup(word)}

    words = Words()
    folder = str(tmp_path / "words")
    tf.saved_model.save(words, folder, signatures=words.value)
    made = TFInputGraph.fromSavedModelWithSignature(folder, "serve", SIGNATURE)
    found = applied(made, spark, ["b", "c", "a"])
    np.testing.assert_array_equal(found["value"], [2, 0, 1])
    again = TFInputGraph.fromSavedModelWithSignature(folder, "serve", SIGNATURE)
    assert again.bundle == made.bundle


def test_keras_models_and_functions(spark: Any, tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,), name="q"), keras.layers.Dense(2)])
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    expected = model.predict(ROWS, verbose=0)
    for source in (model, tmp_path / "m.keras", str(tmp_path / "m.h5")):
        made = TFInputGraph.fromKeras(source)
        assert (made.inputs, made.outputs) == (["q"], ["output"])
        np.testing.assert_allclose(applied(made, spark)["output"], expected, rtol=1e-5)
    assert made.translateInputMapping({"col": "q"}) == {"col": "q:0"}
    assert made.input_name("q:0") == "q"
    assert {n.name for n in made.graph_def.node} >= {"q", "output"}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="t")])
    def twice(t: Any) -> Any:
        return {"twice": t * 2}

    np.testing.assert_array_equal(
        applied(TFInputGraph.fromFunction(twice), spark)["twice"], ROWS * 2
    )
    plain = TFInputGraph.fromFunction(lambda x: x + 1, {"x": ("float32", [None, 3])}, ["more"])
    np.testing.assert_array_equal(applied(plain, spark)["more"], ROWS + 1)


def test_models_are_converted_while_a_graph_is_being_built(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,), name="q"), keras.layers.Dense(2)])
    model.save(tmp_path / "m.keras")
    expected = [TFInputGraph.fromKeras(m).bundle for m in (model, tmp_path / "m.keras")]
    with tf.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        tf.multiply(x, 2, name="y")
        found = [TFInputGraph.fromKeras(m).bundle for m in (model, tmp_path / "m.keras")]
        assert GraphFunction.fromKeras(tmp_path / "m.keras").input_names == ["q"]
        assert Path(TFInputGraph.fromGraph(graph, session, [x], ["y"]).bundle).is_dir()
        assert v1.get_default_graph() is graph
    assert found == expected


def test_a_keras_file_with_custom_objects_and_pickled_code(spark: Any, tmp_path: Path) -> None:
    import keras

    class Half(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x / 2

    file = tmp_path / "m.keras"
    keras.Sequential([keras.Input((3,)), Half(), keras.layers.Lambda(lambda x: x + 1)]).save(file)
    with pytest.raises(InvalidModelException, match="safe_mode=False"):
        TFInputGraph.fromKeras(file, custom_objects={"Half": Half})
    made = TFInputGraph.fromKeras(file, custom_objects={"Half": Half}, safe_mode=False)
    np.testing.assert_array_equal(applied(made, spark)["output"], ROWS / 2 + 1)


def test_a_bundle_becomes_a_graph_again(spark: Any, tmp_path: Path) -> None:
    graph, session, _, _ = tf1_model()
    path = TFInputGraph.fromGraph(graph, session, ["x"], ["z"]).bundle
    made = TFInputGraph.fromBundle(path)
    assert (made.bundle, made.inputs, made.outputs) == (path, ["x"], ["z"])
    assert TFInputGraph.fromBundle(f"file://{path}").bundle == path
    assert repr(made) == "TFInputGraph(inputs: x (x:0); outputs: z (z:0))"
    with pytest.raises(ModelNotFoundException, match="There is no model at /nowhere"):
        TFInputGraph.fromBundle("/nowhere")


def test_mappings_are_translated_as_in_1x(checkpoint: Any) -> None:
    signed = TFInputGraph.fromCheckpointWithSignature(checkpoint[0], "sig")
    assert signed.translateInputMapping({"column": "numbers"}) == {"column": "x:0"}
    assert signed.translateInputMapping([("column", "numbers")]) == {"column": "x:0"}
    assert signed.translateOutputMapping({"total": "out"}) == {"z:0": "out"}
    assert signed.input_name("numbers") == signed.input_name("x:0") == "numbers"
    with pytest.raises(KeyError, match="has no input 'x'; it has numbers"):
        signed.translateInputMapping({"column": "x"})
    with pytest.raises(KeyError, match="has no output 'z'; it has total"):
        signed.translateOutputMapping({"z": "out"})
    unsigned = TFInputGraph.fromCheckpoint(checkpoint[0], ["x"], ["z"])
    with pytest.raises(AssertionError, match="not made from a signature"):
        unsigned.translateInputMapping({"column": "x"})
