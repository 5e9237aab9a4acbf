"""The map operations on Spark's DataFrames: numbers of NumPy, and what pandas' frames give."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from pyspark.ml.linalg import Matrices, Vectors

import sparkdl.tensorframes as tfs
from sparkdl.errors import InvalidInputException, SchemaMismatchException, SparkDLException

v1 = tf.compat.v1
N = 40
X = np.arange(N, dtype=np.float64) - 7.0


@pytest.fixture(scope="module")
def df(spark: Any) -> Any:
    """Forty rows in two partitions, in order."""
    rows = [
        (
            float(x),
            [float(i), 1.0, -1.0],
            [[1.0, float(i)], [2.0, 0.0]],
            i,
            i % 5 == 0,
            f"w{i}",
            list(range(i % 4)),
        )
        for i, x in enumerate(X)
    ]
    schema = (
        "x double, v array<float>, m array<array<double>>, n bigint, b boolean, s string, "
        "ragged array<int>"
    )
    return spark.createDataFrame(rows, schema).coalesce(2).cache()


def assert_same(operation: Any, fetches: Any, df: Any, **options: Any) -> list[Any]:
    """Check that Spark and pandas agree, and return Spark's rows."""
    spark_made = operation(fetches, df, **options)
    found = spark_made.collect()
    pandas_made = operation(fetches, df.toPandas(), **options)
    assert spark_made.columns == list(pandas_made.columns)
    for name, data_type in spark_made.dtypes:
        expected = pandas_made[name]
        assert len(found) == len(expected)
        if data_type.count("array") + data_type.count("string") == 0:
            assert str(spark_made.toPandas()[name].dtype) == str(expected.dtype), name
        for row, value in zip(found, expected, strict=True):
            assert np.array_equal(
                np.asarray(row[name]),
                np.asarray(value.tolist() if isinstance(value, np.ndarray) else value),
            ), name
    return found


def test_results_come_first_sorted_by_name_with_the_numbers_of_numpy(df: Any) -> None:
    made = tfs.map_blocks(lambda x, v: {"z": x + 3.0, "a": tf.reduce_sum(v, 1)}, df)
    assert made.columns == ["a", "z", *df.columns]
    assert made.dtypes[:2] == [("a", "float"), ("z", "double")]
    rows = made.collect()
    np.testing.assert_array_equal([r.z for r in rows], X + 3)
    np.testing.assert_array_equal([r.a for r in rows], np.arange(N))


@pytest.mark.parametrize(
    "program",
    [
        lambda x: {"z": tf.exp(x / 100.0), "whole": tf.cast(x, tf.int32), "up": x > 0.0},
        lambda v: {"z": v * 2.0, "w": tf.stack([v, v], axis=1)},
        lambda m: {"z": tf.linalg.matrix_transpose(m), "t": m[:, None]},
        lambda n, b: {"z": tf.where(b, n, -n), "u": tf.cast(n, tf.uint8), "no": ~b},
        lambda s: {"z": tf.strings.join([s, "\u00e9"]), "l": tf.strings.length(s)},
    ],
)
def test_blocks_of_every_type_and_rank_are_as_in_pandas(df: Any, program: Any) -> None:
    assert_same(tfs.map_blocks, program, df.drop("ragged"))


@pytest.mark.parametrize(
    "program",
    [
        lambda x, v: {"z": x + tf.cast(tf.reduce_max(v), tf.float64), "w": v[::-1]},
        lambda m: {"z": tf.linalg.trace(m), "t": m[0]},
        lambda s: {"z": tf.strings.upper(s), "c": tf.strings.bytes_split(s)[1:]},
        lambda ragged: {
            "k": tf.size(ragged),
            "d": ragged * 2,
            "t": tf.reduce_sum(tf.cast(ragged, tf.int64)),
        },
        lambda ragged, x: {"o": tf.concat([tf.cast(ragged, tf.float64), x[None]], 0)},
        lambda b: {"z": tf.cond(b, lambda: 1.0, lambda: 2.0)},
    ],
)
def test_rows_of_every_type_and_length_are_as_in_pandas(df: Any, program: Any) -> None:
    assert_same(tfs.map_rows, program, df)


def test_functions_and_graphs_give_the_same(df: Any) -> None:
    with tf.Graph().as_default():
        x = tfs.block(df, "x")
        scale = v1.get_variable("scale", initializer=np.float64(2.0))
        graph = tfs.map_blocks(tf.multiply(x, scale, name="z"), df)
    with tf.Graph().as_default():
        z = tf.multiply(tfs.row(df, "x", "r"), 2.0, name="z")
        rows = tfs.map_rows(z, df, {"r": "x"})
    function = tfs.map_blocks(lambda x: {"z": x * 2.0}, df)
    assert graph.schema == function.schema == rows.schema
    assert graph.collect() == function.collect() == rows.collect()


def test_feed_dict_binds_arguments_to_other_columns(df: Any) -> None:
    assert_same(tfs.map_blocks, lambda a, x: {"z": a - x}, df, feed_dict={"a": "x"})


