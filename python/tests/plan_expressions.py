"""Values and conditions of plan_nodes.py in SQL, with models or with arithmetic."""

from __future__ import annotations

from typing import Any

# What each model computes of its arguments: as a call, and as arithmetic.
CALLS = {
    "line": ("line({0})", "2 * {0} + 3"),
    "plane": ("plane({0}, {1})", "{0} - 2 * {1} + 1"),
    "pair": ("pair({0}).rest", "5 - {0}"),
    "first_of": (
        "first_of(array(coalesce({0}, 0), coalesce({1}, 0)))[0]",
        "2 * coalesce({0}, 0) - coalesce({1}, 0) + 3",
    ),
    # An array with a null in it cannot be fed: handle_invalid="keep" gives null.
    "if_fed": ("if_fed(array({0}, {1}))[0]", "2 * {0} - {1} + 3"),
    "plans.line": ("plans.line({0})", "2 * {0} + 3"),
    # Spark takes no function that is written in SQL in a sort, in either form.
    "line_in_sql": ("line_in_sql({0})", "plain_in_sql({0})"),
}
ROW = ("r.{}",)  # how the columns of the only relation are written
SIDES = ("l.{}", "r.{}")


def small(number: str) -> str:
    """Return the number, which is whole, as one that floats hold exactly wherever it goes on to."""
    return f"pmod(cast({number} AS int), 97)"


def _function(name: str, instead: int) -> Any:
    """Return how a function in Python is written that adds a number."""
    return lambda q, columns, a: (
        f"{name}({q.value(a, columns)})" if q.in_python else f"{q.value(a, columns)} + {instead}"
    )


# Brackets are written around sums only, and only where they are needed: at each that opens, Spark's
# parser reads on to where it closes before it knows what it is.
SUMS = {"plus", "python", "arrow"}
VALUES: dict[str, Any] = {
    "number": lambda q, columns, n: n,
    "plus": lambda q, columns, a, b: f"{q.value(a, columns)} + {q.value(b, columns)}",
    "modulo": lambda q, columns, a, n: f"pmod({q.value(a, columns)}, {n})",
    "if": lambda q, columns, c, a, b: (
        f"if({q.condition(c, columns)}, {q.value(a, columns)}, {q.value(b, columns)})"
    ),
    "or else": lambda q, columns, a, b: f"coalesce({q.value(a, columns)}, {q.value(b, columns)})",
    "in array": lambda q, columns, a: (
        f"element_at(transform(array(1, {q.value(a, columns)}), y -> y + 1), 2)"
    ),
    "python": _function("plus_one", 1),
    "arrow": _function("plus_two", 2),
    "highest": lambda q, columns, m, r: q.subquery("(SELECT max({m}) {rows})", m, r),
    "highest of its group": lambda q, columns, m, r: q.subquery(
        "(SELECT max({m}) {rows} WHERE {q}.g = " + columns[0].format("g") + ")", m, r
    ),
}
CONDITIONS: dict[str, Any] = {
    "less": lambda q, columns, a, b: f"{q.value(a, columns)} < {q.value(b, columns)}",
    "null": lambda q, columns, a: f"{q.value(a, columns)} IS NULL",
    "among": lambda q, columns, a, n: f"{q.value(a, columns)} IN ({n}, {2 * n + 3}, 3, 5, 7, 9)",
    "and": lambda q, columns, a, b: f"({q.condition(a, columns)} AND {q.condition(b, columns)})",
    "or": lambda q, columns, a, b: f"({q.condition(a, columns)} OR {q.condition(b, columns)})",
    "not": lambda q, columns, a: f"NOT ({q.condition(a, columns)})",
    "in": lambda q, columns, way, a, m, r: (
        f"{q.value(a, columns)} {way} " + q.subquery("(SELECT {m} {rows})", m, r)
    ),
    "both in": lambda q, columns, way, a, m, r: (
        f"({q.value(a, columns)}, {columns[0].format('g')}) {way} "
        + q.subquery("(SELECT {m}, {q}.g {rows})", m, r)
    ),
    "in its group": lambda q, columns, way, a, m, r: (
        f"{q.value(a, columns)} {way} "
        + q.subquery("(SELECT {m} {rows} WHERE {q}.g = " + columns[0].format("g") + ")", m, r)
    ),
    "exists": lambda q, columns, way, m, r: (
        f"{way} " + q.subquery("(SELECT 1 {rows} WHERE {m} = " + columns[0].format("x") + ")", m, r)
    ),
}
