"""Any TensorFlow graph on images: edges of pictures, as numbers and as images.

    python examples/tf_image.py DIR

DIR holds images. The graph takes RGB images of any size as float32 of 0 to 255.
"""

import argparse

import sparkdl
import tensorflow as tf
from pyspark.sql.functions import col

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("images")
options = parser.parse_args()


def edges(image):
    """Return Sobel's edge strength, and how strong it is on average."""
    strength = tf.norm(tf.image.sobel_edges(image), axis=-1)
    return {"strength": strength, "average": tf.reduce_mean(strength, [1, 2])}


graph = sparkdl.TFInputGraph.fromFunction(
    edges, inputs={"image": ("float32", [None, None, None, 3])}
)
spark = sparkdl.start(app_name="a graph on images")
images = sparkdl.readImages(options.images, dropImageFailures=True)

averages = sparkdl.TFImageTransformer(
    inputCol="image", outputCol="edges", tfInputGraph=graph, outputTensor="average"
)
averages.transform(images).select("image.origin", "edges").show(truncate=60)

pictures = sparkdl.TFImageTransformer(
    inputCol="image",
    outputCol="drawn",
    tfInputGraph=graph,
    outputTensor="strength",
    outputMode="image",
)
drawn = pictures.transform(images)
drawn.select(*(col(f"drawn.{f}") for f in ("height", "width", "nChannels", "mode"))).show()
spark.stop()
