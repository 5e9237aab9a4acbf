"""A Keras image model as a SQL function, with and without a custom preprocessor.

    python examples/sql_images.py DIR

DIR holds images. The model is a small untrained network: the example shows how, not a result.
"""

import argparse

import keras
import numpy as np
import sparkdl
from PIL import Image, ImageOps

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("images")
options = parser.parse_args()

keras.utils.set_random_seed(2)
model = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        keras.layers.Rescaling(1 / 127.5, offset=-1),
        keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, activation="softmax"),
    ]
)


def centre(file):
    """Cut the centre out instead of squeezing the image into a square."""
    with Image.open(file) as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (32, 32)))


spark = sparkdl.start(app_name="images in SQL")
sparkdl.registerKerasImageUDF("classify", model)
sparkdl.registerKerasImageUDF("classify_centre", model, preprocessor=centre)

spark.read.format("binaryFile").load(options.images).createOrReplaceTempView("files")
spark.sql("DESCRIBE FUNCTION classify").show(truncate=False)
spark.sql(
    """
    SELECT element_at(split(path, '/'), -1) AS file,
           transform(classify(content), p -> round(p, 3)) AS squeezed,
           transform(classify_centre(content), p -> round(p, 3)) AS cut
    FROM files WHERE classify(content)[0] < 0.99 ORDER BY file
    """
).show(truncate=False)
spark.stop()
