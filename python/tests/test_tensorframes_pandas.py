"""The map operations on frames of pandas, which TensorFlow computes in this process."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import sparkdl.tensorframes as tfs
from sparkdl.errors import InvalidInputException, ModelExecutionException, SchemaMismatchException


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": np.arange(6.0),
            "v": [[1.0, float(i)] for i in range(6)],
            "ragged": [np.arange(i + 1) for i in range(6)],
            "s": list("abcdef"),
        },
        index=list("uvwxyz"),
    )


def test_results_come_first_sorted_by_name_and_the_frame_is_not_changed() -> None:
    df = frame()
    before = df.copy(deep=True)
    made = tfs.map_blocks(lambda x, v: {"z": x + 3.0, "a": v * 2.0}, df)
    assert list(made.columns) == ["a", "z", "x", "v", "ragged", "s"]
    assert list(made.index) == list("uvwxyz")
    np.testing.assert_array_equal(made["z"], np.arange(6.0) + 3)
    np.testing.assert_array_equal(made["a"]["w"], [2.0, 4.0])
    pd.testing.assert_frame_equal(df, before)


def test_trimmed_results_may_have_any_number_of_rows() -> None:
    made = tfs.map_blocks(
        lambda x: {"m": tf.reduce_sum(x, keepdims=True)}, frame(), trim=True, blockSize=4
    )
    assert list(made.columns) == ["m"]
    assert list(made["m"]) == [6.0, 9.0]
    once = tfs.map_blocks(lambda: {"m": tf.range(3)}, frame(), trim=True)
    assert list(once["m"]) == [0, 1, 2]


def test_another_number_of_rows_than_the_block_is_an_error() -> None:
    with pytest.raises(
        ModelExecutionException, match="must return 6 rows .* returned 'm' 1.*trim=True"
    ):
        tfs.map_blocks(lambda x: {"m": tf.reduce_sum(x, keepdims=True)}, frame())
    with pytest.raises(ModelExecutionException, match="returned 'm' a scalar"):
        tfs.map_blocks(lambda x: {"m": tf.reduce_sum(x)}, frame())
    with pytest.raises(ModelExecutionException, match="as many rows in all results.*'a' 1, 'b' 6"):
        tfs.map_blocks(lambda x: {"a": x[:1], "b": x}, frame(), trim=True)


def test_a_program_for_blocks_that_takes_no_column_needs_trim() -> None:
    with pytest.raises(SchemaMismatchException, match="need no column.*with trim=True"):
        tfs.map_blocks(lambda: {"z": tf.ones([6])}, frame())
    made = tfs.map_rows(lambda: {"z": tf.constant(7)}, frame())
    assert list(made["z"]) == [7] * 6


def test_rows_are_run_one_by_one() -> None:
    made = tfs.map_rows(
        lambda ragged, s: {"n": tf.size(ragged), "t": tf.strings.join([s, "!"]), "r": ragged * 2},
        frame(),
    )
    assert list(made["n"]) == [1, 2, 3, 4, 5, 6]
    assert made["n"].dtype == np.int32
    assert list(made["t"]) == ["a!", "b!", "c!", "d!", "e!", "f!"]
    np.testing.assert_array_equal(made["r"].iloc[2], [0, 2, 4])


def test_rows_of_another_shape_open_the_next_block_unless_all_must_be_one() -> None:
    df = pd.DataFrame({"v": [[1.0], [2.0], [1.0, 2.0], [3.0]]})
    made = tfs.map_blocks(lambda v: {"n": tf.fill([tf.shape(v)[0]], tf.shape(v)[0])}, df)
    assert list(made["n"]) == [2, 2, 1, 1]
    with pytest.raises(InvalidInputException, match="Rows 0 and 2 have values of different shapes"):
        tfs.map_blocks(lambda v: {"n": v}, df, blockSize=None)


@pytest.mark.parametrize(
    ("values", "dtype", "cell"),
    [
        (np.arange(3, dtype=np.int16), tf.int16, []),
        (np.array([True, False, True]), tf.bool, []),
        (["a", b"b", "\u00e9"], tf.string, []),
        ([[1, 2], [3, 4], [5, 6]], tf.int64, [2]),
        ([np.zeros((2, 3), np.float32)] * 3, tf.float32, [2, 3]),
        ([np.zeros((1, 2, 3))] * 3, tf.float64, [1, 2, 3]),
        ([["a"], ["b", "c"], []], tf.string, [None]),
        ([[], [1, 2], [1.5]], tf.float64, [None]),
        ([Decimal("1.5")] * 3, tf.float64, []),
        (pd.array([1, 2, 3], dtype="Int64"), tf.int64, []),
    ],
)
def test_columns_are_tensors_of_their_type_and_shape(values: Any, dtype: Any, cell: Any) -> None:
    df = pd.DataFrame({"c": values})
    with tf.Graph().as_default():
        assert tfs.block(df, "c").shape.as_list() == [None, *cell]
        placeholder = tfs.row(df, "c", "other")
    assert (placeholder.dtype, placeholder.shape.as_list()) == (dtype, cell)
    assert placeholder.name == "other:0"
    made = tfs.map_rows(lambda c: {"same": tf.identity(c)}, df)
    assert len(made) == 3


def test_vectors_of_mllib_are_arrays() -> None:
    from pyspark.ml.linalg import Vectors

    df = pd.DataFrame({"v": [Vectors.dense([1.0, 2.0]), Vectors.sparse(2, {1: 5.0})]})
    assert list(tfs.map_blocks(lambda v: {"s": tf.reduce_sum(v, 1)}, df)["s"]) == [3.0, 5.0]


def test_nulls_are_an_error_or_skipped() -> None:
    df = pd.DataFrame({"s": ["a", None, "c"], "v": [[1.0], [2.0], [None]]}, index=[7, 8, 9])
    with pytest.raises(InvalidInputException, match="column 's' to 's': row 1 is null.*'skip'"):
        tfs.map_rows(lambda s: {"t": s}, df)
    made = tfs.map_blocks(lambda s, v: {"t": s, "w": v}, df, handleInvalid="skip")
    assert list(made.index) == [7]
    assert len(tfs.map_rows(lambda s: {"t": s}, df, handleInvalid="skip")) == 2


def test_an_empty_frame_gives_empty_columns_of_the_right_type() -> None:
    df = frame().iloc[:0][["x"]]
    made = tfs.map_blocks(lambda x: {"z": tf.cast(x, tf.int32), "w": x[:, None]}, df)
    assert made.shape == (0, 3)
    assert [str(t) for t in made.dtypes] == ["object", "int32", "float64"]


def test_types_that_spark_does_not_have_become_those_that_it_has() -> None:
    made = tfs.map_blocks(
        lambda x: {n: tf.cast(x, n) for n in ("uint8", "uint32", "float16", "bfloat16")}, frame()
    )
    assert [str(made[n].dtype) for n in ("uint8", "uint32", "float16", "bfloat16")] == [
        "int32",
        "int64",
        "float32",
        "float32",
    ]


def test_columns_that_do_not_fit_are_refused() -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default():
        wrong = tf.identity(v1.placeholder(tf.int32, [None], "x"), "z")
        narrow = tf.identity(v1.placeholder(tf.float64, [None, 3], "v"), "w")
        absent = tf.identity(v1.placeholder(tf.float64, [None], "q"), "u")
        pixels = tf.identity(v1.placeholder(tf.uint8, [None], "n"), "p")
        single = tf.identity(v1.placeholder(tf.float32, [None], "f"), "g")
    with pytest.raises(SchemaMismatchException, match="'x' to 'x': expected int32, got float64"):
        tfs.map_blocks(wrong, frame())
    with pytest.raises(
        SchemaMismatchException, match=r"expected float64 \(None, 3\), got .*\(6, 2"
    ):
        tfs.map_blocks(narrow, frame())
    with pytest.raises(SchemaMismatchException, match="no column 'q' for the placeholder 'q'"):
        tfs.map_blocks(absent, frame())
    with pytest.raises(InvalidInputException, match="uint8 has the values 0 to 255, got 1 to 300"):
        tfs.map_blocks(pixels, pd.DataFrame({"n": [1, 300]}))
    assert tfs.map_blocks(single, frame(), feed_dict={"f": "x"})["g"].dtype == np.float32


def test_a_result_cannot_have_the_name_of_a_column() -> None:
    with pytest.raises(SchemaMismatchException, match="has a column 'x' already"):
        tfs.map_blocks(lambda x: {"x": x}, frame())
    assert tfs.map_blocks(lambda x: {"x": x + 1}, frame(), trim=True)["x"].iloc[0] == 1.0


def test_values_that_are_not_rectangular_are_refused() -> None:
    with pytest.raises(InvalidInputException, match="Column 'v' is not rectangular in row 0"):
        tfs.map_rows(lambda v: {"z": v}, pd.DataFrame({"v": [[[1.0], [1.0, 2.0]]]}))
    with pytest.raises(InvalidInputException, match="have 0, 1 dimensions"):
        tfs.map_rows(lambda v: {"z": v}, pd.DataFrame({"v": [1.0, [1.0]]}, dtype=object))


def test_what_tensorflow_refuses_keeps_its_reason() -> None:
    with pytest.raises(
        ModelExecutionException,
        match="(?s)TensorFlow failed while it ran the program.*99 is not in",
    ):
        tfs.map_blocks(lambda x: {"z": tf.gather(x, [99])}, frame(), trim=True)
