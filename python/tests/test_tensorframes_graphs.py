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
