"""Generated models on Spark: those with equally many rows side by side, in one job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from model_building import build
from model_cases import Case
from model_generator import make_rows
from model_spec import Spec, input_structure, leaf_refs
from model_truth import batch_of, expected
from model_ways import WAYS_IN, WAYS_OUT, Arrival, Way, arrive, has_graph

from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._bundles.graph.freeze import NotFrozenException
from sparkdl._models.model_ends import distinct
from sparkdl.errors import SparkDLException

_TYPES = {
    "float32": "float",
    "float64": "double",
    "int32": "int",
    "int64": "bigint",
    "bool": "boolean",
    "string": "string",
}
# Of all outputs for a row: layers such as Dot may give more than rows of many models hold.
_MOST_NUMBERS = 100_000


@dataclass(frozen=True)
class Prepared:
    """A case whose model has become a bundle, and what Keras gives for its rows."""

    case: Case
    rows: list[dict[int, Any]]
    expected: list[list[Any]]
    way: Way
    arrival: Arrival


def prepared(case: Case, folder: Path) -> Prepared | str | None:
    """Return a case ready for Spark; what is wrong with it; None where Keras does not take it."""
    if case.is_another_model():
        return None
    try:
        rows = case.values()
        model = build(case.spec)
        if case.keeps_state():
            _leave_state(case.spec, model)
        way = WAYS_IN[case.way_in](case.spec, model, folder)
        # A model that was read from a file takes a dict where the one that was saved took another.
        read = way.read is not None and case.spec.takes == "ordered"
        spec = replace(case.spec, takes="dict") if read else case.spec
        wanted = expected(spec, way.read or model, rows or make_rows(case.spec, 1))
        if case.spec.is_stateful() and not case.keeps_state():
            _leave_state(case.spec, model)  # which is not to be seen
        if max(sum(map(np.size, outputs)) for outputs in wanted) > _MOST_NUMBERS:
            return None
    except Exception:  # what Keras cannot build, save or run is no case
        return None
    try:
        arrival = arrive(way, case.way_out, case.verify)
        return Prepared(case, rows, wanted[: len(rows)], way, arrival)
    except Exception as e:
        return None if _refused(case, model, e) else said(e)


def _leave_state(spec: Spec, model: Any) -> None:
    model(batch_of(spec, make_rows(spec, 1)[0]))  # `predict` leaves the same, and compiles first


def said(error: Exception) -> str:
    """Return an error's type and the beginning of its message."""
    return f"{type(error).__name__}: {str(error)[:600]}"


def _refused(case: Case, model: Any, error: Exception) -> bool:
    """Whether a model is refused for what the docs say: no graph, tables, states, counted rows."""
    if not isinstance(error, SparkDLException):
        return not has_graph(case.spec, model)
    if case.spec.has_time_distributed_layers_over_unknown_sizes():
        return "does not give what the model gives" in str(error)
    if case.keeps_state() and case.spec.shares_a_state():
        return "and reads it again" in str(error)
    return isinstance(error, NotFrozenException)


def _lacks_rank(case: Case, error: Exception) -> bool:
    """Whether TensorFlow has lost the rank of an output when it froze the graph."""
    return case.way_in == "frozen graph" and "is unknown, so its column has no type" in str(error)


class Job:
    """A query that applies the models of some cases, one after the other, to the same frame.

    A model that a stage refuses is left out; `refused` has why.
    """

    def __init__(self, cases: Sequence[Prepared], spark: Any) -> None:
        self.cases = cases
        self.refused: dict[int, str | None] = {}  # None: for what the docs say
        self._places: dict[int, list[str]] = {}
        self._frame = side_by_side(cases, spark)
        for number, case in enumerate(cases):
            try:
                self._frame = self._with(number, case)
            except Exception as e:
                self.refused[number] = None if _lacks_rank(case.case, e) else said(e)

    def _with(self, number: int, one: Prepared) -> Any:
        manifest = read_manifest(Path(one.arrival.bundle))
        found, made = ([end["name"] for end in manifest[k]] for k in ("inputs", "outputs"))
        inputs = _input_names(one.case.spec, one.way, found)
        columns = {name: _column(number, inputs.index(name)) for name in found}
        outputs = {name: f"o{number}_{place}" for place, name in enumerate(made)}
        names = _output_names(one.case.spec, one.way, made)
        self._places[number] = [outputs[name] for name in names]
        return WAYS_OUT[one.case.way_out](one.arrival, columns, outputs, self._frame)

    def run(self) -> dict[int, dict[int, list[Any]]]:
        """Return what each case gives: for each of its rows a value per output."""
        places = {n: p for n, p in self._places.items() if n not in self.refused}
        rows = self._frame.select("i", *(c for p in places.values() for c in p)).collect()
        return {n: {r.i: [r[c] for c in p] for r in rows} for n, p in places.items()}


def _input_names(spec: Spec, way: Way, found: list[str]) -> list[str]:
    """Return what each input of the model is called in the bundle."""
    if way.inputs is not None:
        return way.inputs
    if spec.takes in ("dict", "ordered"):
        return [key for key, _ in input_structure(spec)[1]]
    return found


def _output_names(spec: Spec, way: Way, found: list[str]) -> list[str]:
    if way.outputs is not None:
        return way.outputs
    if spec.outputs[0] in ("dict", "ordered"):
        return distinct(["_".join(map(str, path)) for path, _ in leaf_refs(spec.outputs)])
    return found


def _column(number: int, place: int) -> str:
    return f"c{number}_{place}"


def side_by_side(cases: Sequence[Prepared], spark: Any) -> Any:
    """Return a frame with the inputs of cases, which have equally many rows.

    Where a case has nulls, there is one row more: with a null in the first input of such cases.
    """
    columns = {
        _column(n, i): _column_type(given.dtype, len(given.shape))
        for n, one in enumerate(cases)
        for i, given in enumerate(one.case.spec.inputs)
    }
    data = [
        [value.tolist() for one in cases for value in one.rows[i].values()]
        for i in range(len(cases[0].rows))
    ]
    if data and any(one.case.nulls for one in cases):
        data.append(
            [None if _is_null(name, cases) else v for name, v in zip(columns, data[0], strict=True)]
        )
    schema = ", ".join(["i int", *(f"{name} {kind}" for name, kind in columns.items())])
    rows = [(i, *row) for i, row in enumerate(data)]
    frame = spark.createDataFrame(rows, schema, verifySchema=False)
    return frame.coalesce(2)  # batches of several rows, and partitions without any


def _is_null(column: str, cases: Sequence[Prepared]) -> bool:
    number, place = column[1:].split("_")
    return place == "0" and cases[int(number)].case.nulls


def _column_type(dtype: str, rank: int) -> str:
    return "array<" * rank + _TYPES[dtype] + ">" * rank
