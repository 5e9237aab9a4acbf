"""What one run of one mode is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imagebench.on_disk import OnDisk

MODES = {
    "a": "TensorFlow session on the NumPy array, no Spark",
    "b": "Keras predict on the NumPy array, no Spark",
    "c": "Spark predict_batch_udf + Keras",
    "d": "Spark pandas_udf + Keras",
    "e": "sparkdl KerasTransformer",
    "f": "sparkdl SQL function",
}
COLUMNS = {"x": "array<float>", "v": "MLlib vector"}


@dataclass(frozen=True)
class Task(OnDisk):
    """One mode on one column.

    Attributes
    ----------
    mode : str
        A letter of `MODES`.
    column : str
        "x" (array<float>) or "v" (MLlib vectors).
    folder : str
        Where the rows and the model are.
    warmups, repeat : int
        Passes before, and passes that are timed.
    batch : int
        Rows per run; 0 = sparkdl's default.
    budget : float
        Seconds after which no further pass is begun (two are always timed).
    """

    mode: str
    column: str
    folder: str
    rows: int
    batch: int
    slots: int
    warmups: int
    repeat: int
    budget: float
    driver_memory: str

    def file(self, name: str) -> str:
        """Return the path of one of the files that `make` wrote."""
        return str(Path(self.folder) / name)
