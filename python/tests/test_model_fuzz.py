"""Random Keras models, by every way into Spark, against Keras on the same rows.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED say how many and which; see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from model_generator import (
    Input,
    Node,
    Spec,
    build,
    input_structure,
    leaf_refs,
    make_rows,
    make_spec,
    packed,
    smaller_specs,
)
from model_ways import WAYS_IN, WAYS_OUT, Way, flattened
from shrinking import shrink

import sparkdl
from sparkdl._graph.freeze import NotFrozenException
from sparkdl.errors import SparkDLException

CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "60"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "0"))
# Models that are known to go wrong and wait for a mend: to switch them on, remove the line.
WAITING = {
    "nested outputs",
    "ordered inputs",
    "ordered outputs",
    "colliding names",
    "fixed batch",
    "stateful layers",
    "drawing layers",
    # Keras 3.15 counts the rows instead of the steps where it traces with both unknown; such a
    # model is refused when it is compared with its bundle.
    "time-distributed layers over unknown sizes",
}
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


def make_case(seed: int) -> Case | None:
    """Return a random case; None if its model waits for a mend."""
    spec = make_spec(seed)
    rng = np.random.default_rng(seed)
    case = Case(
        spec,
        int(rng.choice([0, 1, 3, 5, 7], p=[0.04, 0.16, 0.3, 0.3, 0.2])),
        bool(rng.random() < 0.3),
        bool(rng.random() < 0.2),
        str(rng.choice(list(WAYS_IN))),
        str(rng.choice(list(WAYS_OUT))),
    )
    if case.way_in == "function" and rng.random() < 0.3:
        case = replace(case, spec=replace(spec, style="subclassed"))
    return None if spec.tags() & WAITING else case


def fault(case: Case, spark: Any) -> str | None:
    """Return what is wrong with a case, None if nothing is, or if Keras does not take it."""
    try:
        model = build(case.spec)
        rows = make_rows(case.spec, case.rows, case.extremes)
        expected = [_expected(case.spec, model, row) for row in rows]
        if "stateful layers" in case.spec.tags():
            model.predict(_batch(case.spec, make_rows(case.spec, 1)[0]), verbose=0)
    except Exception:  # what Keras cannot build or run is no case
        return None
    with tempfile.TemporaryDirectory() as folder:
        try:
            way = WAYS_IN[case.way_in](case.spec, model, Path(folder))
        except Exception as e:
            return None if _beyond(case, e) else f"{type(e).__name__}: {str(e)[:600]}"
        try:
            got = _applied(case, way, rows, spark)
        except Exception as e:
            return f"{type(e).__name__}: {str(e)[:600]}"
    return _first_difference(case, expected, got)


def _beyond(case: Case, error: Exception) -> bool:
    """Whether this way is not open: Keras or TensorFlow cannot go it, or tables are refused."""
    if isinstance(error, SparkDLException):
        return "Keras cannot load" in str(error) or isinstance(error, NotFrozenException)
    return case.way_in in (".h5", ".keras", "SavedModel", "frozen graph")


def _batch(spec: Spec, row: dict[int, Any]) -> Any:
    rows = {i: np.stack([value] * (spec.batch or 1)) for i, value in row.items()}
    tensors = {(i, 0): keras.ops.convert_to_tensor(value) for i, value in rows.items()}
    return packed(input_structure(spec), tensors)


def _expected(spec: Spec, model: Any, row: dict[int, Any]) -> list[Any]:
    # A layer with a state begins with its initial one in every batch of Spark.
    with keras.StatelessScope() if "stateful layers" in spec.tags() else nullcontext():
        made = model(_batch(spec, row), training=False)
    return [np.asarray(tensor)[0] for tensor in flattened(spec, made)]


def _applied(case: Case, way: Way, rows: list[Any], spark: Any) -> dict[int, list[Any]]:
    model = sparkdl.load_model(way.bundle)
    inputs = _input_names(case.spec, way, [i.name for i in model.inputs])
    outputs = _output_names(case.spec, way, [o.name for o in model.outputs])
    order = [i.name for i in model.inputs]
    columns = {name: f"c{inputs.index(name)}" for name in order}
    made = WAYS_OUT[case.way_out](
        way, columns, [o.name for o in model.outputs], _frame(case, rows, spark)
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
        return ["_".join(map(str, path)) for path, _ in leaf_refs(spec.outputs)]
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
    scales = [_scale(values) for values in zip(*expected[case.extremes :], strict=True)]
    for i, values in enumerate(expected[case.extremes :], int(case.extremes)):
        for k, (want, have) in enumerate(zip(values, got[i], strict=True)):
            drawn = "drawing layers" in case.spec.tags()
            off = np.inf if drawn else (5e-2 if loose else 1e-4) * scales[k]
            if not _same(want, have, off):
                return f"output {k} of row {i}: expected {want.tolist()}, got {have}"
    return None


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


def test_models_give_in_spark_what_they_give_in_keras(spark: Any) -> None:
    done = 0
    for number in range(20 * CASES):
        case = make_case(SEED * 1_000_000 + number)
        if case is not None:
            check(case, spark)
            done += 1
        if done == CASES:
            break
    assert done == CASES, "most models wait for a mend"


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
