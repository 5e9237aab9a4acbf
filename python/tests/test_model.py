"""`load_model`: a model as a column, as a SQL function and appended to a DataFrame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stage_bundles import model_dir, png

import sparkdl
from sparkdl.errors import (
    InvalidModelException,
    ModelNotFoundException,
    SchemaMismatchException,
    SparkDLException,
)
from sparkdl.udf.model import TensorSpec


@pytest.fixture(scope="module")
def sums(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Bundle with two inputs, x float32 [?, 3] and y float32 [?], and two outputs."""

    def both(x: Any, y: Any) -> dict[str, Any]:
        import tensorflow as tf

        total = tf.reduce_sum(x, 1)
        return {"sum": total + y, "scaled": x * y[:, None]}

    path = tmp_path_factory.mktemp("models") / "sums"
    inputs = {"x": ("float32", [None, 3]), "y": ("float32", [None])}
    return sparkdl.save_bundle(both, path, inputs=inputs)


@pytest.fixture
def numbers(spark: Any) -> Any:
    rows = [(i, [float(i), 2.0, 3.0], float(-i)) for i in range(10)]
    return spark.createDataFrame(rows, "id int, a array<float>, b float")


def test_says_what_it_is(sums: str) -> None:
    model = sparkdl.load_model(sums)
    assert model.name == "sums"
    assert len(model.hash) == 64
    assert model.inputs == [
        TensorSpec("x", "float32", (None, 3)),
        TensorSpec("y", "float32", (None,)),
    ]
    assert {o.name for o in model.outputs} == {"sum", "scaled"}
    assert "x: float32 [?, 3]" in model.describe()
    assert str(model.inputs[0]) == "x: float32 [?, 3]"
    assert repr(model) == model.describe()


def test_is_a_column(sums: str, numbers: Any) -> None:
    from pyspark.sql.functions import col

    model = sparkdl.load_model(sums).with_batch_size(4)
    rows = numbers.select("id", model("a", col("b")).alias("o")).select("id", "o.*").collect()
    for row in rows:
        assert row["sum"] == 5.0
        np.testing.assert_array_equal(row.scaled, -row.id * np.array([row.id, 2, 3], "float32"))
    only = numbers.select(model.select("sum")("a", "b").alias("s"))
    assert only.dtypes == [("s", "float")]


def test_is_a_sql_function(sums: str, numbers: Any, spark: Any) -> None:
    sparkdl.load_model(sums).select("sum").register("total")
    numbers.createOrReplaceTempView("numbers")
    found = spark.sql("SELECT id FROM numbers WHERE total(a, b) > 4 AND total(a, b) < 6")
    assert found.count() == 10
    plan = found._jdf.queryExecution().executedPlan().toString()
    assert plan.count("EvalModel") == 1


def test_images_in_sql_are_decoded_from_the_content_of_files(spark: Any, tmp_path: Path) -> None:
    for i, colour in enumerate([(255, 0, 0), (0, 0, 255)]):
        (tmp_path / f"{i}.png").write_bytes(png(*colour))
    model = sparkdl.load_model(f"{model_dir()}/MobileNetV2-imagenet")
    model.select("features_avg").register("colours")
    spark.read.format("binaryFile").load(str(tmp_path)).createOrReplaceTempView("files")
    rows = spark.sql("SELECT path, colours(content) c FROM files ORDER BY path").collect()
    assert [list(r.c) for r in rows] == [[255.0, 0.0, 0.0], [0.0, 0.0, 255.0]]


def test_appends_columns_and_keeps_the_reasons(sums: str, spark: Any) -> None:
    rows = [(0, [1.0, 2.0, 3.0], 1.0), (1, [1.0], 1.0), (2, None, 1.0), (3, [0.0, 0.0, 1.0], 0.0)]
    frame = spark.createDataFrame(rows, "id int, a array<float>, b float").coalesce(1)
    model = sparkdl.load_model(sums).select("sum").with_handle_invalid("keep")
    found = model.append_to(frame, ["a", "b"], "s", error_col="why").collect()
    assert [r.s for r in found] == [7.0, None, None, 1.0]
    assert "expected 3 elements" in found[1].why
    assert found[0].why is None
    skipped = model.with_handle_invalid("skip").append_to(frame, ["a", "b"], "s")
    assert [r.id for r in skipped.collect()] == [0, 3]


def test_errors_are_typed(sums: str, numbers: Any, tmp_path: Path) -> None:
    model = sparkdl.load_model(sums)
    with pytest.raises(ModelNotFoundException, match="There is no model at '/no/such'"):
        sparkdl.load_model("/no/such")
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(InvalidModelException, match="model.json cannot be read"):
        sparkdl.load_model(tmp_path)
    with pytest.raises(SchemaMismatchException, match="has no output 'nope'"):
        model.select("nope")
    with pytest.raises(SchemaMismatchException, match="expected float32"):
        numbers.select(model("b", "b"))
    with pytest.raises(SchemaMismatchException, match="has a column 'id' already"):
        model.select("sum").append_to(numbers, ["a", "b"], "id")
    with pytest.raises(SparkDLException, match="batchSize must be at least 1"):
        model.with_batch_size(0)


def test_a_copy_can_be_saved(sums: str, numbers: Any, tmp_path: Path) -> None:
    model = sparkdl.load_model(sums)
    model.save(tmp_path / "again")
    assert sparkdl.load_model(tmp_path / "again").hash == model.hash


def test_a_saved_model_of_others(spark: Any, shared_data: Path) -> None:
    (folder,) = (shared_data / "interop").glob("saved_model_half_plus_two_tf2_cpu/*/")
    model = sparkdl.load_model(folder)
    frame = spark.createDataFrame([(2.0,), (4.0,)], "x float")
    found = [r[0] for r in frame.select(model("x").alias("y")).collect()]
    assert found == [3.0, 4.0]
    with pytest.raises(InvalidModelException, match="it has no signature 'nope'; it has:"):
        sparkdl.load_model(folder, signature="nope")
