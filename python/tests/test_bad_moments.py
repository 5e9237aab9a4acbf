"""A short round of `tools/chaos`, which runs longer ones with all kinds of faults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHAOS = Path(__file__).resolve().parents[2] / "tools" / "chaos"
FAULTS = (
    "an executor is killed",
    "the models are away",
    "strangers connect to every port",
    "jobs are cancelled",
)
WORK = ("stage", "SQL function", "aggregate")


def test_results_are_right_or_fail_with_the_reason_and_nothing_is_left() -> None:
    command = [sys.executable, CHAOS, "--seed", "11", "--faults", *FAULTS, "--work", *WORK]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    for fault in FAULTS:
        assert f"1  {fault}" in done.stdout
