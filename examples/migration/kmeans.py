"""K-means with `map_blocks` and `aggregate` of TensorFrames 0.x, on graphs of TensorFlow 1.

    python examples/migration/kmeans.py

Different from TensorFrames: the imports, and how the session starts.
"""

import numpy as np
import sparkdl
import sparkdl.tensorframes as tfs
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

spark = sparkdl.start(app_name="k-means")


def squared_distances(points, centers):
    """Return the squared distance of each point to each center."""
    num_points = tf.shape(points)[0]
    k = centers.shape[0]
    expanded = tf.tile(tf.expand_dims(points, 1), [1, k, 1])
    repeated = tf.tile(tf.expand_dims(tf.constant(centers), 0), tf.stack([num_points, 1, 1]))
    return tf.reduce_sum(tf.square(expanded - repeated), axis=2)


def run_one_step(dataframe, centers):
    """Return the new centers, and the sum of the distances to the old ones."""
    with tf.Graph().as_default():
        points = tfs.block(dataframe, "features")
        distances = squared_distances(points, centers)
        indexes = tf.argmin(distances, 1, name="indexes")
        min_distances = tf.reduce_min(distances, 1, name="min_distances")
        count = tf.ones_like(indexes, name="count")
        df2 = tfs.map_blocks([indexes, count, min_distances], dataframe)

    with tf.Graph().as_default():
        x_input = tfs.block(df2, "features", "features_input")
        count_input = tfs.block(df2, "count", "count_input")
        md_input = tfs.block(df2, "min_distances", "min_distances_input")
        x = tf.reduce_sum(x_input, [0], name="features")
        count = tf.reduce_sum(count_input, [0], name="count")
        min_distances = tf.reduce_sum(md_input, [0], name="min_distances")
        df3 = tfs.aggregate([x, count, min_distances], df2.groupBy("indexes"))

    rows = {row["indexes"]: row for row in df3.collect()}
    new_centers = [
        np.array(rows[i].features) / rows[i]["count"] if i in rows else centers[i]
        for i in range(len(centers))
    ]
    return np.array(new_centers), sum(row.min_distances for row in rows.values())


random = np.random.RandomState(1)
clouds = [random.normal(center, 0.1, (50, 2)) for center in ((0.0, 0.0), (4.0, 0.0), (0.0, 4.0))]
rows = [(point.tolist(),) for cloud in clouds for point in cloud]
df = tfs.analyze(spark.createDataFrame(rows, "features array<double>").coalesce(2)).cache()

centers = np.array([clouds[0][0], clouds[1][0], clouds[2][0]])
for step in range(5):
    centers, total = run_one_step(df, centers)
    print("step", step, "total distance", round(total, 3))
for center in sorted(np.round(centers, 1).tolist()):
    print("center", center)
