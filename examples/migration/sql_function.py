"""A Keras model with a preprocessor as a function in SQL.

    python examples/migration/sql_function.py IMAGES MODEL.h5

Different from 1.x: the imports of TensorFlow, and how the session starts.
"""

import sys

import numpy as np
import PIL.Image
import sparkdl
import tensorflow.compat.v1 as tf
from sparkdl.udf.keras_image_model import registerKerasImageUDF

tf.disable_v2_behavior()

spark = sparkdl.start(app_name="SQL function")


def keras_load_img(fpath):
    """Return RGB pixels of the size that the model takes."""
    return np.array(PIL.Image.open(fpath).convert("RGB").resize((8, 8)), dtype=np.uint8)


registerKerasImageUDF("my_keras_udf", sys.argv[2], keras_load_img)
sparkdl.readImages(sys.argv[1]).createOrReplaceTempView("my_images")
df = spark.sql("SELECT image.origin, my_keras_udf(image) AS predictions FROM my_images")
for row in df.collect():
    print(row.origin.split("/")[-1], [round(v) for v in row.predictions])
