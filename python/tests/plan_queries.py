"""Queries of plan_nodes.py as Spark runs them: with models, or with arithmetic in their places."""

from __future__ import annotations

from typing import Any

from plan_nodes import Condition, Relation, Value

# What each model computes of its arguments: as a call, and as arithmetic.
CALLS = {
    "line": ("line({0})", "2 * {0} + 3"),
    "plane": ("plane({0}, {1})", "{0} - 2 * {1} + 1"),
    "pair": ("pair({0}).rest", "5 - {0}"),
    "first_of": (
        "first_of(array(coalesce({0}, 0), coalesce({1}, 0)))[0]",
        "2 * coalesce({0}, 0) - coalesce({1}, 0) + 3",
    ),
    "plans.line": ("plans.line({0})", "2 * {0} + 3"),
}
_ORDER = "ORDER BY {0}, r.k, r.g, r.x"  # rows that are equal in it are equal
_WINDOWS = {
    "sum": "sum({0}) OVER (PARTITION BY {1} ORDER BY r.k, r.g, r.x)",
    "max": "max({0}) OVER (PARTITION BY {1})",
    "rank": "rank() OVER (ORDER BY {0})",
    "row_number": "row_number() OVER (PARTITION BY {1} " + _ORDER + ")",
    "lag": "lag({0}) OVER (PARTITION BY {1} ORDER BY r.k, r.g, r.x)",
}
ROW = ("r.{}",)  # how the columns of the only relation are written
SIDES = ("l.{}", "r.{}")


class Queries:
    """Writes queries, and forgets the views and caches that they needed when it is closed."""

    def __init__(self, spark: Any, programs: Any, modelled: bool) -> None:
        self.spark, self.programs, self.modelled = spark, programs, modelled
        self.views: list[str] = []
        self.cached: list[Any] = []
        self.subqueries = 0

    def __enter__(self) -> Queries:
        return self

    def __exit__(self, *_: object) -> None:
        for frame in self.cached:
            frame.unpersist()
        for view in self.views:
            self.spark.catalog.dropTempView(view)

    def frame(self, node: Relation) -> Any:
        """Return a relation as a DataFrame."""
        return self.spark.sql(f"SELECT r.k, r.g, r.x FROM {self.relation(node)} AS r")

    def relation(self, node: Relation) -> str:
        """Return what stands in FROM: the name of a view, or a query in brackets."""
        if node.kind == "table":
            return str(node.parts[0])
        *parts, last = node.parts
        if node.kind in FRAMES:
            return self._of_frame(node.kind, parts, last)
        written = QUERIES[node.kind]
        return f"({written(self, *parts, last)})"

    def value(self, node: Value, columns: tuple[str, ...] = ROW) -> str:
        """Return an expression; `columns` has a template for the names of each side's columns."""
        if node.kind == "column":
            name, side = node.parts
            return columns[side % len(columns)].format(name)
        if node.kind == "model":
            name, *arguments = node.parts
            call, arithmetic = CALLS[name]
            inputs = [f"({self.value(a, columns)})" for a in arguments]
            text = call.format(*inputs) if self.modelled else arithmetic.format(*inputs)
            return _small(f"cast({text} AS float)")
        return str(VALUES[node.kind](self, columns, *node.parts))

    def condition(self, node: Condition, columns: tuple[str, ...] = ROW) -> str:
        return f"({CONDITIONS[node.kind](self, columns, *node.parts)})"

    def subquery(self, text: str, model: Value, rows: Relation) -> str:
        """Return a subquery; its rows have a name that the queries around do not have."""
        self.subqueries += 1
        name = f"q{self.subqueries}"
        made = self.value(model, (name + ".{}",))
        return text.format(m=made, rows=f"FROM {self.relation(rows)} AS {name}", q=name)

    def named(self, frame: Any) -> str:
        """Return the name of a new view of a DataFrame."""
        name = f"made_{id(self)}_{len(self.views)}"
        frame.createOrReplaceTempView(name)
        self.views.append(name)
        return name

    def _of_frame(self, kind: str, parts: list[Any], child: Relation) -> str:
        arithmetic, modelled = FRAMES[kind]
        if not self.modelled:
            return f"(SELECT {arithmetic(*parts).format(self.relation(child))})"
        if kind == "cache":
            self.cached.append(self.frame(child).cache())
            return self.named(self.cached[-1])
        made = modelled(self.programs, self.frame(child), *parts)
        return self.named(made)


