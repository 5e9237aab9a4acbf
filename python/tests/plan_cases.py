"""Random cases of queries: what each is made of, how it is run and compared, and made smaller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from plan_nodes import Draw, Relation, smaller
from plan_programs import QUICK, Programs
from plan_queries import Queries

_OPTIMIZER = "org.apache.spark.sql.catalyst.optimizer."
SETTINGS = {
    "adaptive": {"spark.sql.adaptive.enabled": "true"},
    "codegen": {
        "spark.sql.codegen.wholeStage": "true",
        "spark.sql.codegen.factoryMode": "FALLBACK",
    },
    "several partitions": {"spark.sql.shuffle.partitions": "3"},
    "no broadcast": {"spark.sql.autoBroadcastJoinThreshold": "-1"},
    "ansi off": {"spark.sql.ansi.enabled": "false"},
    "no reuse": {"spark.sql.exchange.reuse": "false"},
    "runtime filters": {
        "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold": "0",
        "spark.sql.autoBroadcastJoinThreshold": "-1",
    },
    "fewer rules": {
        "spark.sql.optimizer.excludedRules": ",".join(
            _OPTIMIZER + rule
            for rule in ("ConvertToLocalRelation", "CollapseProject", "PushDownPredicates")
        )
    },
}
# What decides the rows, too.
PLAIN_SETTINGS = {"ansi off"}
# Plain queries on one partition each then run as one task.
ONE_TASK = {"spark.sql.autoBroadcastJoinThreshold": "-1"}
# What docs/sql.md says that a function cannot do.
REFUSED = "takes columns of both sides of a join in the condition of a"
FINE = ("right", "no query", "refused")


def _in_another_session(frame: Any) -> list[Any]:
    """Collect the rows in a session that has nothing but the view."""
    name = f"v{uuid4().hex}"
    frame.createGlobalTempView(name)
    session = frame.sparkSession.newSession()
    for key, value in QUICK.items():
        session.conf.set(key, value)
    try:
        return list(session.table(f"global_temp.{name}").collect())
    finally:
        session.catalog.dropGlobalTempView(name)


def _sent_nowhere(frame: Any) -> list[Any]:
    frame.write.format("noop").mode("overwrite").save()
    return []


@dataclass(frozen=True)
class End:
    """How the rows of a query are taken, and how many of them these are."""

    take: Callable[[Any], list[Any]]
    count: Callable[[int], int]


ENDS = {
    "all": End(lambda frame: frame.collect(), lambda n: n),
    "limit": End(lambda frame: frame.limit(3).collect(), lambda n: min(n, 3)),
    "offset": End(lambda frame: frame.offset(2).collect(), lambda n: max(n - 2, 0)),
    "page": End(lambda frame: frame.offset(1).limit(2).collect(), lambda n: min(max(n - 1, 0), 2)),
    "take": End(lambda frame: frame.take(2), lambda n: min(n, 2)),
    "tail": End(lambda frame: frame.tail(2), lambda n: min(n, 2)),
    "another session": End(_in_another_session, lambda n: n),
    "no rows": End(_sent_nowhere, lambda n: 0),
    "iterate": End(lambda frame: list(frame.toLocalIterator()), lambda n: n),
}


@dataclass(frozen=True)
class Case:
    """A query, the settings that it runs under, and which of its rows are taken."""

    query: Relation
    settings: tuple[str, ...]
    end: str = "all"


def make_case(seed: int) -> Case:
    draw = Draw(seed)
    query = draw.query(draw.random.choice((1, 1, 2, 2, 3)))
    settings = tuple(s for s in SETTINGS if draw.random.random() < 0.12)
    return Case(
        query, settings, draw.random.choice(list(ENDS)) if draw.random.random() < 0.3 else "all"
    )


def outcome(case: Case, programs: Programs) -> str:
    """Return one of FINE, or what is wrong."""
    try:
        expected = _expected(case, programs)
    except Exception:  # Spark does not take it with plain arithmetic either
        return "no query"
    try:
        made = _compared(case, _bag(case, Queries(programs, modelled=True)), expected)
    except Exception as e:
        made = "refused" if REFUSED in str(e) else f"{type(e).__name__}: {str(e)[:1500]}"
    return made if made in FINE or _spark_gives(case, programs, expected) else "no query"


def _expected(case: Case, programs: Programs) -> Counter[Any]:
    """Return all rows of the plain query on lists, or, where Spark fails on those, on tables."""
    settings = tuple(s for s in case.settings if s in PLAIN_SETTINGS)
    plain = replace(case, settings=settings, end="all")
    try:
        return _bag(plain, Queries(programs, modelled=False, lists=True))
    except Exception:
        return _bag(plain, Queries(programs, modelled=False))


def _spark_gives(case: Case, programs: Programs, expected: Counter[Any]) -> bool:
    """Whether the plain query gives the rows on the tables and under the settings of the models.

    It also has to where Spark computes nothing ahead, for it does not know a model's results, and
    with functions in Python, which Spark may plan wrongly.
    """
    careful = replace(case, settings=(*case.settings, "fewer rules"))
    plain = [(case, False), (careful, False), (case, True)]
    try:
        return all(
            _compared(case, _bag(c, Queries(programs, False, in_python=p)), expected) == "right"
            for c, p in plain
        )
    except Exception:
        return False


def _bag(case: Case, queries: Queries) -> Counter[Any]:
    settings = {k: v for s in case.settings for k, v in SETTINGS[s].items()}
    if queries.lists:
        settings |= ONE_TASK
    with queries.programs.configured(settings), queries:
        return Counter(tuple(row) for row in ENDS[case.end].take(queries.frame(case.query)))


def _compared(case: Case, found: Counter[Any], all_rows: Counter[Any]) -> str:
    """Say what is wrong with rows that are to be some, or all, of those of the plain query."""
    count = ENDS[case.end].count(all_rows.total())
    if found.total() == count and found <= all_rows:
        return "right"
    return (
        f"{found.total()} rows of {count}; missing of all {all_rows - found}, "
        f"too many {found - all_rows}"
    )


def smaller_cases(case: Case) -> Iterator[Case]:
    """Give cases with a node or a setting less."""
    for query in smaller(case.query):
        yield replace(case, query=query)
    for setting in case.settings:
        yield replace(case, settings=tuple(s for s in case.settings if s != setting))
    if case.end != "all":
        yield replace(case, end="all")
