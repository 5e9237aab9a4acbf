"""On executors of their own: the model travels, and one that is killed loses nothing."""

from __future__ import annotations

from pathlib import Path

from separate_program import run_program

import sparkdl

PROGRAM = Path(__file__).parent / "programs" / "on_a_cluster.py"


def test_an_executor_that_is_killed_in_the_middle_loses_and_shifts_no_row(tmp_path: Path):
    bundle = sparkdl.save_bundle(
        lambda x: x * 2, tmp_path / "doubled", inputs={"x": ("float32", [None])}
    )
    result, _ = run_program(PROGRAM, bundle)
    assert result["executors"] == 2
    assert result["killed"] == 1
    assert result["rows"] == 4000
    assert result["in_order"]
    assert result["wrong"] == []
    assert result["analyzed"] == ["sparkdl.tensorShape"], "with registered classes alone"
    assert {"driver", "executor 0", "executor 1", "python", "session"} == set(result["places"])
    assert result["healthy"], f"1 GB executors suffice for most models: {result['problems']}"