def _small(number: str) -> str:
    """Return the number, which is whole, as one that floats hold exactly wherever it goes on to."""
    return f"pmod(cast({number} AS int), 97)"


def _group(q: Queries, keys: str, m: Value, c: Condition, h: Value, r: Relation) -> str:
    return (
        f"SELECT r.g AS k, cast(count(*) AS int) AS g, "
        f"{_small(f'sum({q.value(m)}) FILTER (WHERE {q.condition(c)})')} AS x "
        f"FROM {q.relation(r)} AS r GROUP BY {keys} HAVING max({q.value(h)}) > 10"
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
    made = _small(_WINDOWS[kind].format(q.value(m), q.value(v)))
    return f"SELECT r.k, r.g, {made} AS x FROM {q.relation(r)} AS r"


def _explode(q: Queries, way: str, m: Value, r: Relation) -> str:
    values = f"explode(array({q.value(m)}, r.x))"
    if way == "IN SELECT":
        return f"SELECT r.k, r.g, {values} AS x FROM {q.relation(r)} AS r"
    return f"SELECT r.k, r.g, e.x FROM {q.relation(r)} AS r {way} {values} e AS x"


def _twice(q: Queries, m: Value, c: Condition, r: Relation) -> str:
    here, there = q.value(m, ("l.{}",)), q.value(m)
    return (
        f"WITH both AS (SELECT * FROM {q.relation(r)}) SELECT l.k, r.g, l.x "
        f"FROM both AS l JOIN both AS r ON {here} = {there} WHERE {q.condition(c, SIDES)}"
    )


def _lateral(q: Queries, m: Value, left: Relation, right: Relation) -> str:
    inner = f"SELECT {q.value(m, ('q.{}', 'l.{}'))} AS g FROM {q.relation(right)} AS q"
    return (
        f"SELECT l.k, r.g, l.x FROM {q.relation(left)} AS l, LATERAL ({inner} WHERE q.k = l.k) AS r"
    )


def _pipe(q: Queries, m: Value, c: Condition, r: Relation) -> str:
    return (
        f"FROM {q.relation(r)} AS r |> WHERE {q.condition(c)} "
        f"|> EXTEND {q.value(m)} AS y |> SELECT k, g, y AS x"
    )


def _join(q: Queries, kind: str, v: Value, left: Relation, right: Relation) -> str:
    return (
        f"SELECT l.k, r.g, l.x FROM {q.relation(left)} AS l {kind} {q.relation(right)} AS r "
        f"ON {q.value(v, ('l.{}',))} = r.k"
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
    "keep": _keep,
    "match": _match,
    "lateral": _lateral,
    "set": lambda q, kind, a, b: (
        f"SELECT * FROM {q.relation(a)} {kind} SELECT * FROM {q.relation(b)}"
    ),
    "distinct": lambda q, r: f"SELECT DISTINCT * FROM {q.relation(r)}",
    "group": _group,
    "group by model": _group_by_model,
    "model of groups": _model_of_groups,
    "window": _window,
    "top": lambda q, v, n, r: (
        f"SELECT * FROM {q.relation(r)} AS r {_ORDER.format(q.value(v))} LIMIT {n}"
    ),
    "explode": _explode,
    "twice": _twice,
    "pivot": lambda q, m, r: (
        f"SELECT * FROM (SELECT r.k, r.g, {q.value(m)} AS x FROM {q.relation(r)} AS r) "
        "PIVOT (max(x) FOR g IN (1 AS g, 2 AS x))"
    ),
    "pipe": _pipe,
    "repartition": lambda q, hint, r: f"SELECT /*+ {hint} */ * FROM {q.relation(r)} AS r",
}
VALUES: dict[str, Any] = {
    "number": lambda q, columns, n: n,
    "plus": lambda q, columns, a, b: f"({q.value(a, columns)} + {q.value(b, columns)})",
    "modulo": lambda q, columns, a, n: f"pmod({q.value(a, columns)}, {n})",
    "if": lambda q, columns, c, a, b: (
        f"if({q.condition(c, columns)}, {q.value(a, columns)}, {q.value(b, columns)})"
    ),
    "or else": lambda q, columns, a, b: f"coalesce({q.value(a, columns)}, {q.value(b, columns)})",
    "python": lambda q, columns, a: (
        f"plus_one({q.value(a, columns)})" if q.modelled else f"({q.value(a, columns)} + 1)"
    ),
    "highest": lambda q, columns, m, r: q.subquery("(SELECT max({m}) {rows})", m, r),
    "highest of its group": lambda q, columns, m, r: q.subquery(
        "(SELECT max({m}) {rows} WHERE {q}.g = " + columns[0].format("g") + ")", m, r
    ),
}
CONDITIONS: dict[str, Any] = {
    "less": lambda q, columns, a, b: f"{q.value(a, columns)} < {q.value(b, columns)}",
    "null": lambda q, columns, a: f"{q.value(a, columns)} IS NULL",
    "among": lambda q, columns, a, n: f"{q.value(a, columns)} IN ({n}, {2 * n + 3}, 3, 5, 7, 9)",
    "and": lambda q, columns, a, b: f"{q.condition(a, columns)} AND {q.condition(b, columns)}",
    "or": lambda q, columns, a, b: f"{q.condition(a, columns)} OR {q.condition(b, columns)}",
    "not": lambda q, columns, a: f"NOT {q.condition(a, columns)}",
    "in": lambda q, columns, way, a, m, r: (
        f"{q.value(a, columns)} {way} " + q.subquery("(SELECT {m} {rows})", m, r)
    ),
    "exists": lambda q, columns, way, m, r: (
        f"{way} " + q.subquery("(SELECT 1 {rows} WHERE {m} = " + columns[0].format("x") + ")", m, r)
    ),
}


def _rows_of_stage(policy: str) -> str:
    made = "2 * coalesce(x, 0) - coalesce(k, 0) + 3" if policy == "error" else "2 * x + 2"
    dropped = " WHERE x IS NOT NULL" if policy == "skip" else ""
    return f"k, g, {_small(made)} AS x FROM {{0}}{dropped}"


def _stage(programs: Any, frame: Any, policy: str) -> Any:
    first, other = ("coalesce(x, 0)", "coalesce(k, 0)") if policy == "error" else ("x", "1")
    rows = frame.selectExpr("k", "g", f"array(double({first}), double({other})) AS a")
    made = programs.stages[policy].transform(rows)
    return made.selectExpr("k", "g", f"{_small('p[0]')} AS x")


def _blocks(programs: Any, frame: Any) -> Any:
    made = programs.map_blocks(frame.selectExpr("k", "g", "coalesce(x, 0) AS x"))
    return made.selectExpr("k", "g", f"{_small('y')} AS x")


def _row_by_row(programs: Any, frame: Any) -> Any:
    made = programs.map_rows(frame.selectExpr("k", "g", "coalesce(x, 0) AS x"))
    return made.selectExpr("k", "g", f"{_small('y')} AS x")


def _sums(programs: Any, frame: Any) -> Any:
    made = programs.aggregate(frame.selectExpr("g", "coalesce(x, 0) AS x"))
    return made.selectExpr("g AS k", "g", f"{_small('x')} AS x")


# What is no SQL: the rest of a SELECT that computes the same, and the DataFrame.
FRAMES: dict[str, tuple[Any, Any]] = {
    "cache": (lambda: "* FROM {0}", None),
    "stage": (_rows_of_stage, _stage),
    "column": (
        lambda: f"k, g, {_small('2 * x + 3')} AS x FROM {{0}}",
        lambda programs, frame: frame.select("k", "g", programs.line("x").alias("y")).selectExpr(
            "k", "g", f"{_small('y')} AS x"
        ),
    ),
    "map_blocks": (lambda: f"k, g, {_small('2 * coalesce(x, 0) + 3')} AS x FROM {{0}}", _blocks),
    "map_rows": (
        lambda: f"k, g, {_small('coalesce(x, 0) * coalesce(x, 0)')} AS x FROM {{0}}",
        _row_by_row,
    ),
    "aggregate": (
        lambda: f"g AS k, g, {_small('sum(coalesce(x, 0))')} AS x FROM {{0}} GROUP BY g",
        _sums,
    ),
}
