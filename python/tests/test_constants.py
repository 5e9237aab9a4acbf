"""Placeholders that no column feeds: who says so, and constants for them, in every way in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import sparkdl
from sparkdl import TFImageTransformer, TFInputGraph, TFTransformer
from sparkdl._command_line.main import main
from sparkdl.errors import InvalidModelException, SchemaMismatchException, SettingsException
from sparkdl.graph.tensorframes_udf import makeGraphUDF

v1 = tf.compat.v1
GIVEN = {"phase_train": False, "keep_prob": 3.0}
ROWS = [[1.0, 2.0], [3.0, 4.0], [-1.0, 0.5]]


def tf1_graph(variable: bool = False) -> Any:
    """Return y = x * keep_prob + w, or -x in training, by control flow of TensorFlow 1."""
    graph = tf.Graph()
    with graph.as_default():
        v1.disable_control_flow_v2()
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        train = v1.placeholder(tf.bool, [], name="phase_train")
        keep = v1.placeholder(tf.float32, name="keep_prob")
        w: Any = v1.get_variable("w", initializer=0.5) if variable else 0.5
        y = v1.cond(train, lambda: -x, lambda: x * keep)
        tf.add(y, w, name="y")
        tf.identity(x * v1.placeholder_with_default(2.0, [], name="scale"), name="z")
        v1.enable_control_flow_v2()
    return graph


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("frozen") / "old.pb"
    file.write_bytes(tf1_graph().as_graph_def().SerializeToString())
    return str(file)


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    return spark.createDataFrame([(r,) for r in ROWS], "x array<float>").coalesce(1)


def right(got: Any, factor: float = 3.0, shift: float = 0.5) -> bool:
    """Say whether these are the values of y."""
    return np.allclose([r[0] for r in got.collect()], np.array(ROWS) * factor + shift)


def stage(graph: Any, **more: Any) -> Any:
    return TFTransformer(
        tfInputGraph=graph, inputMapping={"x": "x"}, outputMapping={"y": "o"}, **more
    )


def saved_model(folder: Path, inputs: list[str], variable: bool = True) -> str:
    """Write the graph as a SavedModel of TensorFlow 1 whose signature has some of its inputs."""
    graph = tf1_graph(variable)
    info = v1.saved_model.build_tensor_info
    with v1.Session(graph=graph) as session:
        if variable:
            session.run(graph.get_operation_by_name("w/Assign"))
        ends = [{n: info(graph.get_tensor_by_name(n + ":0")) for n in e} for e in (inputs, ["y"])]
        builder = v1.saved_model.Builder(str(folder / "saved"))
        signature = v1.saved_model.build_signature_def(*ends)
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    return str(folder / "saved")


def test_a_stage_refuses_an_unfed_placeholder_and_takes_a_constant(frozen: str, frame: Any) -> None:
    with pytest.raises(SchemaMismatchException, match=r"'phase_train' \(bool \[\]\).*constants="):
        stage(frozen).transform(frame)
    assert right(stage(frozen, constants=GIVEN).transform(frame).select("o"))
    train = stage(frozen, constants={**GIVEN, "phase_train": np.bool_(True)})
    assert right(train.transform(frame).select("o"), -1.0)
    with pytest.raises(SchemaMismatchException, match="fed by a column and has a constant"):
        stage(frozen, constants={**GIVEN, "x": [[1.0, 2.0]]}).transform(frame)


def test_constants_are_saved_with_the_stage(frozen: str, frame: Any, tmp_path: Path) -> None:
    stage(frozen, constants=GIVEN).write().save(str(tmp_path / "stage"))
    loaded = TFTransformer.load(str(tmp_path / "stage"))
    assert loaded.getConstants() == GIVEN
    assert right(loaded.transform(frame).select("o"))


def test_load_model_and_sql_functions_take_constants(spark: Any, frozen: str, frame: Any) -> None:
    ends = {"inputs": ["x"], "outputs": ["y"]}
    with pytest.raises(SchemaMismatchException, match="output 'y' needs 'keep_prob'"):
        sparkdl.load_model(frozen, **ends)("x")
    assert right(frame.select(sparkdl.load_model(frozen, **ends, constants=GIVEN)("x")))
    default = sparkdl.load_model(frozen, outputs=["z"], inputs=["x"], constants={"scale": 5})
    assert right(frame.select(default("x")), 5.0, 0.0)
    sparkdl.registerKerasUDF("kept", frozen, outputs=["y"], constants=GIVEN)
    assert right(frame.selectExpr("kept(x)"))
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(tf1_graph().as_graph_def(), name="")
        makeGraphUDF(session.graph, "made", ["y"], blocked=True, constants=GIVEN)
    assert right(frame.selectExpr("made(x)"))


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"phase_train": 1}, r"expected bool \[\], but 1 is a whole number"),
        ({"phase_train": [True, False]}, r"it has the shape \[2\]"),
        ({"keep": 1.0}, r"no such placeholder; the placeholders are: x: float32 \[\?, 2\]"),
        ({"y": 1.0}, "placeholder but an operation of type AddV2"),
    ],
)
def test_both_languages_refuse_a_constant_that_does_not_fit(
    spark: Any, frozen: str, tmp_path: Path, constants: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsException, match=message):
        sparkdl.load_model(frozen, outputs=["y"], constants=constants)
    with pytest.raises(SettingsException, match=message):
        sparkdl.save_bundle(frozen, tmp_path / "b", outputs=["y"], constants=constants)


def test_values_are_plain_or_arrays() -> None:
    with pytest.raises(
        SettingsException, match=r"Cannot make a constant for 'k' from b'x' \(bytes"
    ):
        TFTransformer(constants={"k": b"x"})
    with pytest.raises(SettingsException, match="Expected constants as a dict"):
        TFTransformer(constants=["k"])
    made = TFTransformer(constants={"k": np.ones((1, 2)), "a": np.float32(0.5)})
    assert made.getConstants() == {"a": 0.5, "k": [[1.0, 1.0]]}


def test_bundles_are_made_with_constants(
    spark: Any, frozen: str, frame: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SchemaMismatchException, match=r"'phase_train' \(bool \[\]\), for output"):
        sparkdl.save_bundle(frozen, tmp_path / "no", inputs=["x"], outputs=["y"])
    made = sparkdl.save_bundle(frozen, tmp_path / "b", outputs=["y"], constants=GIVEN)
    model = sparkdl.load_model(made)
    assert [str(i) for i in model.inputs] == ["x: float32 [?, 2]"]
    assert right(frame.select(model("x")))
    constants = ["--constant", "phase_train=false", "--constant", "keep_prob=3"]
    assert main(["bundle", frozen, "--out", str(tmp_path / "cli"), *constants]) == 0
    outputs = sparkdl.load_model(tmp_path / "cli").select("y")
    assert right(frame.select(outputs("x")))
    assert main(["bundle", frozen, "--out", str(tmp_path / "cli2"), "--constant", "k"]) == 1
    assert "expected NAME=VALUE" in capsys.readouterr().err


def test_functions_take_constants_by_the_names_of_their_inputs(
    spark: Any, frame: Any, tmp_path: Path
) -> None:
    inputs = {"x": ("float32", [None, 2]), "factor": ("float32", []), "up": ("bool", [])}

    def scaled(x: Any, factor: Any, up: Any) -> Any:
        return tf.cond(up, lambda: x * factor, lambda: -x)

    constants = {"factor": 3, "up": True}
    made = sparkdl.save_bundle(scaled, tmp_path / "b", inputs=inputs, constants=constants)
    assert right(frame.select(sparkdl.load_model(made)("x")), shift=0.0)
    whole = sparkdl.save_bundle(scaled, tmp_path / "whole", inputs=inputs)
    assert right(frame.select(sparkdl.load_model(whole, constants=constants)("x")), shift=0.0)


def test_every_graph_takes_constants(frame: Any, tmp_path: Path) -> None:
    folder, ends = saved_model(tmp_path, ["x"]), (["x"], ["y"])
    graph = tf1_graph(variable=True)
    with v1.Session(graph=graph) as session, graph.as_default():
        session.run(graph.get_operation_by_name("w/Assign"))
        v1.train.Saver().save(session, str(tmp_path / "checkpoint" / "model"))
        live = TFInputGraph.fromGraph(graph, session, *ends, constants=GIVEN)
    made = [
        live,
        TFInputGraph.fromGraphDef(tf1_graph().as_graph_def(), *ends, constants=GIVEN),
        TFInputGraph.fromCheckpoint(tmp_path / "checkpoint", *ends, constants=GIVEN),
        TFInputGraph.fromSavedModel(folder, "serve", *ends, constants=GIVEN),
        TFInputGraph.fromSavedModelWithSignature(
            folder, "serve", "serving_default", constants=GIVEN
        ),
    ]
    for found in made:
        assert found.inputs == ["x"], found
        assert right(stage(found).transform(frame).select("o")), found
    later = TFInputGraph.fromSavedModel(folder, "serve", *ends)
    with pytest.raises(SchemaMismatchException, match="'phase_train'"):
        stage(later).transform(frame)
    assert right(stage(later, constants=GIVEN).transform(frame).select("o"))
    with pytest.raises(SchemaMismatchException, match="fed by a column and has a constant"):
        TFInputGraph.fromSavedModel(folder, "serve", *ends, constants={"x": [[1.0, 2.0]]})


def test_saved_models_of_tensorflow_1(spark: Any, frame: Any, tmp_path: Path) -> None:
    for inputs in (["x"], ["x", "phase_train"]):
        folder = saved_model(tmp_path / str(len(inputs)), inputs)
        with pytest.raises(SchemaMismatchException, match="'keep_prob'"):
            sparkdl.load_model(folder)("x", *["x"] * (len(inputs) - 1))
        assert right(frame.select(sparkdl.load_model(folder, constants=GIVEN)("x")))
        with pytest.raises(SchemaMismatchException, match="'keep_prob'"):
            sparkdl.save_bundle(folder, tmp_path / "no")
        made = sparkdl.save_bundle(folder, tmp_path / f"b{len(inputs)}", constants=GIVEN)
        assert right(frame.select(sparkdl.load_model(made)("x")))


class WithTable(tf.Module):
    """A model that cannot be frozen."""

    def __init__(self) -> None:
        super().__init__()
        values = tf.lookup.KeyValueTensorInitializer(tf.constant(["a"]), tf.constant([3.0]))
        self.table = tf.lookup.StaticHashTable(values, 0.0)

    @tf.function(
        input_signature=[tf.TensorSpec([None, 2], name="x"), tf.TensorSpec([], tf.string, "key")]
    )
    def scaled(self, x: Any, key: Any) -> Any:
        """Multiply by what the table has."""
        return {"y": x * self.table.lookup(key) + 0.5}


def test_saved_models_that_travel_whole(spark: Any, frame: Any, tmp_path: Path) -> None:
    module, folder, given = WithTable(), str(tmp_path / "saved"), {"key": "a"}
    tf.saved_model.save(module, folder, {"serving_default": module.scaled})
    assert right(frame.select(sparkdl.load_model(folder, constants=given)("x")))
    made = sparkdl.save_bundle(folder, tmp_path / "b", constants=given)
    model = sparkdl.load_model(made)
    assert [i.name for i in model.inputs] == ["x"]
    assert right(frame.select(model("x")))
    graph = TFInputGraph.fromSavedModelWithSignature(
        folder, "serve", "serving_default", constants=given
    )
    assert right(stage(graph).transform(frame).select("o"))


def test_live_graphs_on_images(spark: Any) -> None:
    graph = tf.Graph()
    with graph.as_default():
        pixels = v1.placeholder(tf.float32, [None, 2, 2, 3], name="pixels")
        train = v1.placeholder(tf.bool, [], name="phase_train")
        mean = tf.reduce_mean(pixels, [1, 2])
        tf.where(train, -mean, mean, name="features")
    image = ("here", 2, 2, 3, 16, bytearray([0, 0, 255] * 4))
    frame = spark.createDataFrame(
        [(image,)],
        "image struct<origin:string,height:int,width:int,nChannels:int,mode:int,data:binary>",
    )
    for ends in ({"inputTensor": "pixels"}, {}):
        made = TFImageTransformer(inputCol="image", outputCol="f", graph=graph, **ends)
        with pytest.raises(SchemaMismatchException, match="phase_train"):
            made.transform(frame)
        out = made.setConstants({"phase_train": False}).transform(frame).head()
        assert out["f"].toArray().tolist() == [255.0, 0.0, 0.0]


def test_a_program_of_tensorframes_names_the_placeholder(frozen: str, frame: Any) -> None:
    import sparkdl.tensorframes as tfs

    with tf1_graph().as_default() as graph:
        y = graph.get_tensor_by_name("y:0")
        with pytest.raises(SchemaMismatchException, match="no column '(phase_train|keep_prob)'"):
            tfs.map_blocks(y, frame)


def ragged(folder: Path) -> str:
    class Ragged(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec([None], name="a"),
                tf.RaggedTensorSpec([None, None], tf.float32, ragged_rank=1),
            ]
        )
        def total(self, a: Any, x: Any) -> Any:
            return {"y": tf.reduce_sum(x, axis=1) + a}

    module = Ragged()
    tf.saved_model.save(module, str(folder), {"serving_default": module.total})
    return str(folder)


def sparse(folder: Path) -> str:
    class Sparse(tf.Module):
        @tf.function(input_signature=[tf.SparseTensorSpec([None, 4], tf.float32)])
        def total(self, x: Any) -> Any:
            return {"y": tf.sparse.reduce_sum(x, axis=1)}

    module = Sparse()
    tf.saved_model.save(module, str(folder), {"serving_default": module.total})
    return str(folder)


def ragged_output(folder: Path) -> str:
    class Lengths(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
        def ranges(self, x: Any) -> Any:
            return {"y": tf.ragged.range(x)}

    module = Lengths()
    tf.saved_model.save(module, str(folder), {"serving_default": module.ranges})
    return str(folder)


def old_sparse(folder: Path) -> str:
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        x = v1.sparse_placeholder(tf.float32, [None, 4], name="x")
        info = v1.saved_model.build_tensor_info
        y = info(tf.sparse.reduce_sum(x, axis=1))
        builder = v1.saved_model.Builder(str(folder))
        signature = v1.saved_model.build_signature_def({"x": info(x)}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    return str(folder)


PARTS = "input is a RaggedTensor: 'x' holds its values, 'x_1' holds row splits"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (ragged, PARTS),
        (sparse, "'x' holds its indices, 'x_1' holds values, 'x_2' holds shape"),
        (ragged_output, "output 'y' is a RaggedTensor"),
        (old_sparse, "input 'x' is a SparseTensor"),
    ],
)
def test_ragged_and_sparse_signatures_are_refused_with_what_to_do(
    spark: Any, tmp_path: Path, make: Any, message: str
) -> None:
    folder = make(tmp_path / "saved")
    for read in (
        lambda: sparkdl.load_model(folder),
        lambda: sparkdl.save_bundle(folder, tmp_path / "b"),
        lambda: TFInputGraph.fromSavedModelWithSignature(folder, "serve", "serving_default"),
    ):
        with pytest.raises(InvalidModelException, match=message) as e:
            read()
        assert "export a function that takes dense ones" in str(e.value)
