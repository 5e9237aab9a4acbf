"""Sequences of unequal length: an LSTM learns from strokes that were drawn, by two workers.

    python examples/sequences.py

A stroke is as many points as the pen needed. Rows of a step are padded to the longest of their
batch, so a batch of short strokes is short; with bucketByLength most batches are of one length.
"""

import argparse

import keras
import numpy as np

import sparkdl

PADDING = -9.0  # no coordinate is; the model leaves it out by Masking
KINDS = ["circle", "spiral", "zigzag"]


def draw_stroke(number):
    """Return a row: the points of a stroke, each [x, y], and the number of its kind."""
    random = np.random.default_rng(number)
    kind, count = number % len(KINDS), int(random.integers(8, 60))
    t = np.linspace(0, 2 * np.pi, count)
    radius = [np.ones(count), t / (2 * np.pi), np.ones(count)][kind]
    x, y = radius * np.cos(t), radius * np.sin(t)
    if KINDS[kind] == "zigzag":
        x, y = t / np.pi - 1, np.arange(count) % 2 - 0.5
    points = np.stack([x, y], axis=1) + random.normal(0, 0.05, (count, 2))
    return points.astype(float).tolist(), kind


def new_model():
    """Return a model of strokes with any number of points."""
    layers = [
        keras.Input((None, 2), name="points"),
        keras.layers.Masking(PADDING),
        keras.layers.LSTM(24),
        keras.layers.Dense(len(KINDS), activation="softmax"),
    ]
    return keras.Sequential(layers)


def main():
    """Train, and show how many strokes are recognised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()
    spark = sparkdl.start(app_name="sequences")
    strokes = spark.sparkContext.parallelize(range(args.rows), 4).map(draw_stroke)
    df = spark.createDataFrame(strokes, "points array<array<double>>, kind int").cache()
    keras.utils.set_random_seed(1)
    estimator = sparkdl.KerasEstimator(
        model=new_model(),
        inputCols=["points"],
        labelCols=["kind"],
        outputCols=["scores"],
        optimizer=keras.optimizers.Adam(1e-2),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        batchSize=32,
        epochs=args.epochs,
        paddingValue=PADDING,
        bucketByLength=True,
    )
    fitted = estimator.fit(df)
    print(f"{fitted.history['accuracy'][-1]:.0%} of the strokes are right in the last epoch")
    spark.stop()
    return fitted


if __name__ == "__main__":
    fitted = main()
