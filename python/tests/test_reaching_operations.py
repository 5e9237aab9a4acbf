"""Graphs from files are programs: what they may do, and what nobody lets them do by accident."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from pyspark.sql import SparkSession
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session

import sparkdl
from sparkdl._models.files.reaching_operations import TRUSTED, _table, of_graph
from sparkdl.errors import InvalidModelException

# Arguments of operations that name something outside, with those of them that only look so.
OUTSIDE = re.compile(
    r"(.*_)?(files?|filenames?|path|address|prefix|directory|logdir|db_uri|urls?|patterns?)"
    r"|descriptor_source|output_stream|graph_def|mlir_module|contents"
)
HARMLESS = {
    *("DecodeAndCropJpeg", "DecodeBmp", "DecodeGif", "DecodeImage", "DecodeJpeg", "DecodeJxl"),
    *("DecodePng", "DecodeWav", "DecodeWebP", "ExtractJpegShape"),  # the content of a file
    *("RegexFullMatch", "RegexReplace", "StaticRegexFullMatch", "StaticRegexReplace"),
    *("ExperimentalSetStatsAggregatorDataset", "SetStatsAggregatorDataset"),
    *("TensorSliceDataset", "_TPUCompileMlir", "_XlaHostComputeMlir"),
}


def test_every_operation_that_names_something_outside_is_in_the_table() -> None:
    operations = op_def_pb2.OpList.FromString(
        pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList())
    ).op
    found = {
        op.name
        for op in operations
        if any(OUTSIDE.fullmatch(a.name) for a in (*op.input_arg, *op.attr))
    }
    listed = {*_table()["operations"], *_table()["allowed"]}
    assert found - listed - HARMLESS == set()
    assert listed <= {op.name for op in operations}


class Outside(tf.Module):
    """Writes a file and reads another."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.written = folder / "written"

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([tf.io.write_file(str(self.written), "hello")]):
            read = tf.io.read_file("/proc/self/comm")
        return {"y": x + 1.0, "read": tf.repeat(read, tf.shape(x)[0])}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    module = Outside(tmp_path)
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.serve)
    return tmp_path / "model"


def handmade(saved_model: Path) -> Path:
    """Return a bundle that nobody but its manifest vouches for."""
    bundle = saved_model.parent / "bundle"
    bundle.mkdir()
    saved_model.rename(bundle / "saved_model")
    files = (f for f in bundle.rglob("*") if f.is_file())
    sums = {
        f.relative_to(bundle).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files
    }
    ends: dict[str, Any] = {
        "inputs": [("x", "serving_default_x:0", "float32")],
        "outputs": [
            ("read", "StatefulPartitionedCall:0", "string"),
            ("y", "StatefulPartitionedCall:1", "float32"),
        ],
    }
    specs = {
        end: [{"name": n, "tensor": t, "dtype": d, "shape": [-1]} for n, t, d in listed]
        for end, listed in ends.items()
    }
    manifest = {"formatVersion": 1, "name": "nice", "savedModel": "saved_model", "files": sums}
    (bundle / "model.json").write_text(json.dumps({**manifest, **specs}))
    return bundle


@contextmanager
def trusting(spark: SparkSession, value: str) -> Iterator[None]:
    spark.conf.set(TRUSTED, value)
    try:
        yield
    finally:
        spark.conf.unset(TRUSTED)


@pytest.mark.parametrize("bundle", [False, True], ids=["SavedModel", "bundle"])
def test_a_model_that_writes_and_reads_files_is_refused(
    spark: SparkSession, outside: Path, bundle: bool
) -> None:
    path = handmade(outside) if bundle else outside
    with pytest.raises(InvalidModelException, match="reaches out of its graph: .*WriteFile"):
        sparkdl.load_model(str(path))
    assert not (path.parent / "written").exists()
    with trusting(spark, str(path.parent)):
        model = sparkdl.load_model(str(path))
        df = spark.createDataFrame([(1.0,)], "x float")
        assert df.select(model("x").getField("y").alias("y")).first() == (2.0,)
    assert (path.parent / "written").exists()


def test_python_refuses_it_before_it_is_loaded(spark: SparkSession, outside: Path) -> None:
    with pytest.raises(InvalidModelException, match="reaches out of its graph: .*ReadFile"):
        sparkdl.save_bundle(str(outside), outside.parent / "bundle")
    with pytest.raises(InvalidModelException, match=TRUSTED):
        sparkdl.TFInputGraph.fromSavedModelWithSignature(str(outside), "serve", "serving_default")
    with pytest.raises(InvalidModelException, match=TRUSTED):
        sparkdl.TFInputGraph.fromSavedModel(
            str(outside), "serve", ["serving_default_x"], ["StatefulPartitionedCall:1"]
        )
    assert not (outside.parent / "written").exists()


def test_a_frozen_graph_from_a_file_is_checked(spark: SparkSession, tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.string, [None], "x")
        tf.strings.join([x, tf.io.read_file("/proc/self/comm")], name="y")
    (tmp_path / "graph.pb").write_bytes(graph.as_graph_def().SerializeToString())
    assert of_graph(graph.as_graph_def()) == ["ReadFile 'ReadFile'"]
    for load in (sparkdl.load_model, lambda p: sparkdl.save_bundle(p, tmp_path / "bundle")):
        with pytest.raises(InvalidModelException, match="ReadFile 'ReadFile'"):
            load(str(tmp_path / "graph.pb"))


class Looked(tf.Module):
    """A vocabulary in a file, which is an asset of the SavedModel."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        keys = tf.lookup.TextFileInitializer(
            str(file), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, -1
        )
        self.table = tf.lookup.StaticHashTable(keys, -1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
    def serve(self, word: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"place": self.table.lookup(word)}


def test_a_vocabulary_of_the_models_own_is_read_and_a_link_out_is_not(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text("one\ntwo\n")
    module = Looked(tmp_path / "words.txt")
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.serve)
    df = spark.createDataFrame([("two",)], "word string")
    bundle = sparkdl.save_bundle(str(tmp_path / "model"), tmp_path / "bundle")
    for path in (str(tmp_path / "model"), bundle):
        assert df.select(sparkdl.load_model(path)("word")).first() == (1,)
    asset = tmp_path / "model" / "assets" / "words.txt"
    asset.unlink()
    os.symlink("/etc/hostname", asset)
    for load in (sparkdl.load_model, lambda p: sparkdl.save_bundle(p, tmp_path / "other")):
        with pytest.raises(InvalidModelException, match=r"'assets/words.txt' is a link out of"):
            load(str(tmp_path / "model"))


def test_a_function_of_the_users_own_program_may_read_files(spark: SparkSession) -> None:
    graph = sparkdl.TFInputGraph.fromFunction(
        lambda x: {"y": tf.strings.join([x, tf.io.read_file("/proc/self/comm")])},
        {"x": ("string", [None])},
        verify=False,
    )
    stage = sparkdl.TFTransformer(
        tfInputGraph=graph, inputMapping={"x": "x"}, outputMapping={"y": "y"}
    )
    first = stage.transform(spark.createDataFrame([("a",)], "x string")).first()
    assert first is not None
    assert first.y.startswith("a")