def test_vectors_and_matrices_are_tensors(spark: Any) -> None:
    rows = [
        (Vectors.dense([1.0, 2.0]), Matrices.dense(2, 2, [1.0, 2.0, 3.0, 4.0])),
        (Vectors.sparse(2, {1: 5.0}), Matrices.dense(2, 2, [0.0, 0.0, 0.0, 1.0])),
    ]
    frame = spark.createDataFrame(rows, ["vec", "mat"]).coalesce(1)
    made = tfs.map_blocks(lambda vec, mat: {"z": tf.linalg.matvec(mat, vec)}, frame).collect()
    assert [r.z for r in made] == [[7.0, 10.0], [0.0, 5.0]]


def test_binary_is_a_string_of_bytes_and_decimals_are_doubles(spark: Any) -> None:
    frame = spark.sql(
        "SELECT unhex('ff00') AS raw, cast(1.5 AS decimal(3, 1)) AS d, tinyint(3) AS t"
    )
    made = tfs.map_rows(
        lambda raw, d, t: {"n": tf.strings.length(raw), "twice": d * 2.0, "same": t}, frame
    )
    assert made.dtypes[:3] == [("n", "int"), ("same", "tinyint"), ("twice", "double")]
    assert made.first()[:3] == (2, 3, 3.0)


def test_a_block_is_as_large_as_block_size_says(df: Any) -> None:
    def counted(size: Any) -> list[int]:
        made = tfs.map_blocks(lambda x: {"k": tf.size(x)[None]}, df, trim=True, blockSize=size)
        return [r.k for r in made.collect()]

    assert counted(None) == counted("auto") == [20, 20]
    assert counted(8) == [8, 8, 4, 8, 8, 4]


def test_blocks_that_are_whole_partitions_may_look_at_all_rows(df: Any) -> None:
    made = tfs.map_blocks(
        lambda x: {"centred": x - tf.reduce_mean(x)}, df.coalesce(1), blockSize=None
    )
    np.testing.assert_allclose([r.centred for r in made.collect()], X - X.mean())


def test_trimmed_results_may_have_any_number_of_rows(df: Any) -> None:
    one = df.drop("ragged").coalesce(1)
    made = assert_same(tfs.map_blocks, lambda x, s: {"a": x[:3], "b": s[-3:]}, one, trim=True)
    assert [tuple(r) for r in made] == [(-7.0, "w37"), (-6.0, "w38"), (-5.0, "w39")]
    once = tfs.map_blocks(lambda: {"i": tf.range(2)}, df, trim=True)
    assert [r.i for r in once.collect()] == [0, 1, 0, 1]


def test_a_keras_model_is_a_program(df: Any) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,), name="v"), keras.layers.Dense(2)])
    made = tfs.map_blocks(model, df)
    expected = model(np.array([r.v for r in df.collect()], np.float32)).numpy()
    np.testing.assert_allclose([r[0] for r in made.collect()], expected, rtol=1e-5)


def test_nulls_are_an_error_that_names_the_column_or_are_skipped(spark: Any) -> None:
    rows = [(1.0, ["a"]), (None, ["b"]), (3.0, [None])]
    frame = spark.createDataFrame(rows, "x double, w array<string>").coalesce(1)
    for operation in (tfs.map_blocks, tfs.map_rows):
        made = operation(lambda x, w: {"z": x * 2.0, "t": w}, frame)
        with pytest.raises(InvalidInputException, match="'x'.*null"):
            made.collect()
        skipped = operation(lambda x, w: {"z": x, "t": w}, frame, handleInvalid="skip")
        assert [tuple(r) for r in skipped.collect()] == [(["a"], 1.0, 1.0, ["a"])]


def test_what_the_schema_shows_to_be_wrong_is_refused_before_a_job(df: Any) -> None:
    refused = [
        (lambda x: {"x": x}, "has a column 'x' already"),
        (lambda q: {"z": q}, "no column 'q' for the argument 'q' of the function"),
        (lambda x: {"z": tf.reduce_sum(x)}, "output 'z' is a scalar"),
        (lambda x: {"z": tf.zeros([3])}, "need no placeholder"),
    ]
    for function, message in refused:
        with pytest.raises(SchemaMismatchException, match=message):
            tfs.map_blocks(function, df)
    with tf.Graph().as_default():
        wrong = tf.identity(v1.placeholder(tf.int32, [None], "x"), name="z")
        lost = tf.identity(v1.placeholder(tf.float64, [None], "q"), name="z")
        scalar = tf.identity(v1.placeholder(tf.float64, [], "x"), name="z")
        with pytest.raises(
            SchemaMismatchException, match="column 'x' to placeholder 'x': expected"
        ):
            tfs.map_blocks(wrong, df)
        with pytest.raises(SchemaMismatchException, match="no column 'q' for placeholder 'q"):
            tfs.map_blocks(lost, df)
        with pytest.raises(SchemaMismatchException, match="column 'x'"):
            tfs.map_blocks(scalar, df, {"x_1": "x"})


