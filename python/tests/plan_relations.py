"""Relations of plan_nodes.py as queries in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plan_expressions import SIDES, small

if TYPE_CHECKING:
    from plan_nodes import Condition, Relation, Value
    from plan_queries import Queries

_ORDER = "ORDER BY {0}, r.k, r.g, r.x"  # rows that are equal in it are equal
_WINDOWS = {
    "sum": "sum({0}) OVER (PARTITION BY {1} ORDER BY r.k, r.g, r.x)",
    "max": "max({0}) OVER (PARTITION BY {1})",
    "rank": "rank() OVER (ORDER BY {0})",
    "row_number": "row_number() OVER (PARTITION BY {1} " + _ORDER + ")",
    "lag": "lag({0}) OVER (PARTITION BY {1} ORDER BY r.k, r.g, r.x)",
    "moving": "sum({0}) OVER (PARTITION BY {1} ORDER BY r.k, r.g, r.x "
    "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
}
_EXPLODED = {
    "LATERAL VIEW": "r.k, r.g, e.x FROM {0} AS r LATERAL VIEW explode(array({1}, r.x)) e AS x",
    "LATERAL VIEW OUTER": (
        "r.k, r.g, e.x FROM {0} AS r LATERAL VIEW OUTER explode(array({1}, r.x)) e AS x"
    ),
    "LATERAL": "r.k, r.g, e.x FROM {0} AS r, LATERAL explode(array({1}, r.x)) AS e(x)",
    "IN SELECT": "r.k, r.g, explode(array({1}, r.x)) AS x FROM {0} AS r",
    "stack": "r.k, r.g, stack(2, {1}, r.x) AS x FROM {0} AS r",
    "inline": "r.k, r.g, inline(array(struct({1} AS x), struct(r.x AS x))) FROM {0} AS r",
}
_PIPES = {
    "EXTEND": "|> EXTEND {0} AS y |> SELECT k, g, y AS x",
    "SET": "|> SET x = {0} |> SELECT k, g, x",
    "AGGREGATE": (
        "|> AGGREGATE max({0}) AS x, cast(count(*) AS int) AS k GROUP BY g |> SELECT k, g, x"
    ),
    "ORDER BY": "|> ORDER BY {0}, r.k, r.g, r.x |> LIMIT 4 |> SELECT k, g, x",
    "JOIN": "|> JOIN {1} AS l ON {0} = l.k |> SELECT r.k, l.g, r.x",
}


def _group(
    q: Queries, keys: str, function: str, m: Value, c: Condition, h: Value, r: Relation
) -> str:
    made = function.format(q.value(m))
    return (
        f"SELECT r.g AS k, cast(count(*) AS int) AS g, "
        f"{small(f'{made} FILTER (WHERE {q.condition(c)})')} AS x "
        f"FROM {q.relation(r)} AS r GROUP BY {keys} HAVING max({q.value(h)}) > 10"
    )


def _distinct_values(q: Queries, m: Value, n: Value, r: Relation) -> str:
    return (
        f"SELECT r.g AS k, cast(count(DISTINCT {q.value(m)}) AS int) AS g, "
        f"{small(f'sum(DISTINCT {q.value(n)})')} AS x FROM {q.relation(r)} AS r GROUP BY r.g"
    )


def _group_by_model(q: Queries, m: Value, v: Value, r: Relation) -> str:
    return (
        f"SELECT {q.value(m)} AS k, cast(count(DISTINCT {q.value(v)}) AS int) AS g, max(r.x) AS x "
        f"FROM {q.relation(r)} AS r GROUP BY {q.value(m)}"
    )


def _model_of_groups(q: Queries, m: Value, r: Relation) -> str:
    return (
        f"SELECT r.g AS k, cast(count(*) AS int) AS g, {q.value(m, ('max(r.{})', 'min(r.{})'))} "
        f"AS x FROM {q.relation(r)} AS r GROUP BY r.g"
    )


def _window(q: Queries, kind: str, m: Value, v: Value, r: Relation) -> str:
    made = small(_WINDOWS[kind].format(q.value(m), q.value(v)))
    return f"SELECT r.k, r.g, {made} AS x FROM {q.relation(r)} AS r"


def _twice(q: Queries, m: Value, c: Condition, r: Relation) -> str:
    name = q.new_name()
    here, there = q.value(m, ("l.{}",)), q.value(m)
    return (
        f"WITH {name} AS (SELECT * FROM {q.relation(r)}) SELECT l.k, r.g, l.x "
        f"FROM {name} AS l JOIN {name} AS r ON {here} = {there} WHERE {q.condition(c, SIDES)}"
    )


def _both(q: Queries, m: Value, c: Condition, r: Relation) -> str:
    name = q.new_name()
    return (
        f"WITH {name} AS (SELECT r.k, r.g, {q.value(m)} AS x FROM {q.relation(r)} AS r) "
        f"SELECT * FROM {name} UNION ALL SELECT * FROM {name} AS r WHERE {q.condition(c)}"
    )


def _recursive(q: Queries, m: Value, r: Relation) -> str:
    name = q.new_name()
    return (
        f"WITH RECURSIVE {name}(k, g, x, step) AS (SELECT r.k, r.g, r.x, 0 FROM {q.relation(r)} "
        f"AS r UNION ALL SELECT r.k, r.g, {q.value(m)}, r.step + 1 FROM {name} AS r "
        f"WHERE r.step < 2) SELECT k, g, x FROM {name}"
    )


def _lateral(q: Queries, way: str, m: Value, left: Relation, right: Relation) -> str:
    name = q.new_name()
    inner = (
        f"SELECT {q.value(m, (name + '.{}', 'l.{}'))} AS g FROM {q.relation(right)} AS {name} "
        f"WHERE {name}.k = l.k"
    )
    return f"SELECT l.k, r.g, l.x FROM {q.relation(left)} AS l {way} ({inner}) AS r"


def _pipe(q: Queries, kind: str, m: Value, c: Condition, r: Relation) -> str:
    then = _PIPES[kind].format(q.value(m), q.table("listed"))
    return f"FROM {q.relation(r)} AS r |> WHERE {q.condition(c)} {then}"


def _cross(q: Queries, m: Value, table: Relation, r: Relation) -> str:
    return (
        f"SELECT l.k, r.g, {q.value(m, SIDES)} AS x "
        f"FROM {q.relation(table)} AS l CROSS JOIN {q.relation(r)} AS r"
    )


def _using(q: Queries, kind: str, m: Value, left: Relation, right: Relation) -> str:
    columns = "k, l.g, l.x" if kind in ("LEFT SEMI JOIN", "LEFT ANTI JOIN") else "k, l.g, r.x"
    return (
        f"SELECT {columns} FROM (SELECT {q.value(m)} AS k, r.g, r.x FROM {q.relation(left)} AS r) "
        f"AS l {kind} {q.relation(right)} AS r USING (k)"
    )


def _natural(q: Queries, kind: str, m: Value, n: Value, left: Relation, right: Relation) -> str:
    return (
        f"SELECT k, g, x FROM (SELECT {q.value(m)} AS k, r.g FROM {q.relation(left)} AS r) AS l "
        f"NATURAL {kind} (SELECT r.g, {q.value(n)} AS x FROM {q.relation(right)} AS r) AS r"
    )


def _sample(q: Queries, percent: int, seed: int, r: Relation) -> str:
    """The same rows are drawn of the same partitions, hence always of the table itself."""
    with q.of_tables():
        rows = q.relation(r)
    return f"SELECT * FROM {rows} TABLESAMPLE ({percent} PERCENT) REPEATABLE ({seed})"


def _unpivot(q: Queries, m: Value, r: Relation) -> str:
    return (
        f"SELECT k, cast(length(name) AS int) AS g, v AS x FROM (SELECT r.k, {q.value(m)} AS made, "
        f"r.x FROM {q.relation(r)} AS r) UNPIVOT INCLUDE NULLS (v FOR name IN (made, x))"
    )


def _join(q: Queries, kind: str, v: Value, left: Relation, right: Relation) -> str:
    return (
        f"SELECT l.k, r.g, l.x FROM {q.relation(left)} AS l {kind} {q.relation(right)} AS r "
        f"ON {q.value(v, ('l.{}',))} = r.k"
    )


def _by_key(q: Queries, kind: str, c: Condition, left: Relation, right: Relation) -> str:
    return (
        f"SELECT l.k, r.g, l.x FROM {q.relation(left)} AS l {kind} {q.relation(right)} AS r "
        f"ON l.k = r.k WHERE {q.condition(c, SIDES)}"
    )


def _keep(q: Queries, kind: str, m: Value, left: Relation, right: Relation) -> str:
    return (
        f"SELECT l.k, l.g, l.x FROM {q.relation(left)} AS l {kind} {q.relation(right)} AS r "
        f"ON {q.value(m, ('l.{}',))} = r.x"
    )


def _match(q: Queries, m: Value, n: Value, left: Relation, right: Relation) -> str:
    return (
        f"SELECT l.k, r.g, l.x FROM {q.relation(left)} AS l JOIN {q.relation(right)} AS r "
        f"ON {q.value(m, SIDES)} = {q.value(n, SIDES[::-1])}"
    )


QUERIES: dict[str, Any] = {
    "select": lambda q, a, b, c, r: (
        f"SELECT {q.value(a)} AS k, {q.value(b)} AS g, {q.value(c)} AS x FROM {q.relation(r)} AS r"
    ),
    "where": lambda q, c, r: f"SELECT * FROM {q.relation(r)} AS r WHERE {q.condition(c)}",
    "join": _join,
    "by key": _by_key,
    "keep": _keep,
    "match": _match,
    "cross": _cross,
    "using": _using,
    "natural": _natural,
    "lateral": _lateral,
    "set": lambda q, kind, a, b: (
        f"SELECT * FROM {q.relation(a)} {kind} SELECT * FROM {q.relation(b)}"
    ),
    "distinct": lambda q, r: f"SELECT DISTINCT * FROM {q.relation(r)}",
    "group": _group,
    "distinct values": _distinct_values,
    "group by model": _group_by_model,
    "model of groups": _model_of_groups,
    "window": _window,
    "top": lambda q, v, n, offset, r: (
        f"SELECT * FROM {q.relation(r)} AS r {_ORDER.format(q.value(v))} LIMIT {n} {offset}"
    ),
    "wide limit": lambda q, limit, r: f"SELECT * FROM {q.relation(r)} AS r {limit}",
    "sample": _sample,
    "count": lambda q, r: f"SELECT cast(count(*) AS int) AS k, 0 AS g, 0 AS x FROM {q.relation(r)}",
    "explode": lambda q, way, m, r: "SELECT " + _EXPLODED[way].format(q.relation(r), q.value(m)),
    "twice": _twice,
    "both": _both,
    "recursive": _recursive,
    "pivot": lambda q, m, r: (
        f"SELECT * FROM (SELECT r.k, r.g, {q.value(m)} AS x FROM {q.relation(r)} AS r) "
        "PIVOT (max(x) FOR g IN (1 AS g, 2 AS x))"
    ),
    "unpivot": _unpivot,
    "pipe": _pipe,
    "sort": lambda q, way, v, r: f"SELECT * FROM {q.relation(r)} AS r {way} {q.value(v)}",
    "view": lambda q, m, r: q.view(f"SELECT r.k, r.g, {q.value(m)} AS x FROM {q.relation(r)} AS r"),
    "repartition": lambda q, hint, r: f"SELECT /*+ {hint} */ * FROM {q.relation(r)} AS r",
}
