"""A classifier that was trained in the browser: its folder becomes a predictor and a SQL function.

    python examples/teachable_classifier.py [--folder DIR] [--pictures DIR]

DIR of --folder holds keras_model.h5 and labels.txt, as a classifier that was trained in the browser
is exported for Keras. Without --folder such a folder is made here, with a tiny untrained network:
the example then shows how, not a result. --pictures names a folder of images; without it a few are
painted.
"""

import argparse
import tempfile
from pathlib import Path

import sparkdl

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--folder", help="with keras_model.h5 and labels.txt")
parser.add_argument("--pictures", help="a folder of images")
options = parser.parse_args()
scratch = Path(tempfile.mkdtemp())


def export(folder):
    """Write a folder as it is exported in the browser: a model of two models, in Keras 2's HDF5."""
    import tf_keras  # which is Keras 2

    tf_keras.utils.set_random_seed(3)
    layers = tf_keras.layers
    images = tf_keras.Input((224, 224, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(images)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    base = tf_keras.Model(images, layers.Conv2D(16, 1)(x))
    features = tf_keras.Sequential([base, layers.GlobalAveragePooling2D()])
    head = tf_keras.Sequential(
        [layers.Dense(100, activation="relu"), layers.Dense(2, "softmax", use_bias=False)]
    )
    model = tf_keras.Sequential([features, head])
    model.build((None, 224, 224, 3))
    model.save(folder / "keras_model.h5")
    (folder / "labels.txt").write_text("0 cats\n1 dogs\n")


def paint(folder):
    """Write a few pictures."""
    from PIL import Image

    for name, colour in {"ginger": (220, 120, 40), "grey": (120, 120, 130)}.items():
        Image.new("RGB", (320, 240), colour).save(folder / f"{name}.png")


if options.folder is None:
    export(scratch)
if options.pictures is None:
    paint(scratch)
folder, pictures = Path(options.folder or scratch), options.pictures or scratch
model, labels = folder / "keras_model.h5", folder / "labels.txt"

spark = sparkdl.start(app_name="a classifier from the browser")

# A bundle: pixels are scaled to -1..1 in its graph, as in the browser; the labels are in it.
bundle = sparkdl.save_bundle(
    model, scratch / "bundle", preprocessing="tf", labels=labels, outputs=["predictions"]
)

# A predictor of pictures, and a SQL function.
predictor = sparkdl.DeepImagePredictor(
    inputCol="content", outputCol="classes", weights=bundle, decodePredictions=True, topK=2
)
sparkdl.registerKerasImageUDF("classify", model, preprocessing="tf")

files = (
    spark.read.format("binaryFile").option("pathGlobFilter", "*.{jpg,jpeg,png}").load(str(pictures))
)
predictor.transform(files).selectExpr(
    "element_at(split(path, '/'), -1) AS file",
    "transform(classes, c -> concat(c.description, ' ', round(c.probability, 3))) AS classes",
).orderBy("file").show(truncate=False)

files.createOrReplaceTempView("pictures")
spark.sql(
    """
    SELECT element_at(split(path, '/'), -1) AS file,
           transform(classify(content), p -> round(p, 3)) AS probabilities
    FROM pictures ORDER BY file
    """
).show(truncate=False)
spark.stop()
