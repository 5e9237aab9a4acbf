"""KerasEstimator on executors of their own, of which one is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "training_on_a_cluster.py"


def test_an_executor_that_is_killed_in_mid_epoch_does_not_change_the_curve(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(1)
    file = tmp_path / "start.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]).save(file)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["executors"] == 2
    assert result["killed"] == result["after"] == 1
    assert "The run lost workers:" in done.stderr
    assert result["losses"] == pytest.approx(result["expected"], rel=1e-4)
