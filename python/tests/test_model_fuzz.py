"""Random models of Keras 3 and tf_keras, by every way into Spark, against Keras on the same rows.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED say how many and which; see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from model_building import build
from model_generator import make_rows, make_spec
from model_shrinking import smaller_specs
from model_spec import Input, Node, Spec, input_structure, leaf_refs, packed
from model_ways import WAYS_IN, WAYS_OUT, Arrival, Way, arrive, flattened, has_graph
from shrinking import shrink

import sparkdl
from sparkdl._ends import distinct
from sparkdl._graph.freeze import NotFrozenException
from sparkdl.errors import SparkDLException

CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "50"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "0"))
SAMPLE = 200  # equal rows that Keras draws for: where these differ, so do seven
TYPES = {
    "float32": "float",
    "float64": "double",
    "int32": "int",
    "int64": "bigint",
    "bool": "boolean",
    "string": "string",
}


@dataclass(frozen=True)
class Case:
    """A model, how many rows it gets, and the way that it takes."""

    spec: Spec
    rows: int
    nulls: bool
    extremes: bool  # whether the first row has zeros, infinities and NaN
    way_in: str
    way_out: str


@dataclass(frozen=True)
class Drawn:
    """What Keras once gave for a row, and whether every row that was the same gave another."""

    example: Any
    all_differ: bool


def make_case(seed: int) -> Case:
    """Return a random case; every fourth is of tf_keras."""
    spec = make_spec(seed, "tf_keras" if seed % 4 == 3 else "keras")
    rng = np.random.default_rng(seed)
    case = Case(
        spec,
        int(rng.choice([0, 1, 3, 5, 7], p=[0.04, 0.16, 0.3, 0.3, 0.2])),
        bool(rng.random() < 0.3),
        bool(rng.random() < 0.2) and not spec.drawn(),
        str(rng.choice(list(WAYS_IN))),
        str(rng.choice(list(WAYS_OUT))),
    )
    if case.way_in == "function" and rng.random() < 0.3:
        case = replace(case, spec=replace(spec, style="subclassed"))
    return case


def fault(case: Case, spark: Any) -> str | None:
    """Return what is wrong with a case, None if nothing is, or if Keras does not take it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            rows = _rows(case)
            model = build(case.spec)
            way = WAYS_IN[case.way_in](case.spec, model, Path(folder))
            expected = _expected(case.spec, way.read or model, rows or make_rows(case.spec, 1))
            if case.spec.is_stateful():
                model.predict(_batch(case.spec, make_rows(case.spec, 1)[0]), verbose=0)
        except Exception:  # what Keras cannot build, save or run is no case
            return None
        try:
            arrival = arrive(way)
        except Exception as e:
            return None if _refused(case, model, e) else f"{type(e).__name__}: {str(e)[:600]}"
        try:
            got = _applied(case, way, arrival, rows, spark)
        except Exception as e:
            return f"{type(e).__name__}: {str(e)[:600]}"
    return _first_difference(case, expected[: len(rows)], got)


def _refused(case: Case, model: Any, error: Exception) -> bool:
    """Whether a model is refused for what the docs say: no graph, tables, rows that are counted."""
    if not isinstance(error, SparkDLException):
        return not has_graph(case.spec, model)
    if case.spec.has_time_distributed_layers_over_unknown_sizes():
        return "does not give what the model gives" in str(error)
    return isinstance(error, NotFrozenException)


def _rows(case: Case) -> list[dict[int, Any]]:
    """Return the rows of a case, all the same where random numbers make them differ."""
    rows = make_rows(case.spec, case.rows, case.extremes)
    return rows[:1] * len(rows) if case.spec.drawn() else rows


def _batch(spec: Spec, row: dict[int, Any], count: int = 1) -> Any:
    rows = {i: np.stack([value] * (spec.batch or count)) for i, value in row.items()}
    tensors = {(i, 0): keras.ops.convert_to_tensor(value) for i, value in rows.items()}
    return packed(input_structure(spec), tensors)


