"""Random queries as plain data: relations of whole numbers k, g and x, and expressions on them.

Every relation has the same columns, so that any of them can stand in another's place: what fails
is made smaller by leaving nodes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any


@dataclass(frozen=True)
class Node:
    """A node of a query: its kind, and its parts, which are nodes, numbers and words."""

    kind: str
    parts: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        parts = "".join(f", {p!r}" for p in self.parts)
        return f"{type(self).__name__}({self.kind!r}, ({parts[2:]}{',' * (len(self.parts) == 1)}))"

    def walk(self) -> Iterator[Node]:
        """Give the node and all below it."""
        yield self
        for part in self.parts:
            if isinstance(part, Node):
                yield from part.walk()


class Relation(Node):
    """Rows of k, g and x."""


class Value(Node):
    """A whole number or null, of a row; the columns of a join's sides are 0 and 1."""


class Condition(Node):
    """What is true of a row, or not, or null."""


TABLES = ("ranged", "filed", "filed_v2", "parted", "listed")
MODELS = {
    "line": 1,
    "plane": 2,
    "pair": 1,
    "first_of": 2,
    "if_fed": 2,
    "plans.line": 1,
    "line_in_sql": 1,
}
CORRELATED = frozenset({"highest of its group", "exists", "in its group"})
SUBQUERIES = CORRELATED | {"highest", "in", "both in"}


class Draw:
    """Draws nodes, the deeper the fewer."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.without: frozenset[str] = frozenset()  # kinds that Spark does not take here

    def query(self, depth: int) -> Relation:
        """Return a relation that is no table."""
        kind = self.random.choice(list(RELATIONS))
        return Relation(kind, tuple(self.part(p, depth) for p in RELATIONS[kind]))

    def relation(self, depth: int) -> Relation:
        if depth <= 0 or self.random.random() < 0.12:
            return self.table(depth)
        return self.query(depth)

    def table(self, depth: int) -> Relation:
        return Relation("table", (self.random.choice(TABLES),))

    def row_by_row(self, depth: int) -> Relation:
        """Return rows of a table, in its partitions and order, with a model."""
        kind = self.random.choice(("select", "stage", "column", "map_blocks", "map_rows"))
        wanted = ["simple" if part in ("value", "model") else part for part in RELATIONS[kind]]
        return Relation(kind, (*(self.part(p, depth) for p in wanted[:-1]), self.table(depth)))

    def part(self, wanted: Any, depth: int) -> Any:
        """Return a part of a node: one of several words, or a drawn node."""
        if isinstance(wanted, tuple):
            return self.random.choice(wanted)
        draw: Callable[[int], Any] = getattr(self, wanted)
        return draw(depth - 1)

    def value(self, depth: int) -> Value:
        if depth <= -2 or self.random.random() < 0.2:
            return self.column(depth)
        kinds = {k: w for k, (w, _) in VALUES.items() if k not in self.without}
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        if kind == "model":
            return self.model(depth)
        return Value(kind, tuple(self.part(p, depth) for p in VALUES[kind][1]))

    def model(self, depth: int) -> Value:
        """Return a value that is a model's: without one, a query tests Spark."""
        name = self.random.choice(list(MODELS))
        return Value("model", (name, *(self.value(depth - 1) for _ in range(MODELS[name]))))

    def alone(self, depth: int) -> Value:
        """Return a model's value without correlated subqueries."""
        return self._model_without(CORRELATED, depth)

    def simple(self, depth: int) -> Value:
        """Return a model's value without subqueries."""
        return self._model_without(SUBQUERIES, depth)

    def _model_without(self, kinds: frozenset[str], depth: int) -> Value:
        before, self.without = self.without, self.without | kinds
        made = self.model(depth)
        self.without = before
        return made

    def column(self, depth: int) -> Value:
        return Value("column", (self.random.choice("kgx"), self.random.randrange(2)))

    def number(self, depth: int) -> int:
        return self.random.randrange(1, 6)

    def condition(self, depth: int) -> Condition:
        kinds = [k for k in CONDITIONS if depth > 0 or k in ("less", "null", "among")]
        kind = self.random.choice([k for k in kinds if k not in self.without])
        return Condition(kind, tuple(self.part(p, depth) for p in CONDITIONS[kind]))


