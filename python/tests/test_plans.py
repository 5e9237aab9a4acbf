"""Models in queries: a stage's result is a DataFrame as any other, a model stands on aggregates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from sparkdl import KerasTransformer, load_model, registerKerasUDF

PLAIN = "cast(2 * {0}[0] - {0}[1] + 3 as float)"


@pytest.fixture(scope="module")
def network(spark: Any) -> Any:
    """2 a - b + 3 on arrays [a, b]."""
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.layers[-1].set_weights([np.array([[2], [-1]], "float32"), np.array([3], "float32")])
    registerKerasUDF("line", model)
    return model


@pytest.fixture(scope="module")
def rows(spark: Any, network: Any) -> Any:
    """400 rows of (id, g, a) in four partitions, as the view `lines`."""
    frame = spark.range(0, 400, 1, 4).selectExpr(
        "id", "id % 4 AS g", "array(cast(id % 9 AS double), 1D) AS a"
    )
    frame.createOrReplaceTempView("lines")
    return frame


@pytest.fixture(scope="module")
def staged(rows: Any, network: Any) -> Any:
    """The same with the outputs of the network, `p`."""
    return KerasTransformer(inputCol="a", outputCol="p", model=network).transform(rows)


@pytest.fixture(scope="module")
def plain(rows: Any) -> Any:
    """The same by arithmetic."""
    return rows.withColumn("p", F.array(F.expr(PLAIN.format("a"))))


def bag(frame: Any) -> list[str]:
    return sorted(str(tuple(row)) for row in frame.collect())


def in_both_ways(query: str) -> tuple[str, str]:
    """Return the query with the network, and with arithmetic, on what stands between `@`."""
    parts = query.split("@")
    model = "".join(f"line({p})[0]" if i % 2 else p for i, p in enumerate(parts))
    arithmetic = "".join(PLAIN.format(f"({p})") if i % 2 else p for i, p in enumerate(parts))
    return model, arithmetic


def rows_run(frame: Any) -> int:
    """Collect the rows; return how many went through models."""
    frame.collect()
    return _rows(frame._jdf.queryExecution().executedPlan())


def _rows(node: Any) -> int:
    kind = node.getClass().getSimpleName()
    if kind == "AdaptiveSparkPlanExec":
        return _rows(node.executedPlan())
    if kind.endswith("QueryStageExec"):
        return _rows(node.plan())
    own = node.metrics().apply("rows").value() if kind == "EvalModelExec" else 0
    children = node.children()
    return int(own) + sum(_rows(children.apply(i)) for i in range(children.size()))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT g, @array(avg(id), cast(count(*) AS double))@ FROM lines GROUP BY g",
        "SELECT @a@, count(*) FROM lines GROUP BY a ORDER BY @a@",
        "SELECT @a@ FROM (SELECT DISTINCT g, a FROM lines)",
        "SELECT g, @a@ FROM lines GROUP BY g, a WITH CUBE HAVING a IS NOT NULL",
        "SELECT g, @a@, count(*) FROM lines GROUP BY GROUPING SETS ((g, a), (a))",
        "SELECT @a@ FROM (SELECT a FROM lines INTERSECT SELECT a FROM lines WHERE g = 1)",
        "SELECT @a@ FROM lines WHERE g > 0 EXCEPT ALL SELECT @a@ FROM lines WHERE g = 2",
        "SELECT @max_by(a, id)@, @first(a)@ FROM (SELECT * FROM lines WHERE id = 3)",
    ],
)
def test_a_function_on_aggregates_gives_what_arithmetic_gives(spark: Any, rows: Any, query: str):
    model, arithmetic = in_both_ways(query)
    assert bag(spark.sql(model)) == bag(spark.sql(arithmetic))


def test_a_function_after_group_by_and_agg_runs_once_per_group(rows: Any):
    groups = rows.groupBy("g").agg(F.first("a").alias("a")).selectExpr("g", "line(a)[0] AS y")
    assert rows_run(groups) == 4


def test_a_column_after_group_by_and_agg_gives_what_arithmetic_gives(rows: Any, network: Any):
    stage = KerasTransformer(inputCol="a", outputCol="p", model=network)
    line = load_model(stage.getModelFile())
    groups = rows.groupBy("g").agg(F.array(F.avg("id"), F.count("*").cast("double")).alias("a"))
    made = groups.select("g", line("a")[0].alias("p"))
    assert rows_run(made) == 4
    assert bag(made) == bag(groups.selectExpr("g", PLAIN.format("a")))


def parts_joined(frame: Any) -> Any:
    one, other = frame.randomSplit([1.0, 1.0], 7)
    return one.join(other, "g", "left_semi")


def view_joined(frame: Any) -> Any:
    frame.createOrReplaceTempView("twofold")
    query = "SELECT x.id, y.p FROM twofold x JOIN twofold y ON x.id = y.id + 1"
    return frame.sparkSession.sql(query)


@pytest.mark.parametrize(
    "program",
    [
        lambda d: d.join(d.where("g = 1"), "id").select("id"),
        lambda d: d.alias("x").join(d.alias("y"), F.expr("x.id = y.id + 1")).selectExpr("y.p"),
        lambda d: d.join(d.where(d["p"][0] > 10).withColumnRenamed("p", "q"), "id").select("q"),
        lambda d: d.where("g < 3").exceptAll(d.where("g < 2")),
        lambda d: d.intersect(d.where("g = 1")),
        parts_joined,
        lambda d: d.unionByName(d.where("g = 1")).join(d.select("id"), "id"),
        view_joined,
    ],
    ids=[
        *("using", "aliases", "its own column", "exceptAll", "intersect", "randomSplit", "union"),
        "a view twice",
    ],
)
def test_a_stages_result_is_joined_with_itself(
    staged: Any, plain: Any, network: Any, program: Callable[[Any], Any]
):
    assert bag(program(staged)) == bag(program(plain))
    cached = staged.cache()
    try:
        assert bag(program(cached)) == bag(program(plain)), "cached"
    finally:
        cached.unpersist()
    with_nulls = plain.drop("p").withColumn("a", F.expr("if(id % 5 = 0, NULL, a)"))
    skipping = KerasTransformer(inputCol="a", outputCol="p", model=network, handleInvalid="skip")
    fed = plain.where("id % 5 <> 0")
    assert bag(program(skipping.transform(with_nulls))) == bag(program(fed)), "skipped"


def test_a_stages_result_is_read_in_another_session(spark: Any, staged: Any):
    staged.createOrReplaceGlobalTempView("staged_lines")
    found = spark.newSession().sql("SELECT count(*) FROM global_temp.staged_lines WHERE p[0] > 10")
    assert found.first()[0] == staged.where("p[0] > 10").count() > 0


def test_rows_that_a_query_does_not_need_do_not_go_through_a_model(spark: Any, staged: Any):
    assert rows_run(spark.sql("SELECT line(a) FROM lines LIMIT 10")) == 10
    assert rows_run(spark.sql("SELECT id, line(a) FROM lines ORDER BY id LIMIT 5")) == 5
    assert rows_run(staged.limit(5)) == 5
    assert rows_run(staged.orderBy("id").limit(3)) == 3
    sampled = staged.sample(fraction=0.1, seed=1)
    assert rows_run(sampled) == len(sampled.collect()) < 80
    assert rows_run(spark.sql("SELECT line(a) FROM lines WHERE line(a)[0] > 5")) == 400


NEWEST = "row_number() OVER (PARTITION BY g ORDER BY id DESC)"


@pytest.mark.parametrize(
    ("wanted", "program"),
    [
        (400, lambda d, _: d.union(d)),
        (400, lambda d, _: d.unionByName(d.where("g = 1"))),
        (200, lambda d, _: d.where("g = 1").union(d.where("g < 2 AND p[0] > 3"))),
        (400, lambda d, _: d.exceptAll(d.where("g = 1"))),
        (4, lambda d, ten: d.join(ten, "id")),
        (4, lambda d, ten: d.join(ten.union(ten), "id")),
        (4, lambda d, ten: ten.join(d, "id", "left")),
        (396, lambda d, ten: d.join(ten, "id", "left_anti")),
        (400, lambda d, ten: d.join(ten, "id", "left")),
        (12, lambda d, _: d.withColumn("r", F.expr(NEWEST)).where("r <= 3")),
        (0, lambda d, _: d.select("id")),
    ],
    ids=[
        "union",
        "with a part",
        "of parts",
        "exceptAll",
        "join",
        "keys that come twice",
        "outer join of the others",
        "anti join",
        "outer join",
        "newest of each",
        "without outputs",
    ],
)
def test_a_stage_runs_the_rows_that_a_program_needs(
    spark: Any, staged: Any, plain: Any, wanted: int, program: Callable[[Any, Any], Any]
):
    ten = spark.range(0, 1000, 100)
    assert rows_run(program(staged, ten)) == wanted
    assert bag(program(staged, ten)) == bag(program(plain, ten))


@pytest.mark.parametrize(
    ("wanted", "query"),
    [
        (400, "SELECT @a@ FROM lines UNION ALL SELECT @a@ FROM lines"),
        (4, "SELECT g, count(*) FROM lines GROUP BY g HAVING @array(g, 1D)@ > 2"),
        (4, "SELECT g FROM (SELECT DISTINCT g FROM lines) WHERE @array(g, 1D)@ > 2"),
    ],
)
def test_a_function_runs_the_rows_that_a_query_needs(
    spark: Any, rows: Any, wanted: int, query: str
):
    model, arithmetic = in_both_ways(query)
    assert rows_run(spark.sql(model)) == wanted
    assert bag(spark.sql(model)) == bag(spark.sql(arithmetic))


def test_a_column_runs_the_rows_that_a_program_needs(rows: Any):
    from pyspark.sql.functions import call_function

    line = rows.withColumn("p", call_function("line", "a"))
    assert rows_run(line.union(line)) == 400
    assert rows_run(line.limit(5)) == 5
    assert rows_run(line.orderBy("id").limit(3)) == 3
    groups = rows.groupBy("g").count().where(call_function("line", F.array("g", F.lit(1.0)))[0] > 2)
    assert rows_run(groups) == 4


def test_a_stages_result_is_a_dataframe_of_the_pandas_api(staged: Any):
    first = staged.select("id", F.expr("p[0]").alias("p")).where("id < 3").pandas_api()
    assert sorted(first["id"].tolist()) == [0, 1, 2]
    assert sorted(first["p"].tolist()) == [2.0, 4.0, 6.0]
