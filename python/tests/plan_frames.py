"""Relations of plan_nodes.py that are no SQL, but made by functions on DataFrames."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from plan_expressions import small
from pyspark.sql import functions as F


def _rows_of_stage(policy: str) -> str:
    made = "2 * coalesce(x, 0) - coalesce(k, 0) + 3" if policy == "error" else "2 * x + 2"
    if policy == "reason":
        made = f"coalesce({small('2 * x + 2')}, 96)"
        return f"k, g, {made} AS x FROM {{0}}"
    dropped = " WHERE x IS NOT NULL" if policy == "skip" else ""
    return f"k, g, {small(made)} AS x FROM {{0}}{dropped}"


def _stage(programs: Any, frame: Any, policy: str) -> Any:
    first, other = ("coalesce(x, 0)", "coalesce(k, 0)") if policy == "error" else ("x", "1")
    rows = frame.selectExpr("k", "g", f"array(double({first}), double({other})) AS a")
    made = programs.stages[policy].transform(rows)
    result = small("p[0]")
    if policy == "reason":
        result = f"if(why IS NULL, {result}, 96)"
    return made.selectExpr("k", "g", f"{result} AS x")


def _blocks(programs: Any, frame: Any) -> Any:
    made = programs.map_blocks(frame.selectExpr("k", "g", "coalesce(x, 0) AS x"))
    return made.selectExpr("k", "g", f"{small('y')} AS x")


def _trimmed(programs: Any, frame: Any) -> Any:
    made = programs.map_blocks(frame.selectExpr("coalesce(x, 0) AS x"), trim=True)
    return made.selectExpr("1 AS k", "2 AS g", f"{small('y')} AS x")


def _row_by_row(programs: Any, frame: Any, policy: str) -> Any:
    fed = "coalesce(x, 0) AS x" if policy == "error" else "x"
    made = programs.map_rows(frame.selectExpr("k", "g", fed), policy)
    return made.selectExpr("k", "g", f"{small('y')} AS x")


def _sums(programs: Any, frame: Any) -> Any:
    made = programs.aggregate(frame.selectExpr("g", "coalesce(x, 0) AS x"))
    return made.selectExpr("g AS k", "g", f"{small('x')} AS x")


def _self_join(programs: Any, frame: Any) -> Any:
    left, right = frame.alias("l"), frame.where("x > 3").alias("r")
    return left.join(right, F.expr("l.k = r.k")).selectExpr("l.k", "r.g", "l.x")


def _random_split(programs: Any, frame: Any) -> Any:
    one, other = frame.select("k", "g", programs.line("x").alias("y")).randomSplit([1.0, 1.0], 3)
    return one.unionAll(other).selectExpr("k", "g", f"{small('y')} AS x")


# What is no SQL: the rest of a SELECT that computes the same, and the DataFrame.
FRAMES: dict[str, tuple[Any, Any]] = {
    "cache": (lambda: "* FROM {0}", lambda programs, frame: programs.cache(frame)),
    "checkpoint": (lambda: "* FROM {0}", lambda programs, frame: frame.localCheckpoint()),
    "written": (lambda: "* FROM {0}", lambda programs, frame: programs.write(frame)),
    "observed": (
        lambda: "* FROM {0}",
        lambda programs, frame: frame.observe(f"rows {uuid4()}", F.count(F.lit(1)).alias("n")),
    ),
    "map in arrow": (
        lambda: "* FROM {0}",
        lambda programs, frame: frame.mapInArrow(lambda batches: batches, frame.schema),
    ),
    "self join": (
        lambda: (
            "l.k, r.g, l.x FROM {0} AS l JOIN (SELECT * FROM {0} WHERE x > 3) AS r ON l.k = r.k"
        ),
        _self_join,
    ),
    "self except": (
        lambda: "* FROM {0} EXCEPT ALL SELECT * FROM {0} WHERE x > 3",
        lambda programs, frame: frame.exceptAll(frame.where("x > 3")),
    ),
    # Two parts, too: Spark fails on some queries of a union, whatever is in it.
    "random split": (
        lambda: (
            f"k, g, {small('2 * x + 3')} AS x FROM (SELECT * FROM {{0}} WHERE x > 3 "
            "UNION ALL SELECT * FROM {0} WHERE coalesce(x, 0) <= 3)"
        ),
        _random_split,
    ),
    "stage": (_rows_of_stage, _stage),
    "column": (
        lambda: f"k, g, {small('2 * x + 3')} AS x FROM {{0}}",
        lambda programs, frame: frame.select("k", "g", programs.line("x").alias("y")).selectExpr(
            "k", "g", f"{small('y')} AS x"
        ),
    ),
    "map_blocks": (lambda: f"k, g, {small('2 * coalesce(x, 0) + 3')} AS x FROM {{0}}", _blocks),
    "trimmed": (
        lambda: f"1 AS k, 2 AS g, {small('2 * coalesce(x, 0) + 3')} AS x FROM {{0}}",
        _trimmed,
    ),
    "map_rows": (
        lambda policy: (
            f"k, g, {small('coalesce(x, 0) * coalesce(x, 0)')} AS x FROM {{0}}"
            + " WHERE x IS NOT NULL" * (policy == "skip")
        ),
        _row_by_row,
    ),
    "aggregate": (
        lambda: f"g AS k, g, {small('sum(coalesce(x, 0))')} AS x FROM {{0}} GROUP BY g",
        _sums,
    ),
}
