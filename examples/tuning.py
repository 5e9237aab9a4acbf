"""Tuning a Keras model on files of images: every combination is trained as a task of the cluster.

    python examples/tuning.py

Handwritten digits become PNG files; a small network learns them with two optimizers and two sizes
of batches, each judged by cross-validation.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import sparkdl
from PIL import Image
from pyspark.ml.evaluation import Evaluator
from pyspark.ml.functions import vector_to_array
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql.functions import array_max, avg, call_function, col
from sklearn.datasets import load_digits

spark = sparkdl.start(app_name="tuning")
folder = Path(tempfile.mkdtemp())
digits = load_digits()
rows = []
for number in range(400):
    file = folder / f"{number}.png"
    Image.fromarray((digits.images[number] * 15.9).astype("uint8")).save(file)
    rows.append((str(file), int(digits.target[number])))
images = spark.createDataFrame(rows, "uri string, label int")


def load(uri):
    """Pixels from -1 to 1; runs on the executors."""
    pixels = np.asarray(Image.open(uri).convert("RGB"), dtype="float32")
    return pixels / 127.5 - 1


class Accuracy(Evaluator):
    """The share of rows whose most probable class is the label."""

    def _evaluate(self, dataset):
        probabilities = vector_to_array("probabilities")
        predicted = call_function("array_position", probabilities, array_max(probabilities)) - 1
        return dataset.select(avg((predicted == col("label")).cast("double"))).first()[0]


layers = keras.layers
network = keras.Sequential(
    [
        keras.Input((8, 8, 3)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
estimator = sparkdl.KerasImageFileEstimator(
    inputCol="uri",
    outputCol="probabilities",
    labelCol="label",
    model=network,
    imageLoader=load,
    kerasLoss="sparse_categorical_crossentropy",
    seed=1,
)
grid = (
    ParamGridBuilder()
    .addGrid(estimator.kerasOptimizer, [keras.optimizers.Adam(0.01), "sgd"])
    .addGrid(estimator.kerasFitParams, [{"epochs": 4, "batch_size": n} for n in (16, 64)])
    .build()
)
tuned = CrossValidator(
    estimator=estimator, estimatorParamMaps=grid, evaluator=Accuracy(), numFolds=2, seed=1
).fit(images)

print(f"{'optimizer':12}{'batch':>6}{'accuracy':>10}")
for chosen, accuracy in zip(grid, tuned.avgMetrics, strict=True):
    optimizer = chosen[estimator.kerasOptimizer]
    name = optimizer if isinstance(optimizer, str) else "Adam(0.01)"
    print(f"{name:12}{chosen[estimator.kerasFitParams]['batch_size']:>6}{accuracy:>10.3f}")
print("losses of the best:", [round(loss, 3) for loss in tuned.bestModel.history["loss"]])
spark.stop()
