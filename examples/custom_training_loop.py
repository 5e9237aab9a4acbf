"""A custom training loop, fed from a DataFrame; then the model on DataFrames and in SQL.

    python examples/custom_training_loop.py                       # small pictures, made here
    python examples/custom_training_loop.py cifar-10-batches-bin  # CIFAR-10's binary files
    python examples/custom_training_loop.py cifar                 # cifar/train/<class>/*.png, test/

The network classifies colour images of 32 x 32 pixels.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
import sparkdl
import tensorflow as tf
from sparkdl.image.imageIO import PIL_decode, imageArrayToStruct

SIZE = 32
RECORD = 1 + SIZE * SIZE * 3  # of CIFAR-10: the class, then the planes red, green and blue
KINDS = ["stripes", "columns", "squares", "plain"]  # of the pictures that are made here


# Rows: an image struct, the same pixels as bytes (RGB), and the number of the class.
def as_row(rgb, label):
    """Return a row of the DataFrames."""
    return imageArrayToStruct(rgb[..., ::-1]), bytearray(rgb.tobytes()), int(label)


def from_record(record):
    """Read one record of CIFAR-10's binary files."""
    planes = np.frombuffer(record, np.uint8)
    return as_row(planes[1:].reshape(3, SIZE, SIZE).transpose(1, 2, 0).copy(), planes[0])


def from_png(file, classes):
    """Read one file of a folder per class."""
    path, content = file
    return as_row(PIL_decode(content)[..., ::-1].copy(), classes.index(Path(path).parent.name))


def make_picture(number):
    """Make a picture whose pattern is its class, in random colours and with noise."""
    random = np.random.default_rng(number)
    kind, step = number % len(KINDS), int(random.integers(3, 6))
    y, x = np.mgrid[:SIZE, :SIZE] // step % 2
    pattern = [y, x, y ^ x, 0 * y][kind][..., None]
    dark, light = random.integers(0, 110, 3), random.integers(145, 256, 3)
    noisy = np.where(pattern, light, dark) + random.normal(0, 12, (SIZE, SIZE, 3))
    return as_row(noisy.clip(0, 255).astype("uint8"), kind)


def data_of(spark, folder):
    """Return the rows for training, those for testing, and the names of the classes."""
    sc = spark.sparkContext
    if folder is None:
        parts = [sc.parallelize(range(*r), 4).map(make_picture) for r in ((0, 480), (480, 640))]
        classes = KINDS
    elif (folder / "batches.meta.txt").exists():
        classes = (folder / "batches.meta.txt").read_text().split()
        files = [f"{folder}/{name}_batch*.bin" for name in ("data", "test")]
        parts = [sc.binaryRecords(f, RECORD).map(from_record) for f in files]
    else:
        classes = sorted(p.name for p in (folder / "train").iterdir() if p.is_dir())
        files = [sc.binaryFiles(f"{folder}/{name}/*/*.png", 8) for name in ("train", "test")]
        parts = [f.map(lambda file: from_png(file, classes)) for f in files]
    image = "struct<origin:string,height:int,width:int,nChannels:int,mode:int,data:binary>"
    schema = f"image {image}, pixels binary, label int"
    return *(spark.createDataFrame(p, schema) for p in parts), classes


def network(classes):
    """Return the network: three convolutions and two dense layers, by the functional API."""
    layers = keras.layers
    pixels = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="pixels")
    x = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.Dense(64, activation="relu")(layers.Flatten()(x))
    return keras.Model(pixels, layers.Dense(classes, activation="softmax", name="kind")(x))


class WorstClass(keras.metrics.Metric):
    """A custom metric: the accuracy of the class that the model knows least."""

    def __init__(self, classes, **kwargs):
        super().__init__(**kwargs)
        self.seen = self.add_weight(shape=(classes,), initializer="zeros", name="seen")
        self.right = self.add_weight(shape=(classes,), initializer="zeros", name="right")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch."""
        classes = tf.one_hot(tf.cast(y_true, "int32"), self.seen.shape[0])
        right = tf.cast(tf.argmax(y_pred, 1, "int32") == tf.cast(y_true, "int32"), "float32")
        self.seen.assign_add(tf.reduce_sum(classes, 0))
        self.right.assign_add(tf.reduce_sum(classes * right[:, None], 0))

    def result(self):
        """Return the lowest accuracy of the classes that were seen."""
        return tf.reduce_min(tf.where(self.seen > 0, self.right / tf.maximum(self.seen, 1.0), 1.0))


arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("folder", type=Path, nargs="?")
arguments.add_argument("--epochs", type=int, default=5)
arguments.add_argument("--batch-size", type=int, default=64)
options = arguments.parse_args()

spark = sparkdl.start(app_name="a custom training loop")
training, testing, classes = data_of(spark, options.folder)
columns, batch = ("image", "label"), options.batch_size
# Executors prepare the images, once because of cache=True, and the driver trains on them.
batches = sparkdl.tf_dataset(training, columns, batch, shuffle=True, seed=1, cache=True)
validation = sparkdl.tf_dataset(testing, columns, batch, cache=True, rows=testing.count())

keras.utils.set_random_seed(1)
model = network(len(classes))
optimizer = keras.optimizers.Adam(1e-3)
loss_of = keras.losses.SparseCategoricalCrossentropy()
losses = keras.metrics.Mean()
metrics = [keras.metrics.SparseCategoricalAccuracy(), WorstClass(len(classes))]


@tf.function(reduce_retracing=True)
def train_step(images, labels):
    """Learn from a batch."""
    with tf.GradientTape() as tape:
        predicted = model(images, training=True)
        loss = loss_of(labels, predicted)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    count(labels, predicted, loss)


@tf.function(reduce_retracing=True)
def validation_step(images, labels):
    """Evaluate a batch."""
    predicted = model(images, training=False)
    count(labels, predicted, loss_of(labels, predicted))


def count(labels, predicted, loss):
    """Add a batch to the metrics."""
    losses.update_state(loss, sample_weight=tf.shape(labels)[0])
    for metric in metrics:
        metric.update_state(labels, predicted)


def results():
    """Return the metrics as text, and reset them."""
    values = [float(m.result()) for m in (losses, *metrics)]
    for metric in (losses, *metrics):
        metric.reset_state()
    return "loss {:.3f}, accuracy {:.3f}, of the worst class {:.3f}".format(*values)


for epoch in range(options.epochs):
    for images, labels in batches:
        train_step(images, labels)
    trained = results()
    for images, labels in validation:
        validation_step(images, labels)
    print(f"epoch {epoch + 1}: {trained}; validation: {results()}")

model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
loss, accuracy = model.evaluate(validation, verbose=0)
print(f"evaluate: loss {loss:.3f}, accuracy {accuracy:.3f}")

# The trained model on a DataFrame: as a stage on bytes of pixels, and as a SQL function on images.
stage = sparkdl.KerasTransformer(inputCol="pixels", outputCol="p", model=model)
right = "avg(IF(array_position(p, array_max(p)) - 1 = label, 1, 0)) AS accuracy"
stage.transform(testing).selectExpr(right).show()
sparkdl.registerKerasImageUDF("kind_of", model)
testing.createOrReplaceTempView("pictures")
spark.sql(
    """
    WITH guessed AS (SELECT label, kind_of(image) AS p FROM pictures)
    SELECT label, count(*) AS all, count_if(array_position(p, array_max(p)) - 1 = label) AS right
    FROM guessed GROUP BY label ORDER BY label
    """
).show()
spark.stop()
