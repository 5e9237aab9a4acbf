"""A Keras model on image files with a loader, and the best classes of a network that has a name.

    python examples/migration/custom_loader.py IMAGES MODEL.h5 [--model NAME]

Different from 1.x: the imports of TensorFlow, and how the session starts.
"""

import argparse

import numpy as np
import PIL.Image
import sparkdl
import tensorflow.compat.v1 as tf
from sparkdl import DeepImagePredictor, KerasImageFileTransformer

tf.disable_v2_behavior()

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("images")
parser.add_argument("model_file")
parser.add_argument("--model", default="InceptionV3")
options = parser.parse_args()

spark = sparkdl.start(app_name="custom loader")


def load_and_scale(uri):
    """Return one RGB image of 8 x 8 pixels, -1 to 1, as the model takes it."""
    image = PIL.Image.open(uri.replace("file:", "")).convert("RGB").resize((8, 8))
    return np.array(image).astype(np.float32)[np.newaxis, :] / 127.5 - 1.0


image_df = sparkdl.readImages(options.images)
uri_df = image_df.select("image.origin").withColumnRenamed("origin", "uri")

transformer = KerasImageFileTransformer(
    inputCol="uri",
    outputCol="predictions",
    modelFile=options.model_file,
    imageLoader=load_and_scale,
    outputMode="vector",
)
for row in transformer.transform(uri_df).collect():
    print(row.uri.split("/")[-1], [round(float(v), 3) for v in row.predictions])

predictor = DeepImagePredictor(
    inputCol="image",
    outputCol="predicted_labels",
    modelName=options.model,
    decodePredictions=True,
    topK=3,
)
for row in predictor.transform(image_df).collect():
    best = [(p["description"], round(p.probability, 3)) for p in row.predicted_labels]
    print(row.image.origin.split("/")[-1], "top", len(best), best)
