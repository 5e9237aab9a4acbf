"""Random programs of a row, run for many rows at once, against TensorFlow row by row.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED say how many and which; see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import expression_generator as generator
import numpy as np
import pytest
import tensorflow as tf
from expression_generator import COLUMNS, Program, evaluate, make_program, make_rows
from shrinking import shrink

import sparkdl.tensorframes as tfs

CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "40"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "0"))
TOGETHER = 10  # programs that one query runs
ROWS = make_rows(SEED, 7)
RELATIVE = {"float64": 1e-10, "float32": 1e-5}


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    """The rows, the sizes of whose arrays nobody knows."""
    schema = ", ".join(["i int", *(f"{name} {spec[0]}" for name, spec in COLUMNS.items())])
    rows = [(i, *(_plain(value) for value in row.values())) for i, row in enumerate(ROWS)]
    return spark.createDataFrame(rows, schema).repartition(3, "i").cache()


@pytest.fixture(scope="module")
def shaped(frame: Any) -> Any:
    """The same with all sizes known that are the same in all rows."""
    return tfs.analyze(frame).cache()


def _plain(value: Any) -> Any:
    array = value.numpy()
    return array.decode() if isinstance(array, bytes) else array.tolist()


def fault(program: Program, frame: Any) -> str | None:
    """Return what is wrong with a program's results, None if nothing is."""
    return faults([program], frame).get(0)


def faults(programs: Sequence[Program], frame: Any) -> dict[int, str]:
    """Return what is wrong with results of programs that one query runs, by the program's place."""
    wanted = {n: values for n, p in enumerate(programs) if (values := _row_by_row(p)) is not None}
    found: dict[int, str] = {}
    mapped = frame
    for n in list(wanted):
        try:
            mapped = tfs.map_rows(_function(programs[n], _names(n, programs[n])), mapped)
        except Exception as e:  # whatever went wrong, row by row it went well
            del wanted[n]
            if not _needs_sizes(e):
                found[n] = f"{type(e).__name__}: {str(e)[:300]}"
    columns = {n: _names(n, programs[n]) for n in wanted}
    try:
        rows = mapped.select("i", *(name for names in columns.values() for name in names)).collect()
    except Exception as e:
        return found | dict.fromkeys(wanted, f"{type(e).__name__}: {str(e)[:300]}")
    wrong = {n: _first_difference(rows, columns[n], values) for n, values in wanted.items()}
    return found | {n: why for n, why in wrong.items() if why is not None}


def _row_by_row(program: Program) -> list[list[Any]] | None:
    """Return what TensorFlow gives for each row; None if it does not take the program."""
    try:
        return [[evaluate(e, row) for row in ROWS] for e in program]
    except (tf.errors.OpError, ValueError, TypeError, IndexError):
        return None


def _names(number: int, program: Program) -> list[str]:
    return [f"out{number}_{i}" for i in range(len(program))]


def _function(program: Program, names: list[str]) -> Callable[..., dict[str, Any]]:
    def function(x: Any, v: Any, m: Any, f: Any, q: Any, n: Any, k: Any, b: Any, t: Any, s: Any,
                 r: Any) -> dict[str, Any]:  # fmt: skip
        row = dict(zip(COLUMNS, (x, v, m, f, q, n, k, b, t, s, r), strict=True))
        known: dict[Any, Any] = {}
        return {n: evaluate(e, row, known) for n, e in zip(names, program, strict=True)}

    return function


def _needs_sizes(error: Exception) -> bool:
    """Whether a program is refused since it needs sizes that are unknown here."""
    reasons = ("Cannot trace", "is unknown, so its column has no type")
    return any(reason in str(error) for reason in reasons)


def _first_difference(rows: Any, names: list[str], wanted: list[list[Any]]) -> str | None:
    for row in rows:
        for name, values in zip(names, wanted, strict=True):
            wrong = _difference(values[row.i], row[name])
            if wrong:
                return f"row {row.i}: {wrong}"
    return None if len(rows) == len(ROWS) else f"{len(rows)} rows"


def check(program: Program, frame: Any, case: int) -> None:
    """Fail with the smallest program that still does, if this one does by itself."""
    if fault(program, frame) is None:
        return
    least = shrink(program, generator.smaller_programs, lambda p: fault(p, frame) is not None)
    pytest.fail(
        f"SPARKDL_FUZZ_SEED={SEED}, case {case}, sizes {'known' if case % 3 else 'unknown'}. "
        f"The smallest program that fails: {least}: {fault(least, frame)}"
    )


def _difference(expected: Any, got: Any) -> str | None:
    if expected.dtype == tf.string:
        want = np.char.decode(np.asarray(expected.numpy()).astype(bytes), "utf-8")
    else:
        want = expected.numpy()
    have = np.asarray(got)
    if want.shape != have.shape:
        return f"expected {want.tolist()}, got {have.tolist()}"
    if expected.dtype.name in RELATIVE:
        finite = np.abs(want[np.isfinite(want)])
        off = RELATIVE[expected.dtype.name] * float(np.max(finite, initial=1.0))
        same = np.allclose(want, have.astype(want.dtype), rtol=0, atol=off, equal_nan=True)
    else:
        same = np.array_equal(want, have)
    return None if same else f"expected {want.tolist()}, got {have.tolist()}"


def test_programs_give_what_tensorflow_gives_for_each_row(frame: Any, shaped: Any) -> None:
    for sizes_known in (False, True):
        used = shaped if sizes_known else frame
        cases = [case for case in range(CASES) if bool(case % 3) == sizes_known]
        for first in range(0, len(cases), TOGETHER):
            _check_together(cases[first : first + TOGETHER], used)


def _check_together(cases: list[int], frame: Any) -> None:
    programs = [make_program(SEED * 1_000_000 + case, ROWS[:3]) for case in cases]
    found = faults(programs, frame)
    for place in found:
        check(programs[place], frame, cases[place])
    wrong = {cases[place]: (programs[place], why) for place, why in found.items()}
    assert not found, f"SPARKDL_FUZZ_SEED={SEED}: wrong beside others only: {wrong}"


def test_a_program_that_fails_is_made_as_small_as_it_can_be() -> None:
    program = make_program(3, ROWS[:3])
    deep = ("cumsum", (0,), ("sin", (), ("add", (), ("input", "v"), ("input", "v"))))

    def fails(candidate: Program) -> bool:
        return any("cumsum" in str(e) for e in candidate)

    assert shrink((*program, deep), generator.smaller_programs, fails) in (
        (("cumsum", (0,), ("input", name)),) for name in COLUMNS
    )
