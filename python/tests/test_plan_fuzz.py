"""Random queries with models, against the same queries with plain arithmetic in the models' places.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED say how many and which; see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest
from plan_cases import FINE, Case, make_case, outcome, smaller_cases
from plan_expressions import CALLS
from plan_nodes import CONDITIONS, RELATIONS, VALUES, Condition, Node, Relation, Value
from plan_programs import Models, Programs, write_tables
from plan_queries import FRAMES, QUERIES, Queries
from shrinking import shrink

CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "300"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "0"))
THREADS = 2  # while one plans, the other runs
SHOWN = 3  # failures that are made smaller and shown


@pytest.fixture(scope="module")
def sessions(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Programs]:
    """A session per thread: settings and views are a session's."""
    models, tables, files = (tmp_path_factory.mktemp(name) for name in ("plans", "tables", "rows"))
    write_tables(spark, tables)
    made = Models(models)
    return [Programs(spark, made, tables, files / str(i)) for i in range(THREADS)]


def outcomes(seeds: range, sessions: list[Programs]) -> dict[int, str]:
    """Return what became of each case."""
    free: SimpleQueue[Programs] = SimpleQueue()
    for programs in sessions:
        free.put(programs)

    def run(seed: int) -> str:
        programs = free.get()
        try:
            return outcome(make_case(seed), programs)
        finally:
            free.put(programs)

    with ThreadPoolExecutor(len(sessions)) as threads:
        return dict(zip(seeds, threads.map(run, seeds), strict=True))


def described(name: str, case: Case, programs: Programs) -> str:
    """Return the smallest query that fails as a case does, and how it fails."""

    def fails(candidate: Case) -> bool:
        return outcome(candidate, programs) not in FINE

    least = shrink(case, smaller_cases, fails, most=120)
    with Queries(programs, modelled=True) as queries:
        text = queries.relation(least.query)
    wrong = outcome(least, programs)
    return f"Case {name}. The smallest query that fails: {least}\n{text}\n{wrong}"


def test_queries_with_models_give_what_plain_sql_gives(sessions: list[Programs]) -> None:
    found = outcomes(range(SEED * 1_000_000, SEED * 1_000_000 + CASES), sessions)
    counted = Counter(o if o in FINE else "wrong" for o in found.values())
    wrong = [seed for seed, o in found.items() if o not in FINE]
    if wrong:
        shown = [described(str(seed), make_case(seed), sessions[0]) for seed in wrong[:SHOWN]]
        pytest.fail("\n\n".join([f"{counted}; wrong are the cases {wrong}", *shown]))
    assert counted["right"] > 0.8 * CASES, f"most queries should run: {counted}"


def test_a_wrong_number_is_found_and_the_smallest_query_with_it_shown(
    sessions: list[Programs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CALLS, "line", ("line({0})", "2 * {0} + 4"))
    x = Value("column", ("x", 0))
    query = Relation("select", (x, x, Value("model", ("line", x)), Relation("table", ("ranged",))))
    case = Case(Relation("distinct", (query,)), ("adaptive",), "tail")
    shown = described("1", case, sessions[0])
    assert f"Case 1. The smallest query that fails: {Case(query, ())}" in shown
    assert "pmod(cast(cast(line(r.x) AS float) AS int), 97) AS x FROM ranged AS r" in shown
    assert "9 rows of 9; missing of all" in shown


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
