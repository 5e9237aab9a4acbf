"""Models whose batch is fixed: copies of a good row fill up the last batch of a partition."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import sparkdl
from sparkdl import KerasTransformer

ROWS = np.arange(66).reshape(11, 6).astype("float32")


@pytest.fixture(scope="module")
def embedding() -> Any:
    """Return a model of 8 rows that refuses whatever is no index of its 100 words."""
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Embedding(100, 4), keras.layers.GlobalAveragePooling1D()]
    return keras.Sequential([keras.Input(batch_shape=(8, 6)), *layers, keras.layers.Dense(2)])


@pytest.fixture(scope="module")
def expected(embedding: Any) -> Any:
    filled = np.concatenate([ROWS, ROWS[:5]])
    return embedding.predict(filled, batch_size=8, verbose=0)[: len(ROWS)]


def spoil(spark: Any) -> None:
    """Leave large numbers in native memory."""
    model = sparkdl.load_model(_doubled())
    noise = spark.range(4000).selectExpr("array_repeat(cast(id * 1e9 AS float), 6) AS a")
    assert noise.select(model("a").alias("b")).selectExpr("count(b)").head()[0] == 4000


def _doubled() -> str:
    from sparkdl._bundles.bundle_store import stored_bundle

    return stored_bundle(lambda x: x * 2.0, inputs={"x": ("float32", [None, 6])}, name="doubled")


@pytest.mark.parametrize("partitions", [1, 3])
def test_functions_and_stages_fill_up(
    spark: Any, embedding: Any, expected: Any, partitions: int
) -> None:
    spoil(spark)
    frame = spark.createDataFrame(
        [(i, r.tolist()) for i, r in enumerate(ROWS)], "id int, a array<float>"
    ).repartition(partitions)
    sparkdl.registerKerasUDF("embedded", embedding)
    got = [r.p for r in frame.selectExpr("id", "embedded(a) AS p").orderBy("id").collect()]
    assert np.allclose(got, expected, atol=1e-5)
    stage = KerasTransformer(inputCol="a", outputCol="p", model=embedding)
    got = [r.p for r in stage.transform(frame).orderBy("id").collect()]
    assert np.allclose(got, expected, atol=1e-5)


def test_a_bad_row_is_found_and_the_others_are_right(
    spark: Any, embedding: Any, expected: Any
) -> None:
    rows = ROWS.copy()
    rows[2] = 1000
    frame = spark.createDataFrame(
        [(i, r.tolist()) for i, r in enumerate(rows)], "id int, a array<float>"
    ).coalesce(1)
    stage = KerasTransformer(
        inputCol="a", outputCol="p", model=embedding, handleInvalid="keep", errorCol="why"
    )
    out = stage.transform(frame).orderBy("id").collect()
    assert [r.id for r in out if r.p is None] == [2]
    assert "1000 is not in [0, 100)" in out[2].why
    good = [r.id for r in out if r.p is not None]
    assert np.allclose([out[i].p for i in good], expected[good], atol=1e-5)


def test_an_output_of_one_row_is_refused_with_a_remedy_that_works(spark: Any) -> None:
    from sparkdl._bundles.bundle_store import stored_bundle
    from sparkdl.errors import SchemaMismatchException

    bundle = stored_bundle(
        lambda x: tf.reduce_sum(x, axis=0, keepdims=True), inputs={"x": ("float32", [None, 2])}
    )
    frame = spark.createDataFrame([([1.0, 2.0],), ([3.0, 4.0],)], "x array<float>").coalesce(1)
    model = sparkdl.load_model(bundle)
    with pytest.raises(SchemaMismatchException, match=r"with_batch_size\(1\)"):
        model("x")
    got = [r.y for r in frame.select(model.with_batch_size(1)("x").alias("y")).collect()]
    assert got == [[1.0, 2.0], [3.0, 4.0]]
