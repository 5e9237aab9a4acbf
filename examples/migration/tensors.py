"""A network of TensorFlow 1 with dropout, from its checkpoint to a column.

    python examples/migration/tensors.py

Different from 1.x: the imports of TensorFlow, how the session starts, and `constants`, which 1.x
did not have: there such a placeholder had to be taken out of the graph.
"""

import os
import tempfile

import numpy as np
import sparkdl
import tensorflow.compat.v1 as tf
from sparkdl import TFInputGraph, TFTransformer

tf.disable_v2_behavior()

spark = sparkdl.start(app_name="tensors")

checkpoint_dir = tempfile.mkdtemp()
graph = tf.Graph()
with tf.Session(graph=graph) as sess, graph.as_default():
    x = tf.placeholder(tf.float32, shape=[None, 2], name="x")
    y = tf.placeholder(tf.float32, shape=[None, 1], name="y")
    keep_prob = tf.placeholder(tf.float32, name="keep_prob")
    w = tf.Variable(tf.zeros([2, 1]), name="w")
    b = tf.Variable(tf.zeros([1]), name="b")
    z = tf.add(tf.matmul(tf.nn.dropout(x, keep_prob), w), b, name="z")
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(tf.square(z - y)))

    sess.run(tf.global_variables_initializer())
    numbers = np.random.RandomState(0).uniform(-1, 1, (200, 2))
    wanted = numbers.sum(axis=1, keepdims=True)
    for _ in range(200):
        sess.run(train, {x: numbers, y: wanted, keep_prob: 1.0})
    tf.train.Saver().save(sess, os.path.join(checkpoint_dir, "model"), global_step=200)

input_graph = TFInputGraph.fromCheckpoint(
    checkpoint_dir, feed_names=["x:0"], fetch_names=["z:0"], constants={"keep_prob": 1.0}
)
transformer = TFTransformer(
    tfInputGraph=input_graph, inputMapping={"features": "x:0"}, outputMapping={"z:0": "sum"}
)
df = spark.createDataFrame([([1.0, 2.0],), ([0.5, -0.5],)], "features array<float>")
for row in transformer.transform(df).collect():
    print("sum of", row.features, "is about", round(row["sum"][0], 1))
