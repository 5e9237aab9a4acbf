"""What one run of one mode is given."""

from __future__ import annotations

from dataclasses import dataclass

from imagebench.on_disk import OnDisk

MODES = {
    "keras": "Keras fit on NumPy arrays, all cores, no Spark",
    "one": "KerasEstimator, 1 worker on all cores",
    "two": "KerasEstimator, 2 workers on the same cores",
    "strategy": "loop under MultiWorkerMirroredStrategy, 2 processes",
    "pieces": "the pieces of a step",
}


@dataclass(frozen=True)
class Task(OnDisk):
    """One mode with one network.

    Attributes
    ----------
    mode : str
        A key of `MODES`.
    network : str
        A key of `trainbench.networks.NETWORKS`.
    epochs : int
        That are timed; one more warms up.
    """

    mode: str
    network: str
    epochs: int
    cores: int
    driver_memory: str
