"""KerasEstimator in sessions of its own: where an executor is killed, and on IPv6."""

from __future__ import annotations

from pathlib import Path

import pytest
from separate_program import run_program
from test_network import loopback_of_ipv6

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """The file of a model with one layer."""
    import keras

    keras.utils.set_random_seed(1)
    file = tmp_path / "start.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]).save(file)
    return file


def test_an_executor_that_is_killed_in_mid_epoch_does_not_change_the_curve(start: Path) -> None:
    result, errors = run_program(PROGRAMS / "training_on_a_cluster.py", start, timeout=400)
    assert result["executors"] == 2
    assert result["killed"] == result["after"] == 1
    assert "The run lost workers:" in errors
    assert result["losses"] == pytest.approx(result["expected"], rel=1e-4)


def test_workers_train_where_spark_is_on_ipv6(start: Path) -> None:
    loopback_of_ipv6()
    result, _ = run_program(PROGRAMS / "training_over_ipv6.py", start)
    assert result["host"] == "[::1]"
    assert result["losses"][1] < result["losses"][0]
