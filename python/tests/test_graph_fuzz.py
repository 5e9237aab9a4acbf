"""Random SavedModels and graphs: what the JVM gives for them is what TensorFlow gives here.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED choose how many, and which. When one fails, the smallest
program that still does is shown.
"""

from __future__ import annotations

import os
import random
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from graph_programs import WIDTH, Program, by_chance, new_table
from pyspark.sql import functions as F

import sparkdl
from sparkdl import TFInputGraph, TFTransformer
from sparkdl._bundles.graph import weights

v1 = tf.compat.v1
CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "40"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "12"))
TOGETHER = 20  # programs that one query runs, if they have equally many rows
SMALLER_AT_MOST = 40


class Module(tf.Module):
    """A program as an object of TensorFlow 2, with a second function that gives other numbers."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        made = tf.Variable if program.variable else tf.constant
        self.weights = [made(w) for w in program.weights()]
        self.table = new_table() if program.has_table else None
        spec = tf.TensorSpec([program.batch, WIDTH], program.dtype, "x")
        self.run = tf.function(lambda x: program.run(x, self.weights, self.table), [spec])
        self.negative = tf.function(lambda x: {"y0": -x}, [spec])

    def save(self, folder: Path, program: str = "serving_default", other: str = "other") -> str:
        """Write it as a SavedModel whose signatures have these names."""
        tf.saved_model.save(self, str(folder), {program: self.run, other: self.negative})
        return str(folder)


@pytest.fixture(autouse=True)
def large_weights_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let models have weights beside their graph and in it; theirs are all small."""
    monkeypatch.setattr(weights, "LARGE_BYTES", 64)


def graph_of(program: Program) -> Any:
    """Return a program as a graph of TensorFlow 1."""
    (v1.disable_control_flow_v2 if program.old else v1.enable_control_flow_v2)()
    try:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(program.dtype, [program.batch, WIDTH], "x")
            weights: list[Any] = [
                v1.get_variable(f"w{i}", initializer=w) if program.variable else tf.constant(w)
                for i, w in enumerate(program.weights())
            ]
            for name, tensor in program.run(x, weights, None).items():
                # TensorFlow 1's loops lose it, and a graph has no signature that tells it.
                tf.identity(tf.ensure_shape(tensor, [program.batch, WIDTH]), name=name)
        return graph
    finally:
        v1.enable_control_flow_v2()


def _saved(program: Program, folder: Path) -> Any:
    return sparkdl.load_model(Module(program).save(folder))


def _bundle(program: Program, folder: Path) -> Any:
    saved = Module(program).save(folder / "saved", "named", "serving_default")
    made = sparkdl.save_bundle(saved, folder / "bundle", signature="named")
    return sparkdl.load_model(made)


def _saved_by_a_session(program: Program, folder: Path) -> str:
    """Write a SavedModel of TensorFlow 1 with two signatures."""
    graph, builder = graph_of(program), v1.saved_model.Builder(str(folder / "saved"))
    with v1.Session(graph=graph) as session, graph.as_default():
        x = graph.get_tensor_by_name("x:0")
        outputs = {name: graph.get_tensor_by_name(f"{name}:0") for name in _outputs(program)}
        signatures = {
            name: v1.saved_model.predict_signature_def({"x": x}, given)
            for name, given in (("serving_default", outputs), ("other", {"y0": -x}))
        }
        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(session, ["serve"], signatures)
    builder.save()
    return str(folder / "saved")


def _saved_1(program: Program, folder: Path) -> Any:
    return sparkdl.load_model(_saved_by_a_session(program, folder))


def _bundle_1(program: Program, folder: Path) -> Any:
    saved = _saved_by_a_session(program, folder)
    return sparkdl.load_model(sparkdl.save_bundle(saved, folder / "bundle"))


