"""Lloyd's K-means, a fixed number of rounds from the same centres (MLlib draws its own)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from blockbench.on_spark import SparkWay
from blockbench.task import CENTRES, DIMENSIONS, Task


class Points(SparkWay):
    """Points around ten corners, as array<double>."""

    def frame(self) -> Any:
        corner = "(pmod(hash(id % 10, {0}), 7))"
        numbers = ", ".join(f"{corner.format(i)} + rand({i})" for i in range(DIMENSIONS))
        return self.ranges("id", f"array({numbers}) AS x")

    def first_centres(self) -> np.ndarray:
        """Return the first points of the DataFrame."""
        rows = self.rows.where(f"id < {CENTRES}").orderBy("id").collect()
        return np.array([row.x for row in rows])

    def run(self) -> None:
        self.answer()

    def answer(self) -> np.ndarray:
        """Return the centres after the rounds."""
        centres = self.first_centres()
        for _ in range(self.task.iterations):
            rows = self.sums(centres).collect()
            for row in rows:
                centres[row.nearest] = np.array(row.total) / row.points
        return centres

    def sums(self, centres: np.ndarray) -> Any:
        """Return sum and number of the points nearest to each centre."""
        raise NotImplementedError

    def result(self) -> Any:
        return self.assigned(self.first_centres())

    def assigned(self, centres: np.ndarray) -> Any:
        """Return the DataFrame of the map."""
        raise NotImplementedError


class MapThenAggregate(Points):
    """Each point's centre, then the sums by centre."""

    def assigned(self, centres: np.ndarray) -> Any:
        import sparkdl.tensorframes as tfs
        import tensorflow as tf

        def nearest(x: Any) -> dict[str, Any]:
            found = distances(x, centres)
            return {"nearest": tf.argmin(found, 1), "points": tf.ones_like(found[:, 0], tf.int64)}

        return tfs.map_blocks(nearest, self.rows.select("x")).withColumnRenamed("x", "total")

    def sums(self, centres: np.ndarray) -> Any:
        return add(self.assigned(centres))


class SumInBlocks(Points):
    """The sums of each block, then those of all blocks."""

    def assigned(self, centres: np.ndarray) -> Any:
        import sparkdl.tensorframes as tfs
        import tensorflow as tf

        def sums(x: Any) -> dict[str, Any]:
            found = tf.argmin(distances(x, centres), 1)
            ones = tf.ones_like(found)
            return {
                "nearest": tf.range(CENTRES, dtype=tf.int64),
                "points": tf.math.unsorted_segment_sum(ones, found, CENTRES),
                "total": tf.math.unsorted_segment_sum(x, found, CENTRES),
            }

        return tfs.map_blocks(sums, self.rows.select("x"), trim=True)

    def sums(self, centres: np.ndarray) -> Any:
        return add(self.assigned(centres)).where("points > 0")


def distances(x: Any, centres: np.ndarray) -> Any:
    """Return the squared distances of points from centres, but for what all centres share."""
    import tensorflow as tf

    given = tf.constant(centres)
    return tf.reduce_sum(given * given, 1) - 2.0 * tf.matmul(x, given, transpose_b=True)


def add(points: Any) -> Any:
    """Return the sums by centre."""
    import sparkdl.tensorframes as tfs
    import tensorflow as tf

    def merge(total: Any, points: Any) -> dict[str, Any]:
        return {"total": tf.reduce_sum(total, 0), "points": tf.reduce_sum(points, 0)}

    return tfs.aggregate(merge, points.groupBy("nearest"))


class Mllib(Points):
    """pyspark.ml's KMeans on cached vectors, with random first centres."""

    def frame(self) -> Any:
        from pyspark.ml.functions import array_to_vector

        return super().frame().withColumn("x", array_to_vector("x"))

    def run(self) -> None:
        from pyspark.ml.clustering import KMeans

        estimator = KMeans(featuresCol="x", k=CENTRES, initMode="random", seed=0, tol=0.0)
        estimator.setMaxIter(self.task.iterations).fit(self.rows)

    def answer(self) -> None:
        """Return nothing: it begins elsewhere."""

    def details(self) -> dict[str, Any]:
        return {}


class Numpy:
    """The whole array in memory; all threads on one core."""

    def __init__(self, task: Task) -> None:
        self.task = task
        way = SumInBlocks(task)
        self.x = way.rows.orderBy("id").select("x").toArrow().column("x").combine_chunks()
        self.x = self.x.flatten().to_numpy().reshape(-1, DIMENSIONS)
        way.spark.stop()
        for thread in os.listdir("/proc/self/task"):  # those of BLAS, too
            os.sched_setaffinity(int(thread), {min(os.sched_getaffinity(0))})

    def run(self) -> None:
        self.answer()

    def answer(self) -> np.ndarray:
        """Return the centres after the rounds."""
        centres = self.x[:CENTRES].copy()
        for _ in range(self.task.iterations):
            nearest = ((centres * centres).sum(1) - 2.0 * (self.x @ centres.T)).argmin(1)
            points = np.bincount(nearest, minlength=CENTRES)
            for i in np.flatnonzero(points):
                centres[i] = self.x[nearest == i].mean(0)
        return centres

    def details(self) -> dict[str, Any]:
        return {}
