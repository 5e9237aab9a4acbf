"""Damaged files and messages of every kind, from a seed: `python tools/fuzz` runs more of them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from fuzz.kinds import KINDS

# Those that TensorFlow or a job of Spark's has a part in cost more.
INPUTS = {
    "images": 3000,
    "bundles": 500,
    "keras": 500,
    "stages": 60,
    "states": 3000,
    "messages": 3000,
}


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_refused_with_a_reason_and_moves_nothing_else(spark: Any, kind: str) -> None:
    inputs = int(os.environ.get("SPARKDL_FUZZ_INPUTS", INPUTS[kind]))
    seed = int(os.environ.get("SPARKDL_FUZZ_SEED", "5"))
    tally = KINDS[kind](spark, inputs, seed)
    assert not tally.faults, str(tally)
    assert sum(tally.outcomes.values()) >= inputs