def _frozen(program: Program, folder: Path) -> Any:
    from sparkdl._bundles.graph.session import freeze_by_session

    graph, names = graph_of(program), _outputs(program)
    with v1.Session(graph=graph) as session, graph.as_default():
        session.run(v1.global_variables_initializer())
        frozen = weights.put_back(*freeze_by_session(session, graph, names))
    (folder / "graph.pb").write_bytes(frozen.SerializeToString())
    return sparkdl.load_model(folder / "graph.pb", inputs=["x"], outputs=names)


def _session(program: Program, folder: Path) -> Any:
    graph = graph_of(program)
    with v1.Session(graph=graph) as session, graph.as_default():
        session.run(v1.global_variables_initializer())
        return TFInputGraph.fromGraph(graph, session, ["x"], _outputs(program))


def _outputs(program: Program) -> list[str]:
    return [f"y{i}" for i in range(len(program.outputs))]


def _columns(model: Any, frame: Any, x: str, y: str) -> Any:
    return _as_struct(model, frame.withColumn(y, model(x)), y)


def _function(model: Any, frame: Any, x: str, y: str) -> Any:
    model.register(f"fuzzed_{y}")
    return _as_struct(model, frame.withColumn(y, F.expr(f"fuzzed_{y}({x})")), y)


def _as_struct(model: Any, frame: Any, y: str) -> Any:
    names = [o.name for o in model.outputs]
    single = F.struct(F.col(y).alias(names[0]))  # a model of one output gives no struct
    return frame if len(names) > 1 else frame.withColumn(y, single)


def _appended(model: Any, frame: Any, x: str, y: str) -> Any:
    columns = {o.name: f"{y}_{o.name}" for o in model.outputs}
    return _gathered(model.append_to(frame, x, list(columns.values())), columns, y)


def _stage(graph: Any, frame: Any, x: str, y: str) -> Any:
    columns = {name: f"{y}_{name}" for name in graph.outputs}
    stage = TFTransformer(tfInputGraph=graph, inputMapping={x: "x"}, outputMapping=columns)
    return _gathered(stage.transform(frame), columns, y)


def _gathered(frame: Any, columns: dict[str, str], y: str) -> Any:
    fields = [F.col(column).alias(name) for name, column in columns.items()]
    return frame.withColumn(y, F.struct(*fields)).drop(*columns.values())


# How a program comes in, how it is run, and whether it can have a table.
WAYS: dict[str, tuple[Callable[..., Any], Callable[..., Any], bool]] = {
    "SavedModel, column": (_saved, _columns, True),
    "SavedModel, SQL function": (_saved, _function, True),
    "bundle, column": (_bundle, _columns, True),
    "bundle, append_to": (_bundle, _appended, True),
    "SavedModel of TensorFlow 1, column": (_saved_1, _columns, False),
    "bundle of TensorFlow 1, append_to": (_bundle_1, _appended, False),
    "frozen graph, SQL function": (_frozen, _function, False),
    "session's graph, stage": (_session, _stage, False),
}


def frame_of(spark: Any, programs: Sequence[Program]) -> Any:
    """Return the rows of programs with equally many, side by side: those of the first in x0.

    Every seventh row is null for what leaves a null null.
    """
    kinds = {"float32": "float", "float64": "double", "int32": "int", "int64": "bigint"}
    types = [f"x{n} array<{kinds[p.dtype]}>" for n, p in enumerate(programs)]
    columns = [_values(program) for program in programs]
    rows = [(i, *values) for i, values in enumerate(zip(*columns, strict=True))]
    frame = spark.createDataFrame(rows, ", ".join(["id int", *types]))
    return frame.repartition(programs[0].partitions)


def _values(program: Program) -> list[Any]:
    data = program.data().tolist()
    return [None if _has_nulls(program) and _is_null(i) else row for i, row in enumerate(data)]


def _has_nulls(program: Program) -> bool:
    return WAYS[program.way][1] in (_columns, _function)


def _is_null(row: int) -> bool:
    return row % 7 == 5


