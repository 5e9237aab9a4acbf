"""`tf_dataset`: every row once per epoch, in a documented order, as the tensors that are said."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import keras
import numpy as np
import pyspark
import pytest
import tensorflow as tf
from image_rows import as_png, picture, structs

import sparkdl
from sparkdl.errors import InvalidInputException, SchemaMismatchException, SparkDLException


@pytest.fixture(scope="module")
def numbers(spark: Any) -> Any:
    """100 rows in 4 partitions: id, x (their double), kind (sorted), v (a vector)."""
    return spark.range(0, 100, 1, 4).selectExpr(
        "id",
        "CAST(id * 2 AS double) AS x",
        "CAST(id DIV 50 AS int) AS kind",
        "array(CAST(id AS double), -1.5D) AS pair",
        "CAST(id AS string) AS word",
    )


def ids(dataset: Any) -> list[list[int]]:
    """The batches of a dataset of one column."""
    return [batch.numpy().tolist() for batch in dataset]


def test_without_shuffling_the_rows_come_in_order_in_batches_across_partitions(numbers: Any):
    batches = ids(sparkdl.tf_dataset(numbers, "id", 30))
    assert [len(b) for b in batches] == [30, 30, 30, 10]
    assert [i for b in batches for i in b] == list(range(100))


def test_no_setting_of_the_session_is_changed_for_a_moment(
    numbers: Any, spark: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(type(spark.conf), "set", lambda *a: pytest.fail(f"{a[1:]} is set"))
    assert len(ids(sparkdl.tf_dataset(numbers, "id", 50))) == 2


def test_the_elements_have_the_structure_and_the_types_of_the_columns(numbers: Any):
    data = sparkdl.tf_dataset(numbers, ({"p": "pair", "w": "word"}, ["x", "kind"]), 64)
    inputs, (x, kind) = data.element_spec
    assert inputs == {
        "p": tf.TensorSpec([None, 2], tf.float32),
        "w": tf.TensorSpec([None], tf.string),
    }
    assert (x.dtype, kind.dtype) == (tf.float32, tf.int32)
    first, (x, _) = next(iter(data))
    assert first["w"].numpy()[63] == b"63"
    np.testing.assert_array_equal(first["p"].numpy()[:, 0] * 2, x.numpy())
    assert set(first["p"].numpy()[:, 1]) == {-1.5}


def test_shuffled_epochs_have_every_row_once_each_in_another_order_that_the_seed_decides(
    numbers: Any,
):
    def orders(seed: int) -> list[list[int]]:
        data = sparkdl.tf_dataset(numbers, ("id", "kind"), 25, shuffle=True, seed=seed, epochs=2)
        rows = [i for ids, _ in data for i in ids.numpy().tolist()]
        return [rows[:100], rows[100:]]

    first, second = orders(7)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second
    assert orders(7) == [first, second]
    assert orders(8)[0] != first
    # Sorted classes are mixed: no batch has one of them alone.
    assert all(5 < sum(i < 50 for i in first[s : s + 25]) < 20 for s in range(0, 100, 25))


def test_an_epoch_more_is_another_iteration_and_no_batch_has_rows_of_two(numbers: Any):
    data = sparkdl.tf_dataset(numbers, "id", 64, shuffle=True)
    one, two = ids(data), ids(data)
    assert [len(b) for b in one] == [len(b) for b in two] == [64, 36]
    assert one != two
    at_once = ids(sparkdl.tf_dataset(numbers, "id", 64, shuffle=True, epochs=2))
    assert at_once == one + two


def wait_for_no_job(spark: Any) -> None:
    """Wait until what was cancelled has ended, which takes a moment."""
    deadline = time.monotonic() + 20
    tracker = spark.sparkContext.statusTracker()

    def busy() -> bool:
        threads = [t for t in threading.enumerate() if t.name.startswith("sparkdl-tf_dataset")]
        return bool(threads or tracker.getActiveStageIds())

    while busy() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not busy()


def test_endless_epochs_can_be_left_and_leave_no_job_behind(numbers: Any, spark: Any):
    data = sparkdl.tf_dataset(numbers, "id", 64, epochs=None, drop_remainder=True)
    assert data.element_spec.shape == (64,)
    assert ids(data.take(5))[4] == list(range(64))
    wait_for_no_job(spark)


@pytest.mark.filterwarnings("error:Your input ran out of data")
def test_keras_learns_the_same_from_the_dataset_as_from_arrays(numbers: Any):
    def trained(*data: Any, **how: Any) -> Any:
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1e-5), "mse")
        model.fit(*data, epochs=2, verbose=0, shuffle=False, **how)
        return model.get_weights()[0]

    rows = np.arange(100, dtype="float32")
    pairs = np.stack([rows, np.full(100, -1.5, "float32")], 1)
    expected = trained(pairs, 2 * rows, batch_size=32)
    data = sparkdl.tf_dataset(numbers, ("pair", "x"), 32, rows=100)
    assert data.cardinality() == 4
    found = trained(data)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_images_arrive_as_rgb_bytes_whether_structs_or_encoded(spark: Any):
    pixels = [picture(6, 5, seed=i) for i in range(5)]
    frame = structs(spark, *pixels)
    (found,) = list(sparkdl.tf_dataset(frame, "image", 8))
    assert found.dtype == tf.uint8
    np.testing.assert_array_equal(found.numpy(), np.stack(pixels))
    rows = [(bytearray(as_png(p)),) for p in pixels]
    encoded = spark.createDataFrame(rows, "file binary")
    sized = sparkdl.tf_dataset(encoded, "file", 8, image_size=(6, 5), shuffle=True, cache=True)
    assert sized.element_spec == tf.TensorSpec([None, 6, 5, 3], tf.uint8)
    for _ in range(2):
        (found,) = list(sized)
        assert {p.tobytes() for p in found.numpy()} == {p.tobytes() for p in pixels}
    smaller = next(iter(sparkdl.tf_dataset(frame, "image", 8, image_size=(3, 5))))
    assert smaller.shape == (5, 3, 5, 3)


def test_bytes_without_a_size_stay_bytes(spark: Any):
    frame = spark.createDataFrame([(bytearray(b"abc"),)], "b binary")
    assert next(iter(sparkdl.tf_dataset(frame, "b"))).numpy().tolist() == [b"abc"]


def test_rows_that_cannot_be_used_are_an_error_or_are_skipped_with_a_warning(spark: Any):
    good = bytearray(as_png(picture(4, 4)))
    rows = [(0, good), (1, bytearray(b"no image")), (2, None), (None, good), (4, good)]
    frame = spark.createDataFrame(rows, "id int, file binary").coalesce(1)
    given = {"columns": ("id", "file"), "image_size": (4, 4)}
    with pytest.raises(tf.errors.OpError, match="the image in column 'file'.*handle_invalid"):
        list(sparkdl.tf_dataset(frame, **given))
    skipping = sparkdl.tf_dataset(frame, **given, handle_invalid="skip")
    with pytest.warns(UserWarning, match="3 of 5 rows were skipped. First: the image"):
        ((found, _),) = list(skipping)
    assert found.numpy().tolist() == [0, 4]
    with pytest.raises(InvalidInputException, match="column 'id' is null.*handle_invalid"):
        sparkdl.tf_dataset(frame.where("id IS NULL"), "id")
    with pytest.raises(InvalidInputException, match="no row that can be used"):
        sparkdl.tf_dataset(frame.where("id IS NULL"), "id", handle_invalid="skip")


def test_a_null_within_an_array_is_named(spark: Any):
    frame = spark.createDataFrame([([1.0, None],)], "a array<float>")
    with pytest.raises(InvalidInputException, match="column 'a' is null, or has a null in its"):
        sparkdl.tf_dataset(frame, "a")


def test_rows_of_several_shapes_are_an_error(spark: Any):
    arrays = spark.createDataFrame([([1.0],), ([1.0, 2.0],)], "a array<float>").coalesce(1)
    with pytest.raises(
        tf.errors.OpError, match=r"column 'a' must have the same shape, got \[1\] and"
    ):
        list(sparkdl.tf_dataset(arrays, "a"))
    images = structs(spark, picture(4, 4), picture(5, 4))
    with pytest.raises(tf.errors.OpError, match=r"\[4, 4, 3\] and \[5, 4, 3\]: set image_size"):
        list(sparkdl.tf_dataset(images, "image"))


def test_what_cannot_become_a_tensor_is_refused_at_once(numbers: Any, spark: Any):
    with pytest.raises(SchemaMismatchException, match="no column 'y'. The DataFrame has: id, x"):
        sparkdl.tf_dataset(numbers, "y")
    dates = numbers.selectExpr("current_date() AS day")
    with pytest.raises(SchemaMismatchException, match="'day' cannot become a tensor.*got date"):
        sparkdl.tf_dataset(dates, "day")
    with pytest.raises(InvalidInputException, match="The DataFrame has no row"):
        sparkdl.tf_dataset(numbers.where("id < 0"), "id")
    with pytest.raises(SparkDLException, match="columns= must be the name of a column"):
        sparkdl.tf_dataset(numbers, ("id", 3))
    with pytest.raises(SparkDLException, match="batch_size must be at least 1, got 0"):
        sparkdl.tf_dataset(numbers, "id", 0)
    with pytest.raises(SparkDLException, match="handle_invalid must be"):
        sparkdl.tf_dataset(numbers, "id", handle_invalid="keep")
    with pytest.raises(SparkDLException, match=r"image_size must be \(height, width\)"):
        sparkdl.tf_dataset(numbers, "id", image_size=[224])


def test_an_epoch_without_a_batch_is_an_error_and_not_a_wait_for_ever(numbers: Any):
    few = {"batch_size": 101, "epochs": None, "drop_remainder": True}
    with pytest.raises(tf.errors.OpError, match="no batch: 100 row.*batch_size is 101 with drop_"):
        list(sparkdl.tf_dataset(numbers, "id", **few))


@pytest.mark.parametrize("sizes", [[5, 0, 12, 1, 1, 2], [10, 10], [3], [4, 1], [0, 7, 13]])
@pytest.mark.parametrize("drop_remainder", [False, True])
def test_batches_are_cut_across_partitions_of_any_size(sizes: list[int], drop_remainder: bool):
    from sparkdl.data._feed import Batching, _cut_batches

    ends = np.cumsum(sizes)
    partitions = [
        [np.arange(end - n, end), np.arange(end - n, end) * 2] if n else []
        for n, end in zip(sizes, ends, strict=True)
    ]
    batching = Batching(5, drop_remainder, 1, ahead=1, timeout=1.0, skip=False)
    found = [(a.tolist(), b.tolist()) for a, b in _cut_batches(partitions, batching)]
    rows = list(range(sum(sizes)))
    expected = [rows[i : i + 5] for i in range(0, len(rows), 5)]
    expected = [b for b in expected if len(b) == 5 or not drop_remainder]
    assert found == [(b, [2 * i for i in b]) for b in expected]


def test_a_loop_that_is_left_lets_go_of_cached_rows_when_the_dataset_is_gone(
    numbers: Any, spark: Any
):
    def kept() -> int:
        return int(spark.sparkContext._jsc.sc().getPersistentRDDs().size())

    before = kept()
    data = sparkdl.tf_dataset(numbers, "id", 10, epochs=None, shuffle=True, cache=True)
    for _ in data:
        assert kept() == before + 1
        break
    del data
    gc.collect()
    assert kept() == before
    wait_for_no_job(spark)


@pytest.mark.skipif(pyspark.__version__ < "4", reason="the Python of Spark 3 reads none")
def test_images_arrive_also_as_large_types_of_arrow(spark: Any):
    key, pixels = "spark.sql.execution.arrow.useLargeVarTypes", picture(4, 5)
    spark.conf.set(key, "true")
    try:
        (found,) = list(sparkdl.tf_dataset(structs(spark, pixels, pixels), "image"))
    finally:
        spark.conf.unset(key)
    np.testing.assert_array_equal(found.numpy(), [pixels, pixels])


def test_a_partition_that_does_not_come_in_time_ends_the_wait(spark: Any):
    slow = spark.range(0, 2, 1, 2).selectExpr(
        "IF(id = 0, 0, aggregate(sequence(0, 3000000), 0L, (a, b) -> a + b % 7)) AS x"
    )
    data = sparkdl.tf_dataset(slow, "x", 1, timeout=0.05)
    with pytest.raises(tf.errors.OpError, match="did not arrive within 0.05 seconds.*repartition"):
        list(data)
    wait_for_no_job(spark)