def test_another_number_of_rows_is_an_error_with_both_numbers(df: Any) -> None:
    made = tfs.map_blocks(lambda x: {"z": x[1:]}, df)
    with pytest.raises(SparkDLException, match="z.*20|20.*z"):
        made.collect()


def test_unequal_rows_cannot_be_one_block_of_a_whole_partition(df: Any) -> None:
    made = tfs.map_blocks(lambda ragged: {"z": ragged}, df, blockSize=None)
    with pytest.raises(SparkDLException, match="ragged"):
        made.collect()
    assert tfs.map_blocks(lambda ragged: {"z": ragged}, df).count() == N


def test_shapes_can_be_found_noted_and_printed(df: Any, capsys: pytest.CaptureFixture[str]) -> None:
    analyzed = tfs.analyze(df.select("x", "v", "ragged"))
    tfs.print_schema(analyzed)
    text = capsys.readouterr().out
    assert text.startswith("root\n |-- x: double (nullable = false) double[20]\n")
    assert "float[20,3]" in text
    assert "[20,?]" in text
    noted = tfs.append_shape(df, "v", [None, 3])
    with tf.Graph().as_default():
        assert tfs.block(noted, "v").shape.as_list() == [None, 3]
        assert tfs.row(noted, "v", "r").shape.as_list() == [3]
        assert tfs.block(df, "v", "u").shape.as_list() == [None, None]
    assert tfs.append_shape(df, "v", [0, -1]).schema["v"].metadata != {}
    made = tfs.map_blocks(lambda v: {"z": tf.reshape(v, [-1, v.shape[1] * 1])}, noted)
    assert made.first().z == [0.0, 1.0, -1.0]
    with pytest.raises(SchemaMismatchException, match="append_shape|Cannot give column 'v'"):
        tfs.append_shape(df, "v", [None])
    with pytest.raises(TypeError, match="Expected a shape as a list of sizes, such as"):
        tfs.append_shape(df, "v", 3)
    with pytest.raises(TypeError, match="has the size 'a'. Expected numbers, and None"):
        tfs.append_shape(df, "v", [None, "a"])


def test_an_empty_frame_gives_none(df: Any) -> None:
    made = tfs.map_blocks(lambda x: {"z": x[:, None]}, df.where("n < 0"))
    assert made.collect() == []
    assert made.dtypes[0] == ("z", "array<double>")


def test_nothing_runs_before_an_action_and_no_python_runs_in_the_executors(df: Any) -> None:
    made = tfs.map_rows(lambda x: {"z": tf.debugging.check_numerics(x / 0.0, "inf")}, df)
    plan = made._jdf.queryExecution().executedPlan().toString()
    assert "Python" not in plan
    assert "EvalModel" in plan
    with pytest.raises(SparkDLException, match="inf"):
        made.collect()


def test_maps_work_on_streams(spark: Any, df: Any, tmp_path: Path) -> None:
    df.select("x", "ragged").write.parquet(str(tmp_path / "in"))
    source = spark.readStream.schema("x double, ragged array<int>").parquet(str(tmp_path / "in"))
    made = tfs.map_rows(
        lambda z, ragged: {"n": z + tf.cast(tf.size(ragged), tf.float64)},
        tfs.map_blocks(lambda x: {"z": x + 1.0}, source),
    )
    query = made.writeStream.format("memory").queryName("tensorframes")
    query.trigger(availableNow=True).start().awaitTermination()
    expected = [x + 1 + i % 4 for i, x in enumerate(X)]
    assert sorted(r.n for r in spark.table("tensorframes").collect()) == sorted(expected)


def test_threads_trace_and_run_at_once(df: Any) -> None:
    def summed(factor: int) -> float:
        made = tfs.map_blocks(lambda x: {"z": x * tf.constant(factor, tf.float64)}, df)
        return float(made.selectExpr("sum(z)").first()[0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(summed, range(16))) == [X.sum() * f for f in range(16)]


def test_options_have_the_names_and_defaults_of_scala(spark: Any) -> None:
    options = spark._jvm.org.sparkdl.tensorframes.BlockOptions.defaults()
    operations = (tfs.map_blocks, tfs.map_rows, tfs.reduce_blocks, tfs.reduce_rows, tfs.aggregate)
    for operation in operations:
        parameters = inspect.signature(operation).parameters
        assert parameters["handleInvalid"].default == options.handleInvalid()
        if "blockSize" in parameters:
            assert parameters["blockSize"].default == "auto"
    assert options.blockSize().isEmpty(), "as many rows as fit the memory of a block"
    scala = set(dir(spark._jvm.org.sparkdl.tensorframes.TensorFrames))
    assert {"mapBlocks", "mapRows", "reduceBlocks", "reduceRows", "aggregate"} <= scala
    assert {"analyze", "appendShape"} <= scala