def _called(spec: Spec, model: Any, row: dict[int, Any], count: int = 1) -> list[Any]:
    """Return what a model gives for a batch of a row, from its initial state on."""
    if not spec.is_stateful():
        made = model(_batch(spec, row, count), training=False)
    elif spec.library == "tf_keras":
        model.reset_states()
        made = model(_batch(spec, row, count), training=False)
    else:
        with keras.StatelessScope():
            made = model(_batch(spec, row, count), training=False)
    outputs = [np.asarray(tensor) for tensor in flattened(spec, made)]
    if any(output.shape[0] != (spec.batch or count) for output in outputs):
        raise ValueError("The model mixes rows.")
    return outputs


def _expected(spec: Spec, model: Any, rows: list[dict[int, Any]]) -> list[list[Any]]:
    """Return an array per output for each row, or `Drawn` where random numbers decide it."""
    if rows and spec.drawn():
        return [_drawn(spec, model, rows[0])] * len(rows)
    return [[output[0] for output in _called(spec, model, row)] for row in rows]


def _drawn(spec: Spec, model: Any, row: dict[int, Any]) -> list[Any]:
    calls = SAMPLE // (spec.batch or SAMPLE)
    made = zip(*(_called(spec, model, row, SAMPLE) for _ in range(calls)), strict=True)
    outputs = zip(map(np.concatenate, made), leaf_refs(spec.outputs), strict=True)
    drawn = spec.drawn()
    return [
        Drawn(values[0], _all_differ(list(values))) if ref in drawn else values[0]
        for values, (_, ref) in outputs
    ]


def _all_differ(values: list[Any]) -> bool:
    return len({np.asarray(v).tobytes() for v in values}) == len(values)


def _applied(
    case: Case, way: Way, arrival: Arrival, rows: list[Any], spark: Any
) -> dict[int, list[Any]]:
    model = sparkdl.load_model(arrival.bundle)
    inputs = _input_names(case.spec, way, [i.name for i in model.inputs])
    outputs = _output_names(case.spec, way, [o.name for o in model.outputs])
    order = [i.name for i in model.inputs]
    columns = {name: f"c{inputs.index(name)}" for name in order}
    made = WAYS_OUT[case.way_out](
        arrival, columns, [o.name for o in model.outputs], _frame(case, rows, spark)
    )
    found = {}
    places = [[o.name for o in model.outputs].index(name) for name in outputs]
    for row in made.collect():
        found[row.i] = [row[f"o{place}"] for place in places]
    return found


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


def _frame(case: Case, rows: list[Any], spark: Any) -> Any:
    types = [_column_type(i.dtype, len(i.shape)) for i in case.spec.inputs]
    schema = ", ".join(["i int", *(f"c{i} {t}" for i, t in enumerate(types))])
    data = [(n, *(row[i].tolist() for i in range(len(types)))) for n, row in enumerate(rows)]
    if case.nulls and data:
        data.append((len(rows), *(None if i == 0 else v for i, v in enumerate(data[0][1:]))))
    return spark.createDataFrame(data, schema)  # in more partitions than it often has rows


def _column_type(dtype: str, rank: int) -> str:
    return "array<" * rank + TYPES[dtype] + ">" * rank


