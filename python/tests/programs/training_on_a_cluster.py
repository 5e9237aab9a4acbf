"""Trains on `local-cluster` while an executor is killed in mid-epoch; prints one line of JSON.

Arguments: path of a model of Keras (float32 [?, 4] -> [?, 1]).
"""

import json
import os
import signal
import subprocess
import sys
import threading

import keras
import numpy as np

import sparkdl

EPOCHS, BATCH, ROWS = 3, 8, 12_000

spark = sparkdl.start(
    master="local-cluster[2,1,1024]",
    app_name="training on a cluster",
    conf={
        "spark.ui.enabled": False,
        "spark.driver.host": "localhost",
        "spark.executor.extraJavaOptions": os.environ["SPARK_SUBMIT_OPTS"],
    },
)
sc = spark.sparkContext
sc.setLogLevel("FATAL")


def executors() -> list[int]:
    """Process ids of the executors of this application."""
    pattern = f"CoarseGrainedExecutorBackend.*{sc.applicationId}"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


draw = np.random.default_rng(0)
x = draw.normal(size=(ROWS, 4)).astype("float32")
y = x @ np.array([1.0, -2.0, 0.5, 0.0], "float32")
rows = [(a.tolist(), float(b)) for a, b in zip(x, y, strict=True)]
frame = spark.createDataFrame(rows, "x array<float>, y double").repartitionByRange(3, "y").cache()
kept = frame.collect()

model = keras.saving.load_model(sys.argv[1])
model.compile("adam", "mse")
plain = model.fit(
    np.array([r.x for r in kept], "float32"),
    np.array([r.y for r in kept]),
    batch_size=BATCH,
    epochs=EPOCHS,
    shuffle=False,
    verbose=0,
)

before = executors()
killed: list[int] = []


def kill_one() -> None:
    killed.append(before[-1])
    os.kill(before[-1], signal.SIGKILL)


def soon(epoch: int, logs: object) -> None:
    if not killed:
        threading.Timer(0.5, kill_one).start()


fitted = sparkdl.KerasEstimator(
    model=sys.argv[1],
    inputCols="x",
    labelCols="y",
    loss="mse",
    batchSize=BATCH,
    epochs=EPOCHS,
    shuffle=False,
    numWorkers=2,
    checkpointSteps=200,
    callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=soon)],
).fit(frame)
print(
    json.dumps(
        {
            "executors": len(before),
            "killed": len(killed),
            "after": len(set(executors()) - set(before)),
            "expected": plain.history["loss"],
            "losses": fitted.history["loss"],
        }
    )
)
spark.stop()
