"""KerasEstimator on executors of their own, of which one is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from separate_program import run_program

PROGRAM = Path(__file__).parent / "programs" / "training_on_a_cluster.py"


def test_an_executor_that_is_killed_in_mid_epoch_does_not_change_the_curve(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(1)
    file = tmp_path / "start.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]).save(file)
    result, errors = run_program(PROGRAM, file, timeout=400)
    assert result["executors"] == 2
    assert result["killed"] == result["after"] == 1
    assert "The run lost workers:" in errors
    assert result["losses"] == pytest.approx(result["expected"], rel=1e-4)
