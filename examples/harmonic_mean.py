"""The harmonic mean by key: a map over blocks, an aggregation, a map over its result.

python examples/harmonic_mean.py
"""

import sparkdl
import sparkdl.tensorframes as tfs
import tensorflow as tf

spark = sparkdl.start(app_name="harmonic mean")
speeds = spark.createDataFrame(
    [("car", 50.0), ("car", 75.0), ("train", 128.0), ("train", 256.0), ("train", 256.0)],
    "vehicle string, speed double",
)


def invert(speed):
    """Return the numbers to add up, for each row of a block."""
    return {"slowness": 1.0 / speed, "trips": tf.ones_like(speed)}


def add(slowness, trips):
    """Return one row for many; sums of sums are sums, so any grouping of the rows will do."""
    return {"slowness": tf.reduce_sum(slowness, 0), "trips": tf.reduce_sum(trips, 0)}


def mean(slowness, trips):
    """Return the harmonic mean of each row's sums."""
    return {"mean": trips / slowness}


sums = tfs.aggregate(add, tfs.map_blocks(invert, speeds).groupBy("vehicle"))
means = tfs.map_blocks(mean, sums)
means.select("vehicle", "mean").orderBy("vehicle").show()
spark.stop()
