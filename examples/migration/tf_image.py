"""A graph with `map_fn` on images, by `TFImageTransformer`.

    python examples/migration/tf_image.py IMAGES

Different from 1.x: the imports of TensorFlow, and how the session starts.
"""

import sys

import sparkdl
import sparkdl.graph.utils as tfx
import tensorflow.compat.v1 as tf
from sparkdl import TFImageTransformer
from sparkdl.transformers import utils

tf.disable_v2_behavior()

spark = sparkdl.start(app_name="graph on images")

graph = tf.Graph()
with tf.Session(graph=graph) as sess, graph.as_default():
    image_arr = utils.imageInputPlaceholder(nChannels=3)
    resized_images = tf.image.resize_images(image_arr, (12, 10))
    # Each image by itself: its own darkest and brightest pixel become 0 and 255.
    stretched = tf.map_fn(
        lambda i: 255.0 * (i - tf.reduce_min(i)) / (tf.reduce_max(i) - tf.reduce_min(i) + 1e-6),
        resized_images,
    )
    gain = tf.get_variable("gain", initializer=1.0)
    sess.run(tf.global_variables_initializer())
    output = tf.multiply(stretched, gain, name="stretched")
    frozen_graph = tfx.strip_and_freeze_until([output], graph, sess, return_graph=True)

transformer = TFImageTransformer(
    channelOrder="BGR",
    inputCol="image",
    outputCol="stretched",
    graph=frozen_graph,
    inputTensor=image_arr.name,
    outputTensor=output.name,
    outputMode="image",
)
image_df = sparkdl.readImages(sys.argv[1])
for row in transformer.transform(image_df).collect():
    print(row.image.origin.split("/")[-1], row.stretched.height, "x", row.stretched.width)
