"""Tensors of a graph of TensorFlow 1 become programs, as in TensorFrames 0.x."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import sparkdl.tensorframes as tfs
from sparkdl.errors import InvalidModelException, SchemaMismatchException, SparkDLException

v1 = tf.compat.v1
FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [10.0, 20.0, 30.0]})


def test_placeholders_are_fed_by_the_columns_of_their_names() -> None:
    with tf.Graph().as_default():
        x, y = tfs.block(FRAME, "x"), tfs.block(FRAME, "y")
        z = tf.add(x, y, name="z")
        made = tfs.map_blocks(z, FRAME)
        several = tfs.map_blocks((z, tf.negative(x, name="scope/b")), FRAME, trim=True)
    assert list(made.columns) == ["z", "x", "y"]
    assert list(made["z"]) == [11.0, 22.0, 33.0]
    assert list(several.columns) == ["scope/b", "z"]


def test_rows_and_functions_give_the_same() -> None:
    with tf.Graph().as_default():
        graph = tfs.map_rows(tf.multiply(tfs.row(FRAME, "x"), 2.0, name="z"), FRAME)
    function = tfs.map_rows(lambda x: {"z": x * 2.0}, FRAME)
    pd.testing.assert_frame_equal(graph, function)


def test_feed_dict_takes_tensors_operations_references_and_names() -> None:
    with tf.Graph().as_default():
        a = v1.placeholder(tf.float64, [None], "scope/a")
        z = tf.identity(a, name="z")
        keys: list[Any] = ["scope/a", "scope/a:0", a.op, a.ref()]
        found = [tfs.map_blocks(z, FRAME, feed_dict={key: "y"}) for key in keys]
        by_tensor = tfs.map_blocks(z, FRAME, feed_dict={a: "y"})
    for made in [*found, by_tensor]:
        assert list(made["z"]) == [10.0, 20.0, 30.0]


def test_a_placeholder_with_a_default_has_it_unless_it_is_fed() -> None:
    with tf.Graph().as_default():
        by = v1.placeholder_with_default(tf.constant([5.0], tf.float64), [None], "by")
        z = tf.add(tfs.block(FRAME, "x"), by, name="z")
    assert list(tfs.map_blocks(z, FRAME)["z"]) == [6.0, 7.0, 8.0]
    assert list(tfs.map_blocks(z, FRAME, {"by": "y"})["z"]) == [11.0, 22.0, 33.0]


def test_placeholders_that_no_fetch_needs_are_not_fed() -> None:
    with tf.Graph().as_default():
        v1.placeholder(tf.float64, [None], "nowhere")
        z = tf.identity(tfs.block(FRAME, "x"), name="z")
        assert list(tfs.map_blocks(z, FRAME, {"nowhere": "none"})["z"]) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("resource", [True, False])
def test_variables_have_their_initial_values_or_those_of_the_session(resource: bool) -> None:
    with tf.Graph().as_default() as graph:
        by = v1.get_variable("by", initializer=np.float64(2.0), use_resource=resource)
        z = tf.multiply(tfs.block(FRAME, "x"), by, name="z")
        with v1.Session(graph=graph) as session:
            session.run(v1.global_variables_initializer())
            session.run(v1.assign(by, 3.0))
            count = len(graph.get_operations())
            initial = tfs.map_blocks(z, FRAME)
            current = tfs.map_blocks(z, FRAME, initial_variables=False)
            assert len(graph.get_operations()) == count, "the graph is not changed"
    assert list(initial["z"]) == [2.0, 4.0, 6.0]
    assert list(current["z"]) == [3.0, 6.0, 9.0]
    with pytest.raises(AssertionError, match="initial_variables=False.*default session, but ther"):
        tfs.map_blocks(z, FRAME, initial_variables=False)


def test_fetches_that_cannot_be_told_apart_are_a_value_error() -> None:
    with tf.Graph().as_default():
        z = tf.identity(tfs.block(FRAME, "x"), name="z")
        with pytest.raises(ValueError, match="have z:0 more than once"):
            tfs.map_blocks([z, z], FRAME)


def test_fetches_of_different_graphs_are_refused() -> None:
    with tf.Graph().as_default():
        first = tf.constant([1.0], name="a")
    with tf.Graph().as_default():
        second = tf.constant([1.0], name="b")
    with pytest.raises(AssertionError, match="fetches a:0, b:0 are of different graphs"):
        tfs.map_blocks([first, second], FRAME)


def test_what_a_graph_does_not_have_cannot_be_fed() -> None:
    with tf.Graph().as_default():
        c = tf.constant([1.0], name="c")
        z = tf.identity(c, name="z")
    with pytest.raises(KeyError, match="no operation 'q'"):
        tfs.map_blocks(z, FRAME, {"q": "x"})
    with pytest.raises(AssertionError, match="'c' is not a placeholder but an operation Const"):
        tfs.map_blocks(z, FRAME, {"c": "x"})
    with tf.Graph().as_default():
        a = tf.identity(v1.placeholder(tf.float64, [None], "a"), name="z")
    with pytest.raises(SchemaMismatchException, match="no column 'a' for the placeholder 'a'"):
        tfs.map_blocks(a, FRAME)


def test_tables_are_refused() -> None:
    with tf.Graph().as_default():
        words = v1.placeholder(tf.string, [None], "w")
        start = tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([1], tf.int64))
        z = tf.identity(tf.lookup.StaticHashTable(start, 0).lookup(words), name="z")
        with pytest.raises(InvalidModelException, match="graph of the fetches z is not frozen"):
            tfs.map_blocks(z, pd.DataFrame({"w": ["a"]}))


def test_placeholders_need_a_graph_and_a_column_that_is_a_tensor() -> None:
    with pytest.raises(AssertionError, match="within 'with tf.Graph"):
        tfs.block(FRAME, "x")
    days = pd.DataFrame({"day": pd.to_datetime(["2026-01-01"])})
    with tf.Graph().as_default():
        with pytest.raises(SchemaMismatchException, match="no column 'q' for a placeholder. The D"):
            tfs.row(FRAME, "q")
        with pytest.raises(SchemaMismatchException, match="Column 'day' cannot be fed to a placeh"):
            tfs.block(days, "day")
    with pytest.raises(SparkDLException, match="Expected a Spark DataFrame, got builtins.int"):
        tfs.print_schema(1)


def test_shapes_that_only_the_graph_in_python_knows_are_kept(spark: Any) -> None:
    df = spark.createDataFrame([([1.0, 2.0],), ([3.0, 4.0],)], "x array<double>").coalesce(1)
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 2], "x")
        unknown = v1.placeholder_with_default(x + 0.0, None)
        unknown.set_shape([None, 2])
        mapped = tf.map_fn(lambda row: row * 2, unknown)
        z = tf.identity(mapped, name="z")
        assert z.shape.as_list() == [None, 2]
        rows = tfs.map_blocks(z, df).collect()
    assert [r.z for r in rows] == [[2.0, 4.0], [6.0, 8.0]]


@pytest.mark.parametrize("resource", [True, False])
def test_a_variable_is_fetched_by_its_own_name(resource: bool) -> None:
    with tf.Graph().as_default() as graph:
        by = v1.get_variable("by", initializer=np.float64(2.0), use_resource=resource)
        assert list(tfs.map_rows(by, FRAME)["by"]) == [2.0, 2.0, 2.0]
        with v1.Session(graph=graph) as session:
            session.run(v1.assign(by, 3.0))
            fetched = tfs.map_rows([by], FRAME, initial_variables=False)
    assert list(fetched["by"]) == [3.0, 3.0, 3.0]


def test_rows_get_the_same_where_a_program_needs_no_column(spark: Any) -> None:
    df = spark.createDataFrame(FRAME)
    with tf.Graph().as_default():
        z = tf.constant([1.0, 2.0], name="z")
        for frame in (df, FRAME):
            found = tfs.map_rows(z, frame)
            rows = [r.z for r in found.collect()] if frame is df else map(list, found["z"])
            assert [*rows] == [[1.0, 2.0]] * 3
    assert [r.one for r in tfs.map_rows(lambda: {"one": tf.ones([])}, df).collect()] == [1.0] * 3


def test_placeholders_that_no_column_feeds_take_constants(spark: Any) -> None:
    df = spark.createDataFrame(FRAME)
    with tf.Graph().as_default():
        keep = v1.placeholder(tf.float64, [], "keep_prob")
        z = tf.multiply(tfs.block(FRAME, "x"), keep, name="z")
        for key in (keep, "keep_prob", "keep_prob:0"):
            assert list(tfs.map_blocks(z, FRAME, constants={key: 0.5})["z"]) == [0.5, 1.0, 1.5]
        found = tfs.map_blocks(z, df, constants={keep: 0.5})
        assert sorted(r.z for r in found.collect()) == [0.5, 1.0, 1.5]
        with pytest.raises(ValueError, match="Cannot give 'rate' .*: keep_prob: float64"):
            tfs.map_blocks(z, FRAME, constants={"rate": 1.0})
        with pytest.raises(ValueError, match="fed by a column and has a constant"):
            tfs.map_blocks(z, FRAME, {"keep_prob": "x"}, constants={keep: 1.0})
    with pytest.raises(ValueError, match=r"functools.partial\(f, rate=0.5\)"):
        tfs.map_blocks(lambda x: {"z": x}, FRAME, constants={"x": 1.0})
