"""A model below each of the nodes that run Python in a plan, against arithmetic in its place."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark import cloudpickle
from pyspark.sql import functions as F

import sparkdl

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # which workers do not have
LIST = Path(__file__).resolve().parents[2] / "src" / "test" / "resources" / "logical_nodes.json"
SCHEMA = "g long, y float"


def frames(batches: Iterator[Any]) -> Iterator[Any]:
    yield from batches


def one(frame: Any) -> Any:
    return frame


def first(left: Any, right: Any) -> Any:
    return left


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


def test_these_are_the_nodes_that_the_list_leaves_to_python() -> None:
    listed = json.loads(LIST.read_text())["Python: test_python_nodes.py"]
    assert sorted(PROGRAMS) == sorted(listed)