def _first_difference(case: Case, expected: list[Any], got: dict[int, list[Any]]) -> str | None:
    null_rows = 1 if case.nulls and expected else 0
    if len(got) != len(expected) + null_rows:
        return f"{len(got)} rows of {len(expected) + null_rows}"
    if null_rows and any(value is not None for value in got[len(expected)]):
        return f"a row with a null gives {got[len(expected)]}"
    loose = case.spec.policy.startswith("mixed") or "float16" in str(case.spec)
    for k, wanted in enumerate(zip(*expected[case.extremes :], strict=True)):
        found = [got[i][k] for i in range(case.extremes, len(expected))]
        if isinstance(wanted[0], Drawn):
            if not _drawn_alike(wanted[0], found):
                return f"output {k}, which is drawn: expected {wanted[0]}, got {found}"
            continue
        off = (5e-2 if loose else 1e-4) * _scale(wanted)
        for i, (want, have) in enumerate(zip(wanted, found, strict=True), int(case.extremes)):
            if not _same(want, have, off):
                return f"output {k} of row {i}: expected {want.tolist()}, got {have}"
    return None


def _drawn_alike(want: Drawn, found: list[Any]) -> bool:
    arrays = [np.asarray(have) for have in found]
    shapes = all(a.shape == want.example.shape for a in arrays)
    return shapes and (not want.all_differ or _all_differ(arrays))


def _scale(values: Any) -> float:
    numbers = [np.abs(v[np.isfinite(v)]) for v in values if v.dtype.kind == "f" and v.size]
    return float(max((np.max(n, initial=0.0) for n in numbers), default=0.0)) + 1e-2


def _same(want: Any, have: Any, off: float) -> bool:
    if want.dtype == object:
        want = np.char.decode(want.astype(bytes), "utf-8")
    found = np.asarray(have)
    if want.shape != found.shape:
        return False
    if want.dtype.kind in "fV":
        wide = want.astype(np.float64)
        return np.allclose(wide, found.astype(np.float64), rtol=0, atol=off, equal_nan=True)
    return np.array_equal(want, found)


def check(case: Case, spark: Any) -> None:
    """Fail with the smallest case that still does, if this one does."""
    if fault(case, spark) is None:
        return
    least = shrink(case, smaller_cases, lambda c: fault(c, spark) is not None, most=60)
    pytest.fail(
        f"SPARKDL_FUZZ_SEED={case.spec.seed}: the smallest model that fails: {least}: "
        f"{fault(least, spark)}"
    )


def smaller_cases(case: Case) -> Any:
    """Give cases with fewer rows, on the shortest way, or with a smaller model."""
    yield from (replace(case, spec=spec) for spec in smaller_specs(case.spec))
    if case.nulls:
        yield replace(case, nulls=False)
    if case.extremes:
        yield replace(case, extremes=False)
    if case.rows > 1:
        yield replace(case, rows=1, extremes=False)
    if case.way_in != "live":
        yield replace(case, way_in="live")
    if case.way_out != "column":
        yield replace(case, way_out="column")


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")  # inputs without names
def test_models_give_in_spark_what_they_give_in_keras(spark: Any) -> None:
    for number in range(CASES):
        check(make_case(SEED * 1_000_000 + number), spark)


def test_a_model_that_fails_is_made_as_small_as_it_can_be() -> None:
    layers = [
        ("Dense", {"units": 3}),
        ("Rescaling", {"scale": 2.0}),
        ("Conv1D", {"filters": 2, "kernel_size": 2}),
        ("Flatten", {}),
    ]
    nodes = tuple(Node(layer, ((i + 1, 0),)) for i, layer in enumerate(layers))
    ends = (("a", ("leaf", (5, 0))), ("b", ("leaf", (2, 0))), ("c", ("leaf", (0, 0))))
    inputs = (Input("other", "int32", (2,)), Input("x", "float32", (5, 3)))
    spec = Spec(0, inputs, nodes, ("dict", ends), takes="dict", style="nested")

    def fails(candidate: Spec) -> bool:
        try:
            build(candidate)
        except Exception:
            return False
        return any(n.layer[0] == "Rescaling" for n in candidate.nodes)

    least = shrink(spec, smaller_specs, fails)
    assert [n.layer[0] for n in least.nodes] == ["Rescaling"], least
    assert (len(least.inputs), least.style, least.outputs) == (1, "functional", ("leaf", (1, 0)))