def problem(spark: Any, program: Program, folder: Path) -> str | None:
    """Say what is wrong with what the JVM gives for a program; None if nothing is."""
    return problems(spark, [program], folder).get(0)


def problems(spark: Any, programs: Sequence[Program], folder: Path) -> dict[int, str]:
    """Say what is wrong with programs that one query runs, by their places."""
    found: dict[int, str] = {}
    frame = frame_of(spark, programs)
    for n, program in enumerate(programs):
        place = folder / str(n)
        place.mkdir(parents=True)
        load, run, _ = WAYS[program.way]
        try:
            frame = run(load(program, place), frame, f"x{n}", f"y{n}")
        except Exception:  # whatever it is, it is to be seen with its program
            found[n] = traceback.format_exc(limit=-3)
    running = [n for n in range(len(programs)) if n not in found]
    try:
        rows = {r.id: r for r in frame.select("id", *(f"y{n}" for n in running)).collect()}
    except Exception:
        return found | dict.fromkeys(running, traceback.format_exc(limit=-3))
    for n in running:
        why = _difference(programs[n], {i: row[f"y{n}"] for i, row in rows.items()})
        if why is not None:
            found[n] = why
    return found


def _difference(program: Program, got: dict[int, Any]) -> str | None:
    expected = program.expected()
    for i in range(program.rows):
        if _has_nulls(program) and _is_null(i):
            if got[i] is not None and any(v is not None for v in got[i]):
                return f"row {i} is null, got {got[i]}"
        elif wrong := [n for n, e in expected.items() if not np.allclose(got[i][n], e[i], 1e-5)]:
            return f"row {i}, {wrong[0]}: expected {expected[wrong[0]][i]}, got {got[i][wrong[0]]}"
    return None


def smallest(spark: Any, program: Program, why: str, folder: Path) -> tuple[Program, str]:
    """Return the smallest program with a problem that is found by leaving things out."""
    tried = 0
    smaller = program.smaller()
    while smaller and tried < SMALLER_AT_MOST:
        candidate = smaller.pop(0)
        tried += 1
        found = problem(spark, candidate, folder / f"smaller{tried}")
        if found is not None:
            program, why, smaller = candidate, found, candidate.smaller()
    return program, why


def test_what_comes_out_is_what_tensorflow_gives(spark: Any, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    tables = {way: table for way, (_, _, table) in WAYS.items()}
    by_rows = defaultdict(list)
    for number in range(CASES):
        program = by_chance(chance, tables)
        by_rows[program.rows].append((number, program))
    for cases in by_rows.values():
        for first in range(0, len(cases), TOGETHER):
            check(spark, dict(cases[first : first + TOGETHER]), tmp_path)


def check(spark: Any, cases: dict[int, Program], folder: Path) -> None:
    """Fail with the smallest program that still does, if one of these does."""
    numbers, programs = list(cases), list(cases.values())
    found = problems(spark, programs, folder / f"with{numbers[0]}")
    for place in found:
        number, own = numbers[place], folder / str(numbers[place])
        why = problem(spark, programs[place], own)
        if why is not None:
            program, why = smallest(spark, programs[place], why, own)
            pytest.fail(f"case {number} of seed {SEED}, made smaller: {program}\n{why}")
    wrong = {numbers[place]: (programs[place], why) for place, why in found.items()}
    assert not found, f"seed {SEED}: wrong beside others only: {wrong}"


def test_another_signature_is_another_model(spark: Any, tmp_path: Path) -> None:
    program = by_chance(random.Random(SEED), {"bundle, append_to": True})  # rows without nulls
    folder = Module(program).save(tmp_path / "saved")
    negative = sparkdl.load_model(folder, signature="other")
    frame = frame_of(spark, [program])
    got = {r.id: r.y for r in frame.select("id", negative("x0").alias("y")).collect()}
    assert np.allclose([got[i] for i in range(program.rows)], -program.data())
