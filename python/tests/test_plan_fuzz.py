"""Random queries with models, against the same queries with plain arithmetic in the models' places.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED say how many and which; see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from plan_nodes import (
    CONDITIONS,
    RELATIONS,
    VALUES,
    Condition,
    Draw,
    Node,
    Relation,
    Value,
    smaller,
)
from plan_queries import FRAMES, QUERIES, Queries
from shrinking import shrink

import sparkdl
import sparkdl.tensorframes as tfs

CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "50"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "0"))
SETTINGS = {
    "adaptive off": {"spark.sql.adaptive.enabled": "false"},
    # For so few rows it takes longer to compile a plan than to run it.
    "codegen on": {
        "spark.sql.codegen.wholeStage": "true",
        "spark.sql.codegen.factoryMode": "FALLBACK",
    },
    "no broadcast": {"spark.sql.autoBroadcastJoinThreshold": "-1"},
    "ansi off": {"spark.sql.ansi.enabled": "false"},
    "no reuse": {"spark.sql.exchange.reuse": "false"},
}
# What docs/sql.md says that a function cannot do.
REFUSED = "takes columns of both sides of a join in the condition of a"
FINE = ("right", "no query", "refused")


@dataclass(frozen=True)
class Case:
    """A query, and the settings that it runs under."""

    query: Relation
    settings: tuple[str, ...]


class Programs:
    """The models that are no SQL functions."""

    def __init__(self, line: Any, network: Any) -> None:
        self.line = line
        policies = ("error", "skip", "keep")
        self.stages = {
            p: sparkdl.KerasTransformer(inputCol="a", outputCol="p", model=network, handleInvalid=p)
            for p in policies
        }

    def map_blocks(self, frame: Any) -> Any:
        return tfs.map_blocks(lambda x: {"y": 2 * x + 3}, frame)

    def map_rows(self, frame: Any) -> Any:
        return tfs.map_rows(lambda x: {"y": x * x}, frame)

    def aggregate(self, frame: Any) -> Any:
        import tensorflow as tf

        return tfs.aggregate(lambda x: {"x": tf.reduce_sum(x, 0)}, frame.groupBy("g"))


@pytest.fixture(scope="module")
def programs(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Register the functions and the tables."""
    import keras

    folder = tmp_path_factory.mktemp("plans")
    number = ("float32", [None])
    functions: dict[str, Any] = {
        "line": lambda x: 2 * x + 3,
        "plane": lambda x, y: x - 2 * y + 1,
        "pair": lambda x: {"one": x + 1, "rest": 5 - x},
    }
    for name, function in functions.items():
        inputs = {"x": number, "y": number} if name == "plane" else {"x": number}
        bundle = sparkdl.save_bundle(function, folder / "models" / name, inputs=inputs)
        sparkdl.load_model(bundle).register(name)
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.layers[-1].set_weights([np.array([[2], [-1]], "float32"), np.array([3], "float32")])
    sparkdl.registerKerasUDF("first_of", network)
    spark.udf.register("plus_one", lambda x: None if x is None else x + 1, "int")
    make_tables(spark, str(folder / "rows"))
    catalog = {
        "spark.sql.catalog.plans": "org.sparkdl.sql.ModelCatalog",
        "spark.sql.catalog.plans.path": str(folder / "models"),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }
    with configured(spark, catalog):
        yield Programs(sparkdl.load_model(folder / "models" / "line"), network)


def make_tables(spark: Any, folder: str) -> None:
    """Make the views of plan_nodes.TABLES: a few rows with nulls, some of them twice."""
    columns = ("int(id % 4) AS k", "int(nullif(id % 3, 2)) AS g", "int(nullif(id % 7, 5)) AS x")
    spark.range(0, 9, 1, 3).selectExpr(*columns).createOrReplaceTempView("ranged")
    rows = [(0, 1, 4), (1, 2, None), (2, 1, 7), (2, 1, 7), (None, 0, 1), (5, None, 3), (9, 2, 2)]
    schema = "k int, g int, x int"
    spark.createDataFrame(rows, schema).coalesce(2).write.parquet(folder)
    spark.read.parquet(folder).createOrReplaceTempView("filed")
    with configured(spark, {"spark.sql.sources.useV1SourceList": ""}):
        spark.read.parquet(folder).createOrReplaceTempView("filed_v2")
    values = "(1, 1, 5), (2, 2, 9), (3, 1, cast(NULL AS int)), (3, 2, 1)"
    spark.sql(f"SELECT * FROM VALUES {values} AS v(k, g, x)").createOrReplaceTempView("listed")


