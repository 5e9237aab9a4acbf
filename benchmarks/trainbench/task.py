"""What one run of one mode is given."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

MODES = {
    "keras": "Keras fit on NumPy arrays, all cores, no Spark",
    "one": "KerasEstimator, 1 worker on all cores",
    "two": "KerasEstimator, 2 workers on the same cores",
    "pieces": "the pieces of a step",
}


@dataclass(frozen=True)
class Task:
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

    @staticmethod
    def read(path: str) -> Task:
        """Read what `write` wrote."""
        return Task(**json.loads(Path(path).read_text()))

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self)))
