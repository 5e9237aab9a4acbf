"""The vectors of a DataFrame that are most similar to a query, by cosine similarity.

    python examples/cosine_search.py [--rows N] [--dimensions D]

A million vectors are compared in blocks, one matrix product each.
"""

import argparse

import numpy as np
import sparkdl
import sparkdl.tensorframes as tfs
import tensorflow as tf
from pyspark.sql.functions import round

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--dimensions", type=int, default=64)
options = parser.parse_args()

spark = sparkdl.start(app_name="cosine similarity")
numbers = ", ".join(f"CAST(randn({i}) AS FLOAT)" for i in range(options.dimensions))
vectors = spark.range(options.rows).selectExpr("id", f"array({numbers}) AS vector")
# Arrays may have any length; this one is known. What is said here is checked row by row.
vectors = tfs.append_shape(vectors, "vector", [None, options.dimensions])

query = np.array(vectors.where("id = 42").first().vector, np.float32)
query += 0.3 * np.random.default_rng(0).normal(size=query.shape).astype(np.float32)
query /= np.linalg.norm(query)


def similarity(vector):
    """Return the cosine of the angle between each row of a block and the query."""
    lengths = tf.norm(vector, axis=1)
    return {"cosine": tf.linalg.matvec(vector, tf.constant(query)) / lengths}


best = tfs.map_blocks(similarity, vectors).orderBy("cosine", ascending=False).limit(5)
best.select("id", round("cosine", 3).alias("similarity")).show()
spark.stop()