_OUTER = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
# What each kind is made of: the names of Draw's methods, or words to choose from.
RELATIONS: dict[str, tuple[Any, ...]] = {
    "select": ("value", "value", "model", "relation"),
    "where": ("condition", "relation"),
    "join": (_OUTER, "alone", "relation", "relation"),
    "by key": (_OUTER, "condition", "relation", "relation"),
    "keep": (("LEFT SEMI JOIN", "LEFT ANTI JOIN"), "alone", "relation", "relation"),
    "match": ("alone", "alone", "relation", "relation"),
    "cross": ("alone", "table", "relation"),
    "using": ((*_OUTER, "LEFT SEMI JOIN", "LEFT ANTI JOIN"), "alone", "relation", "relation"),
    "natural": (_OUTER, "alone", "alone", "relation", "relation"),
    "lateral": ((", LATERAL", "LEFT JOIN LATERAL"), "alone", "relation", "relation"),
    "set": (
        ("UNION", "UNION ALL", "EXCEPT", "EXCEPT ALL", "INTERSECT", "INTERSECT ALL"),
        *("relation", "relation"),
    ),
    "distinct": ("relation",),
    "group": (
        ("g", "g WITH CUBE", "g, k WITH ROLLUP", "GROUPING SETS ((g), (k), ())"),
        ("sum({0})", "max({0})", "sum(DISTINCT {0})", "count({0})", "bit_xor({0})"),
        *("model", "condition", "model", "relation"),
    ),
    "distinct values": ("model", "model", "relation"),
    "group by model": ("model", "value", "relation"),
    "model of groups": ("alone", "relation"),
    "window": (
        ("sum", "max", "rank", "row_number", "lag", "moving"),
        *("model", "value", "relation"),
    ),
    "top": ("alone", "number", ("", "OFFSET 1"), "relation"),
    "wide limit": (("LIMIT 900", "LIMIT 20000", "OFFSET 0", "LIMIT 900 OFFSET 0"), "relation"),
    "sample": ((20, 50, 80), "number", "row_by_row"),
    "count": ("relation",),
    "explode": (
        ("LATERAL VIEW", "LATERAL VIEW OUTER", "LATERAL", "IN SELECT", "stack", "inline"),
        *("alone", "relation"),
    ),
    "twice": ("alone", "condition", "relation"),
    "both": ("model", "condition", "relation"),
    "recursive": ("simple", "relation"),
    "pivot": ("model", "relation"),
    "unpivot": ("model", "relation"),
    "pipe": (("EXTEND", "SET", "AGGREGATE", "ORDER BY", "JOIN"), "alone", "condition", "relation"),
    "repartition": (
        ("REPARTITION(3, k)", "REPARTITION(g)", "COALESCE(1)", "REBALANCE"),
        "relation",
    ),
    "sort": (("ORDER BY", "SORT BY", "CLUSTER BY", "DISTRIBUTE BY"), "alone", "relation"),
    "view": ("model", "relation"),
    "cache": ("relation",),
    "checkpoint": ("relation",),
    "written": ("relation",),
    "stage": (("error", "skip", "keep", "reason"), "relation"),
    "column": ("relation",),
    "map_blocks": ("relation",),
    "trimmed": ("relation",),
    "map_rows": (("error", "skip"), "relation"),
    "aggregate": ("relation",),
    "self join": ("relation",),
    "self except": ("relation",),
    "random split": ("table",),
    "observed": ("relation",),
    "map in arrow": ("relation",),
}
# With how often each is drawn.
VALUES: dict[str, tuple[int, tuple[Any, ...]]] = {
    "model": (12, ()),  # what `model` draws
    "number": (2, ("number",)),
    "plus": (4, ("value", "value")),
    "modulo": (2, ("value", "number")),
    "if": (2, ("condition", "value", "value")),
    "or else": (2, ("value", "value")),
    "in array": (2, ("value",)),
    "python": (1, ("value",)),
    "arrow": (1, ("value",)),
    "highest": (2, ("model", "relation")),
    "highest of its group": (2, ("model", "relation")),
}
CONDITIONS: dict[str, tuple[Any, ...]] = {
    "less": ("model", "value"),
    "null": ("model",),
    "among": ("model", "number"),
    "and": ("condition", "condition"),
    "or": ("condition", "condition"),
    "not": ("condition",),
    "in": (("IN", "NOT IN"), "model", "model", "relation"),
    "both in": (("IN", "NOT IN"), "model", "model", "relation"),
    "in its group": (("IN", "NOT IN"), "model", "model", "relation"),
    "exists": (("EXISTS", "NOT EXISTS"), "model", "relation"),
}


def smaller(node: Node) -> Iterator[Node]:
    """Give the query with a node less, the largest parts first."""
    yield from (part for part in node.parts if type(part) is type(node))
    if isinstance(node, Relation) and node.kind != "table":
        yield Relation("table", ("ranged",))
    if isinstance(node, Value) and node.kind != "column":
        yield Value("column", ("x", 0))
    if isinstance(node, Condition) and node.kind != "less":
        yield Condition("less", (Value("column", ("x", 0)), Value("column", ("k", 0))))
    for i, part in enumerate(node.parts):
        if isinstance(part, Node):
            for less in smaller(part):
                yield replace(node, parts=(*node.parts[:i], less, *node.parts[i + 1 :]))
