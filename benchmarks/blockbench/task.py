"""What one run of one way is given."""

from __future__ import annotations

from dataclasses import dataclass

from imagebench.on_disk import OnDisk

DIMENSIONS, CENTRES = 20, 10
KEYS = 100_000

# For each work its ways: what runs, and where (a class of this package).
WORKS = {
    "kmeans": {
        "numpy": ("NumPy, one core", "kmeans:Numpy"),
        "mllib": ("MLlib KMeans", "kmeans:Mllib"),
        "rows": ("map_blocks + aggregate", "kmeans:MapThenAggregate"),
        "blocks": ("map_blocks (trim) + aggregate", "kmeans:SumInBlocks"),
    },
    "elementwise": {
        "sql": ("Spark SQL expression", "elementwise:Sql"),
        "pandas": ("pandas_udf", "elementwise:Pandas"),
        "blocks": ("map_blocks", "elementwise:MapBlocks"),
        "rows": ("map_rows", "elementwise:MapRows"),
    },
    "aggregate": {
        "sql": ("groupBy.agg(sum, min)", "aggregate:Sql"),
        "blocks": ("aggregate", "aggregate:Aggregate"),
    },
}
# What the other ways of a work are compared with.
BASE = {"kmeans": "mllib", "elementwise": "pandas", "aggregate": "sql"}
OURS = {"rows", "blocks"}


@dataclass(frozen=True)
class Task(OnDisk):
    """One way of one work.

    Attributes
    ----------
    work, way : str
        Keys of `WORKS`.
    folder : str
        Where the rows are.
    rows : int
        Of the DataFrame.
    iterations : int
        Of K-means in one pass.
    warmups, repeat : int
        Passes before, and passes that are timed.
    budget : float
        Seconds after which no further pass is begun (two are always timed).
    """

    work: str
    way: str
    folder: str
    rows: int
    iterations: int
    slots: int
    warmups: int
    repeat: int
    budget: float
    driver_memory: str
