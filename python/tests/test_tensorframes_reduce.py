"""Reductions of Spark's DataFrames: numbers of NumPy, forms of results, refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import sparkdl.tensorframes as tfs
from sparkdl.errors import InvalidInputException, SchemaMismatchException, SparkDLException

v1 = tf.compat.v1
X = np.arange(50, dtype=np.float64) - 20.0


@pytest.fixture(scope="module")
def df(spark: Any) -> Any:
    """Fifty rows in three partitions."""
    rows = [(float(x), [float(x), 1.0], int(i), i % 3) for i, x in enumerate(X)]
    made = spark.createDataFrame(rows, "x double, v array<float>, n bigint, key int")
    return made.repartition(3).cache()


def total(x: Any) -> Any:
    return {"x": tf.reduce_sum(x, axis=0)}


def test_one_number_is_a_numpy_scalar(df: Any) -> None:
    made = tfs.reduce_blocks(total, df)
    assert type(made) is np.float64
    assert made == X.sum()
    largest = tfs.reduce_blocks(lambda n: {"n": tf.reduce_max(n)}, df)
    assert (type(largest), largest) == (np.int64, 49)


def test_an_array_is_an_array_of_the_column_s_type(df: Any) -> None:
    made = tfs.reduce_blocks(lambda v: {"v": tf.reduce_sum(v, axis=0)}, df)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, [X.sum(), 50.0])


def test_several_results_of_a_function_are_a_dict_and_those_of_a_graph_a_list(df: Any) -> None:
    made = tfs.reduce_blocks(lambda x, n: {"x": tf.reduce_min(x), "n": tf.reduce_sum(n)}, df)
    assert made == {"x": -20.0, "n": 1225}
    with tf.Graph().as_default():
        x = tf.reduce_sum(tfs.block(df, "x", name="x_input"), axis=0, name="x")
        n = tf.reduce_max(tfs.block(df, "n", name="n_input"), axis=0, name="n")
        assert tfs.reduce_blocks([x, n], df) == [X.sum(), 49]
        assert tfs.reduce_blocks((n, x), df) == [49, X.sum()]
        assert tfs.reduce_blocks(x, df) == X.sum()


def test_a_mean_is_a_sum_and_a_count(df: Any) -> None:
    counted = tfs.map_blocks(lambda x: {"count": tf.ones_like(x)}, df)
    made = tfs.reduce_blocks(
        lambda x, count: {"x": tf.reduce_sum(x), "count": tf.reduce_sum(count)}, counted
    )
    assert made["x"] / made["count"] == X.mean()


def test_rows_are_merged_two_by_two(df: Any) -> None:
    assert tfs.reduce_rows(lambda x_1, x_2: {"x": x_1 + x_2}, df) == X.sum()
    with tf.Graph().as_default():
        first, second = tfs.row(df, "v", "v_1"), tfs.row(df, "v", "v_2")
        made = tfs.reduce_rows(tf.maximum(first, second, name="v"), df)
    np.testing.assert_array_equal(made, [29.0, 1.0])


def test_every_block_size_gives_the_same(df: Any) -> None:
    for size in (1, 2, 7, 1000, "auto", None):
        assert tfs.reduce_blocks(total, df, blockSize=size) == X.sum(), size


def test_arguments_may_have_other_names(df: Any) -> None:
    made = tfs.reduce_blocks(lambda a: {"x": tf.reduce_sum(a)}, df, feed_dict={"a": "x"})
    assert made == X.sum()
    assert tfs.reduce_blocks(lambda x_input: {"x": tf.reduce_sum(x_input)}, df) == X.sum()


def test_one_row_is_given_as_it_is_and_empty_partitions_add_nothing(df: Any) -> None:
    one = df.where("n = 3")
    assert tfs.reduce_blocks(lambda x: {"x": tf.reduce_sum(x) + 100.0}, one) == X[3]
    assert tfs.reduce_rows(lambda x_1, x_2: {"x": x_1 + x_2 + 100.0}, one.repartition(5)) == X[3]
    assert tfs.reduce_blocks(total, df.where("n < 3").repartition(8)) == X[:3].sum()


def test_no_rows_are_an_error_that_says_what_to_do(df: Any) -> None:
    none = df.where("n < 0")
    with pytest.raises(SparkDLException, match="reduce_blocks has nothing to merge.*df.isEmpty"):
        tfs.reduce_blocks(total, none)
    with pytest.raises(SparkDLException, match="reduce_rows has nothing to merge"):
        tfs.reduce_rows(lambda x_1, x_2: {"x": x_1 + x_2}, none)


def test_groups_are_merged(spark: Any, df: Any) -> None:
    made = tfs.aggregate(
        lambda x, v: {"x": tf.reduce_sum(x), "v": tf.reduce_max(v, axis=0)}, df.groupBy("key")
    )
    assert made.columns == ["key", "v", "x"]
    for row in made.collect():
        mine = X[row.key :: 3]
        assert (row.x, row.v) == (mine.sum(), [mine.max(), 1.0])
    assert tfs.aggregate(total, df.where("n < 0").groupBy("key")).collect() == []


def test_groups_of_several_keys_and_of_a_graph(df: Any) -> None:
    with tf.Graph().as_default():
        x = tf.reduce_min(tfs.block(df, "x", "x_input"), axis=0, name="x")
        made = tfs.aggregate(x, df.selectExpr("x", "n % 2 AS a", "key").groupBy("a", "key"))
    assert made.columns == ["a", "key", "x"]
    expected = {(i % 2, i % 3): min(X[j] for j in range(50) if j % 6 == i % 6) for i in range(6)}
    assert {(r.a, r.key): r.x for r in made.collect()} == expected


def test_text_and_matrices_are_merged(spark: Any, df: Any) -> None:
    words = spark.createDataFrame([("b",), ("a",), ("c",)], "w string").coalesce(1)
    joined = tfs.reduce_blocks(lambda w: {"w": tf.strings.reduce_join(w)}, words)
    assert (joined, type(joined)) == ("bac", str)
    cells = df.selectExpr("array(array(x, 1D), array(0D, 2D)) AS m")
    made = tfs.reduce_blocks(lambda m: {"m": tf.reduce_sum(m, axis=0)}, cells)
    np.testing.assert_array_equal(made, [[X.sum(), 50.0], [0.0, 100.0]])


def test_nulls_are_an_error_or_left_out(spark: Any) -> None:
    frame = spark.createDataFrame([(1.0,), (None,), (2.0,)], "x double")
    with pytest.raises(InvalidInputException, match="'x'.*null"):
        tfs.reduce_blocks(total, frame)
    assert tfs.reduce_blocks(total, frame, handleInvalid="skip") == 3.0
    added = tfs.reduce_rows(lambda x_1, x_2: {"x": x_1 + x_2}, frame, handleInvalid="skip")
    assert added == 3.0
    keyed = frame.selectExpr("1 AS key", "x").groupBy("key")
    assert tfs.aggregate(total, keyed, handleInvalid="skip").first().x == 3.0


def test_what_cannot_be_merged_is_refused_before_a_job(df: Any) -> None:
    refused = [
        (lambda x: {"y": tf.reduce_sum(x)}, "output 'y' needs the placeholder 'y_input'"),
        (lambda x: {"x": x}, "expected the same dtype and shape, since results are merged again"),
        (lambda x: {"x": tf.cast(tf.reduce_sum(x), tf.float32)}, "expected the same dtype and sh"),
        (lambda x, n: {"x": tf.reduce_sum(x) + tf.reduce_sum(tf.cast(n, tf.float64))}, "belong to"),
    ]
    for function, message in refused:
        with pytest.raises(SchemaMismatchException, match=message):
            tfs.reduce_blocks(function, df)
    with pytest.raises(SchemaMismatchException, match="'x_2' is missing"):
        tfs.reduce_rows(lambda x_1: {"x": x_1}, df)
    with pytest.raises(SchemaMismatchException, match="no column 'q'"):
        tfs.aggregate(lambda q: {"q": tf.reduce_sum(q)}, df.groupBy("key"))
    with pytest.raises(SparkDLException, match="'key' is a key and an output"):
        tfs.aggregate(lambda key: {"key": tf.reduce_sum(key)}, df.groupBy("key"))
    with pytest.raises(TypeError, match="Expected what df.groupBy.* returns, got pyspark"):
        tfs.aggregate(total, df)
    with pytest.raises(
        TypeError, match="GroupedData. For the result of groupBy, use tfs.aggregate"
    ):
        tfs.reduce_blocks(total, df.groupBy("key"))


def test_a_stream_cannot_be_reduced(spark: Any) -> None:
    stream = spark.readStream.format("rate").load().selectExpr("double(value) AS x")
    with pytest.raises(SparkDLException, match="a stream has no last row"):
        tfs.reduce_blocks(total, stream)


def test_threads_reduce_at_once(df: Any) -> None:
    def scaled(factor: int) -> Any:
        return tfs.reduce_blocks(
            lambda x: {"x": tf.reduce_sum(x)}, df.selectExpr(f"x * {factor} x")
        )

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(scaled, range(1, 9))) == [X.sum() * f for f in range(1, 9)]
