"""On executors of their own: the model travels, and one that is killed loses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import sparkdl

PROGRAM = Path(__file__).parent / "programs" / "on_a_cluster.py"


def test_an_executor_that_is_killed_in_the_middle_loses_and_shifts_no_row(tmp_path: Path):
    bundle = sparkdl.save_bundle(
        lambda x: x * 2, tmp_path / "doubled", inputs={"x": ("float32", [None])}
    )
    done = subprocess.run(
        [sys.executable, str(PROGRAM), bundle],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["executors"] == 2
    assert result["killed"] == 1
    assert result["rows"] == 4000
    assert result["in_order"]
    assert result["wrong"] == []
    assert result["analyzed"] == ["sparkdl.tensorShape"], "with registered classes alone"
    assert {"driver", "executor 0", "executor 1", "python", "session"} == set(result["places"])
    # 1 GB executors with the default overhead are too small for models, and the doctor says so.
    assert len(result["problems"]) == 1
    assert "set spark.executor.memoryOverhead" in result["problems"][0]
