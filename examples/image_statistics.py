"""Statistics of each picture, with a TensorFlow function of one row: map_rows.

    python examples/image_statistics.py DIR

DIR holds images (JPEG, PNG, BMP, GIF, WebP, TIFF), each of its own size: the function sees one at
a time.
"""

import argparse

import sparkdl
import sparkdl.tensorframes as tfs
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("images")
options = parser.parse_args()

spark = sparkdl.start(app_name="image statistics")
files = (
    spark.read.format("binaryFile")
    .load(options.images)
    .selectExpr("element_at(split(path, '/'), -1) AS file", "content")
)


def statistics(content):
    """Return numbers of one picture; `content` is a scalar string, the bytes of its file."""
    pixels = tf.io.decode_image(content, channels=3, expand_animations=False)
    pixels = tf.cast(tf.ensure_shape(pixels, [None, None, 3]), tf.float32)  # RGB, 0 to 255
    light = tf.image.rgb_to_grayscale(pixels)
    return {
        "height": tf.shape(pixels)[0],
        "width": tf.shape(pixels)[1],
        "rgb": tf.reduce_mean(pixels, [0, 1]),
        "contrast": tf.math.reduce_std(light),
        "dark": tf.reduce_mean(tf.cast(light < 64.0, tf.float32)),
    }


results = tfs.map_rows(statistics, files).drop("content")
results.select("file", "height", "width", "rgb", "contrast", "dark").orderBy("file").show(20, 60)
spark.stop()
