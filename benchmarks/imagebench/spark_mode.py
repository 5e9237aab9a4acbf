"""What the modes on Spark have in common: how files are read and results are used."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagebench.photos import picture_files
from imagebench.task import Mode, Task


class SparkMode(Mode):
    """Reads the files with the `binaryFile` source; a subclass adds the column `features`."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.paths = picture_files(task.images)
        self.spark = self.session()
        self.spark.sparkContext.setLogLevel("ERROR")
        self.files = self.read()
        self.frame = self.with_features(self.files)

    def read(self) -> Any:
        """Return the files: `path` and `content`."""
        # The folder and not 256 paths, which Spark would look up in 256 tasks.
        reader = self.spark.read.format("binaryFile").option("recursiveFileLookup", True)
        return reader.load(self.task.images)

    def session(self) -> Any:
        """Start Spark as a user of this mode would."""
        from pyspark.sql import SparkSession

        return (
            SparkSession.builder.master(f"local[{self.task.slots}]")
            .appName(f"mode {self.task.mode}")
            .config("spark.driver.memory", self.task.driver_memory)
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .getOrCreate()
        )

    def with_features(self, files: Any) -> Any:
        """Return the files with the column `features`."""
        raise NotImplementedError

    def first(self) -> None:
        self.frame.select("features").first()

    def run(self) -> None:
        # The "noop" sink takes every row and drops it.
        self.frame.select("features").write.format("noop").mode("overwrite").save()

    def features(self) -> np.ndarray:
        rows = self.frame.select("path", "features").collect()
        found = {row.path.removeprefix("file:"): row.features for row in rows}
        return np.array([list(found[path]) for path in self.paths], np.float32)
