"""K-means written with map_blocks and aggregate.

    python examples/kmeans.py [--rows N] [--centres K] [--rounds R]

Each round gives every point the index of its nearest centre, and adds up points and their number
by that index; the driver divides. Only the sums travel.
"""

import argparse

import numpy as np
import sparkdl
import sparkdl.tensorframes as tfs
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--rows", type=int, default=100_000)
parser.add_argument("--centres", type=int, default=3)
parser.add_argument("--rounds", type=int, default=10)
options = parser.parse_args()

spark = sparkdl.start(app_name="K-means")
# Clouds of points around (0, 0), (3, 0), (6, 0), ...
points = (
    spark.range(options.rows)
    .selectExpr(f"array(3 * (id % {options.centres}) + randn(1), randn(2)) AS point")
    .cache()
)


def nearest(centres):
    """Return a program that finds the nearest of these centres for each point of a block."""

    def program(point):
        distances = tf.reduce_sum(tf.square(point[:, None, :] - centres), axis=2)
        index = tf.argmin(distances, axis=1)
        return {"nearest": index, "number": tf.ones_like(index)}

    return program


def add(point, number):
    """Return the sums of many rows."""
    return {"point": tf.reduce_sum(point, 0), "number": tf.reduce_sum(number, 0)}


centres = np.array([row.point for row in points.take(options.centres)])
for number in range(options.rounds):
    sums = tfs.aggregate(add, tfs.map_blocks(nearest(centres), points).groupBy("nearest"))
    new_centres = {row.nearest: np.array(row.point) / row.number for row in sums.collect()}
    moved = np.array([new_centres.get(i, centre) for i, centre in enumerate(centres)])
    step = np.abs(moved - centres).max()
    centres = moved
    print(f"round {number + 1}: centres moved by {step:.4f}")
    if step < 1e-4:
        break

for centre in sorted(centres.tolist()):
    print("centre", " ".join(f"{x:7.3f}" for x in centre))
spark.stop()
