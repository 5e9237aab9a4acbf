"""A model below each of the nodes that run Python in a plan, against arithmetic in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import functions as F

import sparkdl

LIST = Path(__file__).resolve().parents[2] / "src" / "test" / "resources" / "logical_nodes.json"
SCHEMA = "g long, y float"


def frames(batches: Iterator[Any]) -> Iterator[Any]:
    yield from batches


def one(frame: Any) -> Any:
    return frame


def first(left: Any, right: Any) -> Any:
    return left


def summed(key: Any, batches: Iterator[pd.DataFrame], state: Any) -> Iterator[pd.DataFrame]:
    total = sum(float(batch.y.sum()) for batch in batches) + (state.get[0] if state.exists else 0)
    state.update((total,))
    yield pd.DataFrame({"g": [key[0]], "y": [total]})


def one_by_one(y: float) -> float:
    return y + 1


def in_batches(y: pd.Series) -> pd.Series:
    return y + 1


class Twice:
    def eval(self, y: float) -> Iterator[tuple[float]]:
        yield (y,)
        yield (y,)


def with_table_function(frame: Any, arrow: bool) -> Any:
    function = F.udtf(Twice, returnType="z float", useArrow=arrow)
    frame.sparkSession.udtf.register("twice_each", function)
    frame.createOrReplaceTempView("of_python")
    return frame.sparkSession.sql("SELECT g, z FROM of_python, LATERAL twice_each(y)")


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "BatchEvalPython": lambda d: d.select("g", F.udf(one_by_one, "float")("y") + 1),
    "ArrowEvalPython": lambda d: d.select("g", F.pandas_udf(in_batches, "float")("y") + 1),
    "BatchEvalPythonUDTF": lambda d: with_table_function(d, False),
    "ArrowEvalPythonUDTF": lambda d: with_table_function(d, True),
    "MapInPandas": lambda d: d.mapInPandas(frames, SCHEMA),
    "MapInArrow": lambda d: d.mapInArrow(frames, SCHEMA),
    "FlatMapGroupsInPandas": lambda d: d.groupBy("g").applyInPandas(one, SCHEMA),
    "FlatMapGroupsInArrow": lambda d: d.groupBy("g").applyInArrow(one, SCHEMA),
    "FlatMapCoGroupsInPandas": lambda d: (
        d.groupBy("g").cogroup(d.groupBy("g")).applyInPandas(first, SCHEMA)
    ),
    "FlatMapCoGroupsInArrow": lambda d: (
        d.groupBy("g").cogroup(d.groupBy("g")).applyInArrow(first, SCHEMA)
    ),
}
STREAMS: dict[str, Callable[[Any], Any]] = {
    "FlatMapGroupsInPandasWithState": lambda d: d.groupBy("g").applyInPandasWithState(
        summed, SCHEMA, "total float", "update", "NoTimeout"
    ),
}


@pytest.fixture(scope="module")
def model(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    bundle = tmp_path_factory.mktemp("models") / "doubled"
    return sparkdl.load_model(
        sparkdl.save_bundle(lambda x: x * 2, bundle, inputs={"x": ("float32", [None])})
    )


@pytest.fixture(scope="module")
def rows(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """20 rows of g and x in a file."""
    folder = str(tmp_path_factory.mktemp("rows") / "rows")
    made = spark.range(0, 20, 1, 1).selectExpr("id % 3 AS g", "cast(id AS float) AS x")
    made.write.parquet(folder)
    return folder


def scored(frame: Any, model: Any) -> Any:
    return frame.select("g", model("x").alias("y"))


def computed(frame: Any) -> Any:
    return frame.selectExpr("g", "cast(2 * x AS float) AS y")


def bag(frame: Any) -> list[str]:
    return sorted(str(tuple(row)) for row in frame.collect())


@pytest.mark.parametrize("node", PROGRAMS)
def test_python_gets_the_results_of_a_model(spark: Any, model: Any, rows: str, node: str) -> None:
    read = spark.read.parquet(rows)
    found = PROGRAMS[node](scored(read, model))
    assert bag(found) == bag(PROGRAMS[node](computed(read)))
    plan = found._jdf.queryExecution().optimizedPlan().toString()
    assert re.search(rf"\b{node}\b.*\bEvalModel\b", plan, re.DOTALL), plan


@pytest.mark.parametrize("node", STREAMS)
def test_python_gets_the_results_of_a_model_in_a_stream(
    spark: Any, model: Any, rows: str, node: str
) -> None:
    def run(made: Any, name: str) -> tuple[list[str], str]:
        query = STREAMS[node](made).writeStream.format("memory").outputMode("update")
        started = query.queryName(name).trigger(availableNow=True).start()
        started.awaitTermination()
        execution = started._jsq.streamingQuery().lastExecution()
        return bag(spark.table(name)), execution.optimizedPlan().toString()

    read = spark.readStream.schema("g long, x float").parquet(rows)
    found, plan = run(scored(read, model), "scored_stream")
    assert found == run(computed(read), "computed_stream")[0]
    assert re.search(rf"\b{node}\b.*\bEvalModel\b", plan, re.DOTALL), plan


def test_these_are_the_nodes_that_the_list_leaves_to_python() -> None:
    listed = json.loads(LIST.read_text())["Python: test_python_nodes.py"]
    assert sorted([*PROGRAMS, *STREAMS]) == sorted(listed)