@contextmanager
def configured(spark: Any, settings: dict[str, str]) -> Iterator[None]:
    """Have settings for the length of a block."""
    before = {key: spark.conf.get(key, None) for key in settings}
    for key, value in settings.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, value)


def make_case(seed: int) -> Case:
    draw = Draw(seed)
    query = draw.query(draw.random.choice((1, 2, 2, 3)))
    return Case(query, tuple(s for s in SETTINGS if draw.random.random() < 0.15))


def outcome(case: Case, spark: Any, programs: Programs) -> str:
    """Return one of FINE, or what is wrong."""
    settings = {k: v for s in case.settings for k, v in SETTINGS[s].items()}
    with configured(spark, settings):
        try:
            expected = _bag(case, Queries(spark, programs, modelled=False))
        except Exception:  # Spark does not take it with plain arithmetic either
            return "no query"
        try:
            found = _bag(case, Queries(spark, programs, modelled=True))
        except Exception as e:
            return "refused" if REFUSED in str(e) else f"{type(e).__name__}: {str(e)[:1500]}"
    if found == expected:
        return "right"
    return f"missing {expected - found}, too many {found - expected}"


def _bag(case: Case, queries: Queries) -> Counter[tuple[int | None, ...]]:
    with queries:
        return Counter(tuple(row) for row in queries.frame(case.query).collect())


def smaller_cases(case: Case) -> Iterator[Case]:
    """Give cases with a node or a setting less."""
    for query in smaller(case.query):
        yield replace(case, query=query)
    for setting in case.settings:
        yield replace(case, settings=tuple(s for s in case.settings if s != setting))


def check(case: Case, seed: int, spark: Any, programs: Programs) -> str:
    """Fail with the smallest query that still does, if this one does; return what became of it."""
    found = outcome(case, spark, programs)
    if found in FINE:
        return found
    least = shrink(case, smaller_cases, lambda c: outcome(c, spark, programs) not in FINE, most=120)
    with Queries(spark, programs, modelled=True) as queries:
        text = queries.relation(least.query)
    wrong = outcome(least, spark, programs)
    pytest.fail(f"Case {seed}. The smallest query that fails: {least}\n{text}\n{wrong}")


def test_queries_with_models_give_what_plain_sql_gives(spark: Any, programs: Programs) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(CASES):
        seed = SEED * 1_000_000 + number
        outcomes[check(make_case(seed), seed, spark, programs)] += 1
    assert outcomes["right"] > 0.8 * CASES, f"most queries should run: {outcomes}"


def test_every_kind_of_node_is_drawn_and_written() -> None:
    assert set(RELATIONS) == {*QUERIES, *FRAMES}
    kinds = {node.kind for seed in range(500) for node in make_case(seed).query.walk()}
    assert kinds >= {*RELATIONS, *VALUES, *CONDITIONS, "table", "column"}


def test_a_query_that_fails_is_made_as_small_as_it_can_be() -> None:
    def fails(candidate: Case) -> bool:
        return any(n.kind == "python" for n in candidate.query.walk())

    case = next(c for c in map(make_case, range(1000)) if fails(c) and c.settings)
    least = shrink(case, smaller_cases, fails, most=5000)
    kinds = Counter(node.kind for node in least.query.walk())
    assert least.settings == ()
    assert kinds["python"] == 1
    assert kinds.total() < 16, least


def test_what_is_printed_of_a_query_makes_the_query_again() -> None:
    names = {"Relation": Relation, "Value": Value, "Condition": Condition}
    query: Node = make_case(3).query
    assert eval(repr(query), names) == query
