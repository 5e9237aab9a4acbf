"""Queries of plan_nodes.py as Spark runs them: with models, or with arithmetic in their places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from plan_expressions import CALLS, CONDITIONS, ROW, SUMS, VALUES, small
from plan_frames import FRAMES
from plan_nodes import Condition, Relation, Value
from plan_programs import Programs
from plan_relations import QUERIES


class Queries:
    """Writes queries, and forgets the views and files that they needed when it is closed.

    Functions in Python stand in the queries with models, and where `in_python` says so.
    """

    def __init__(
        self, programs: Programs, modelled: bool, lists: bool = False, in_python: bool = False
    ) -> None:
        self.spark, self.programs, self.modelled = programs.spark, programs, modelled
        self.in_python = modelled or in_python
        self.views: list[str] = []
        self.names = 0
        self.lists = lists  # whether tables are read as lists

    def __enter__(self) -> Queries:
        return self

    def __exit__(self, *_: object) -> None:
        self.programs.forget()
        for view in self.views:
            self.spark.catalog.dropTempView(view)

    def frame(self, node: Relation) -> Any:
        """Return a relation as a DataFrame."""
        return self.spark.sql(f"SELECT r.k, r.g, r.x FROM {self.relation(node)} AS r")

    def relation(self, node: Relation) -> str:
        """Return what stands in FROM: the name of a view, or a query in brackets."""
        if node.kind == "table":
            return self.table(str(node.parts[0]))
        *parts, last = node.parts
        if node.kind in FRAMES:
            return self._of_frame(node.kind, parts, last)
        written = QUERIES[node.kind]
        return f"({written(self, *parts, last)})"

    def table(self, name: str) -> str:
        """Return a table, or the same rows in one partition, which needs no shuffles."""
        return f"{name}_rows" if self.lists else name

    @contextmanager
    def of_tables(self) -> Iterator[None]:
        """Have what is written in a block read the tables themselves."""
        before, self.lists = self.lists, False
        yield
        self.lists = before

    def new_name(self) -> str:
        """Return a name that nothing else in the query has."""
        self.names += 1
        return f"q{self.names}"

    def value(self, node: Value, columns: tuple[str, ...] = ROW) -> str:
        """Return an expression; `columns` has a template for the names of each side's columns."""
        if node.kind == "column":
            name, side = node.parts
            return columns[side % len(columns)].format(name)
        if node.kind == "model":
            name, *arguments = node.parts
            call, arithmetic = CALLS[name]
            text, write = (call, self.value) if self.modelled else (arithmetic, self.operand)
            written = text.format(*(write(a, columns) for a in arguments))
            return small(f"cast({written} AS float)")
        return str(VALUES[node.kind](self, columns, *node.parts))

    def operand(self, node: Value, columns: tuple[str, ...]) -> str:
        """Return an expression that may stand beside `*` and `-`."""
        text = self.value(node, columns)
        return f"({text})" if node.kind in SUMS else text

    def condition(self, node: Condition, columns: tuple[str, ...] = ROW) -> str:
        return str(CONDITIONS[node.kind](self, columns, *node.parts))

    def subquery(self, text: str, model: Value, rows: Relation) -> str:
        """Return a subquery; its rows have a name that the queries around do not have."""
        name = self.new_name()
        made = self.value(model, (name + ".{}",))
        return text.format(m=made, rows=f"FROM {self.relation(rows)} AS {name}", q=name)

    def named(self, frame: Any) -> str:
        """Return the name of a new view of a DataFrame."""
        frame.createOrReplaceTempView(name := self._new_view())
        return name

    def view(self, query: str) -> str:
        """Return a query of a new view, which Spark keeps as text."""
        self.spark.sql(f"CREATE TEMPORARY VIEW {(name := self._new_view())} AS {query}")
        return f"SELECT * FROM {name}"

    def _new_view(self) -> str:
        self.views.append(f"made_{id(self)}_{len(self.views)}")
        return self.views[-1]

    def _of_frame(self, kind: str, parts: list[Any], child: Relation) -> str:
        arithmetic, modelled = FRAMES[kind]
        if not self.modelled:
            return f"(SELECT {arithmetic(*parts).format(self.relation(child))})"
        return self.named(modelled(self.programs, self.frame(child), *parts))
