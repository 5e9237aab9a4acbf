"""Sum and least value of a double by key."""

from __future__ import annotations

from typing import Any

import numpy as np

from blockbench.on_spark import SparkWay
from blockbench.task import KEYS


class ByKey(SparkWay):
    """Keys in no order, each in every partition."""

    def frame(self) -> Any:
        return self.ranges(f"CAST(rand(1) * {KEYS} AS INT) AS key", "rand(2) AS x", "rand(3) AS y")

    def answer(self) -> np.ndarray:
        """Return all results, by key."""
        rows = self.result().orderBy("key").toArrow()
        return np.concatenate([rows.column("x").to_numpy(), rows.column("y").to_numpy()])


class Sql(ByKey):
    def result(self) -> Any:
        from pyspark.sql import functions as f

        return self.rows.groupBy("key").agg(f.sum("x").alias("x"), f.min("y").alias("y"))


class Aggregate(ByKey):
    def result(self) -> Any:
        import sparkdl.tensorframes as tfs

        return tfs.aggregate(merge, self.rows.groupBy("key"))


def merge(x: Any, y: Any) -> dict[str, Any]:
    """Return the same in TensorFlow."""
    import tensorflow as tf

    return {"x": tf.reduce_sum(x, axis=0), "y": tf.reduce_min(y, axis=0)}
