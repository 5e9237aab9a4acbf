"""Random SavedModels and graphs: what the JVM gives for them is what TensorFlow gives here.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED choose how many, and which. When one fails, the smallest
program that still does is shown.
"""

from __future__ import annotations

import os
import random
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from graph_programs import WIDTH, Program, by_chance, new_table

import sparkdl
from sparkdl import TFInputGraph, TFTransformer

v1 = tf.compat.v1
CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "40"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "12"))
SMALLER_AT_MOST = 40


class Module(tf.Module):
    """A program as an object of TensorFlow 2, with a second signature that gives other numbers."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        made = tf.Variable if program.variable else tf.constant
        self.weights = [made(w) for w in program.weights()]
        self.table = new_table() if program.has_table else None
        spec = tf.TensorSpec([program.batch, WIDTH], program.dtype, "x")
        self.run = tf.function(lambda x: program.run(x, self.weights, self.table), [spec])
        self.negative = tf.function(lambda x: {"y0": -x}, [spec])

    def save(self, folder: Path) -> str:
        """Write it as a SavedModel."""
        signatures = {"serving_default": self.run, "negative": self.negative}
        tf.saved_model.save(self, str(folder), signatures)
        return str(folder)


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
    saved = Module(program).save(folder / "saved")
    return sparkdl.load_model(sparkdl.save_bundle(saved, folder / "bundle"))


def _frozen(program: Program, folder: Path) -> Any:
    from sparkdl._graph.session import frozen_by

    graph, names = graph_of(program), _outputs(program)
    with v1.Session(graph=graph) as session, graph.as_default():
        session.run(v1.global_variables_initializer())
        frozen = frozen_by(session, graph, names)
    (folder / "graph.pb").write_bytes(frozen.SerializeToString())
    return sparkdl.load_model(folder / "graph.pb", inputs=["x"], outputs=names)


def _session(program: Program, folder: Path) -> Any:
    graph = graph_of(program)
    with v1.Session(graph=graph) as session, graph.as_default():
        session.run(v1.global_variables_initializer())
        return TFInputGraph.fromGraph(graph, session, ["x"], _outputs(program))


def _outputs(program: Program) -> list[str]:
    return [f"y{i}" for i in range(len(program.outputs))]


def _columns(model: Any, frame: Any) -> Any:
    names = [o.name for o in model.outputs]
    made = frame.select("id", model("x").alias("y"))
    return made if len(names) > 1 else made.selectExpr("id", f"struct(y AS {names[0]}) AS y")


def _appended(model: Any, frame: Any) -> Any:
    names = [o.name for o in model.outputs]
    return model.append_to(frame, "x", names).selectExpr("id", f"struct({', '.join(names)}) AS y")


def _function(model: Any, frame: Any) -> Any:
    model.register("fuzzed")
    made = frame.selectExpr("id", "fuzzed(x) AS y")
    names = [o.name for o in model.outputs]
    return made if len(names) > 1 else made.selectExpr("id", f"struct(y AS {names[0]}) AS y")


def _stage(graph: Any, frame: Any) -> Any:
    outputs = {n: n for n in graph.outputs}
    stage = TFTransformer(tfInputGraph=graph, inputMapping={"x": "x"}, outputMapping=outputs)
    return stage.transform(frame).selectExpr("id", f"struct({', '.join(outputs)}) AS y")


# How a program comes in, how it is run, and whether it can have a table.
WAYS: dict[str, tuple[Callable[..., Any], Callable[..., Any], bool]] = {
    "SavedModel, column": (_saved, _columns, True),
    "SavedModel, SQL function": (_saved, _function, True),
    "bundle, column": (_bundle, _columns, True),
    "bundle, append_to": (_bundle, _appended, True),
    "frozen graph, SQL function": (_frozen, _function, False),
    "session's graph, stage": (_session, _stage, False),
}


def frame_of(spark: Any, program: Program, nulls: bool = False) -> Any:
    """Return the rows; with nulls, every seventh is one."""
    kind = {"float32": "float", "float64": "double", "int32": "int", "int64": "bigint"}
    rows = [
        (i, None if nulls and _is_null(i) else r.tolist()) for i, r in enumerate(program.data())
    ]
    frame = spark.createDataFrame(rows, f"id int, x array<{kind[program.dtype]}>")
    return frame.repartition(program.partitions)


def _is_null(row: int) -> bool:
    return row % 7 == 5


def problem(spark: Any, program: Program, folder: Path) -> str | None:
    """Say what is wrong with what the JVM gives for a program; None if nothing is."""
    folder.mkdir(parents=True)
    load, run, _ = WAYS[program.way]
    nulls = run in (_columns, _function)  # which leave a null null
    frame = frame_of(spark, program, nulls)
    try:
        got = {r.id: r.y for r in run(load(program, folder), frame).collect()}
        expected = program.expected()
    except Exception:  # whatever it is, it is to be seen with its program
        return traceback.format_exc(limit=-3)
    for i in range(program.rows):
        if nulls and _is_null(i):
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
    for number in range(CASES):
        program = by_chance(chance, tables)
        why = problem(spark, program, tmp_path / str(number))
        if why is not None:
            program, why = smallest(spark, program, why, tmp_path / str(number))
            pytest.fail(f"case {number} of seed {SEED}, made smaller: {program}\n{why}")


def test_another_signature_is_another_model(spark: Any, tmp_path: Path) -> None:
    program = by_chance(random.Random(SEED), {"SavedModel, column": True})
    folder = Module(program).save(tmp_path / "saved")
    negative = sparkdl.load_model(folder, signature="negative")
    frame = frame_of(spark, program)
    got = {r.id: r.y for r in frame.select("id", negative("x").alias("y")).collect()}
    assert np.allclose([got[i] for i in range(program.rows)], -program.data())
