"""Damaged states of trainings: the training goes on from the state before."""

from __future__ import annotations

import hashlib
import random
import warnings
from functools import partial
from typing import Any

import numpy as np

from fuzz.mutations import damage_bytes
from fuzz.tally import Tally
from fuzz.trees import scratch_folder
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._loop.training_state import pack_state

_DIGEST = 32


def fuzz_states(spark: Any, inputs: int, seed: int) -> Tally:
    """Read the newest of two states, of which the newest is damaged."""
    tally = Tally("states of trainings")
    arrays = [np.arange(12, dtype="float32").reshape(3, 4), np.array(7), np.zeros((0, 2), "int8")]
    with scratch_folder() as folder:
        checkpoints = Checkpoints(str(folder))
        checkpoints.write(1, 10, [pack_state({"epoch": 1}, arrays)])
        [old] = folder.iterdir()
        newest = folder / f"epoch-000002-step-000000020{old.suffix}"
        whole = pack_state({"epoch": 2, "history": {"loss": [0.5, 0.25]}}, arrays)
        for i in range(inputs):
            draw = random.Random(f"{seed}-state-{i}")
            data = damage_bytes(draw, whole)
            forged = draw.random() < 0.5  # with a hash that fits
            if forged:
                data = data[:-_DIGEST] + hashlib.sha256(data[:-_DIGEST]).digest()
            newest.write_bytes(data)
            name = f"seed {seed}, state {i}"
            found: list[Any] = []
            if tally.attempt(name, partial(_read, checkpoints, found)) and not forged:
                epoch = found[0][0].get("epoch")
                if epoch != (2 if data == whole else 1):
                    tally.fault(f"{name}: went on from epoch {epoch}")
    return tally.finish()


def _read(checkpoints: Checkpoints, found: list[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each says which state is skipped
        state = checkpoints.newest()
    assert state is not None
    assert isinstance(state[0], dict)
    found.append(state)
