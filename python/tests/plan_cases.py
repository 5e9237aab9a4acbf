"""Random cases of queries: what each is made of, how it is run and compared, and made smaller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from plan_nodes import Draw, Relation, smaller
from plan_programs import Programs
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
# What docs/sql.md says that a function cannot do.
REFUSED = "takes columns of both sides of a join in the condition of a"
FINE = ("right", "no query", "refused")


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
        expected = _bag(replace(case, end="all"), programs, modelled=False)
    except Exception:  # Spark does not take it with plain arithmetic either
        return "no query"
    try:
        found = _bag(case, programs, modelled=True)
    except Exception as e:
        return "refused" if REFUSED in str(e) else f"{type(e).__name__}: {str(e)[:1500]}"
    return _compared(found, expected, ENDS[case.end].count(expected.total()))


def _bag(case: Case, programs: Programs, modelled: bool) -> Counter[tuple[int | None, ...]]:
    settings = [s for s in case.settings if modelled or s in PLAIN_SETTINGS]
    with (
        programs.configured({k: v for s in settings for k, v in SETTINGS[s].items()}),
        Queries(programs, modelled) as queries,
    ):
        return Counter(tuple(row) for row in ENDS[case.end].take(queries.frame(case.query)))


def _compared(found: Counter[Any], all_rows: Counter[Any], count: int) -> str:
    """Say what is wrong with rows that are to be some, or all, of those of the plain query."""
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
