"""How long the sequences of each step are: as long as the longest of the global batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._placement.lanes import EpochBatches
from sparkdl._placement.local_arrays import Rows
from sparkdl._processes.worker import Worker
from sparkdl.training._loop.ring import Ring


def sizes_of_steps(
    rows: Rows, batches: EpochBatches, ring: Ring, worker: Worker
) -> NDArray[np.int64]:
    """Return [steps, sizes]: what all workers pad their rows of each step to, see `Rows.largest`.

    Each knows its own rows only, so they tell each other once per epoch.
    """
    steps = batches.order.steps
    if rows.lengths is None:
        return np.zeros((steps, 0), np.int64)
    own = np.array([rows.largest(batches.rows(step)) for step in range(steps)], "float64")
    every = np.zeros((worker.count, *own.shape))
    every[worker.rank] = own
    flat: NDArray[Any] = every.ravel()
    ring.sum(flat)
    largest: NDArray[np.int64] = flat.reshape(every.shape).max(axis=0).astype("int64")
    return largest
