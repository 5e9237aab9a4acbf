"""What a user submits to a cluster: a stage, a function in SQL, a program, training on two workers.

Its arguments are a bundle of x / 2, and a folder where workers say who they are and which GPUs they
see.
"""

import json
import os
import sys
from pathlib import Path

import keras
import tensorflow as tf
from pyspark.ml import Pipeline

import sparkdl
import sparkdl.tensorframes as tfs
from sparkdl.session.jvm_door import door

bundle, folder = sys.argv[1:]
spark = sparkdl.start(app_name="a program on a cluster")
rows = spark.range(0, 40, 1, 4).selectExpr("id", "CAST(id AS FLOAT) AS x", "array(x) AS xs")

stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", modelFile=bundle)
staged = Pipeline(stages=[stage]).fit(rows).transform(rows).agg({"y": "sum"}).first()[0]
sparkdl.load_model(bundle).register("half")
rows.createOrReplaceTempView("numbers")
halves = [row[0] for row in spark.sql("SELECT half(x) FROM numbers WHERE id < 4").collect()]
total = tfs.reduce_blocks(lambda x: {"x": tf.reduce_sum(x, axis=0)}, rows.select("x"))


def loss(truth, predicted):
    worker, cards = os.environ["SPARK_TEST_WORKER"], os.environ.get("CUDA_VISIBLE_DEVICES", "none")
    Path(folder, worker).write_text(cards)
    return tf.reduce_mean(tf.square(truth - predicted), axis=-1)


network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
estimator = sparkdl.KerasEstimator(
    model=network, inputCols=["xs"], labelCols=["x"], loss=loss, epochs=1, batchSize=8, numWorkers=2
)
history = estimator.fit(rows).history
print(
    "RESULT "
    + json.dumps(
        {
            "sparkdl": door().version(),
            "master": spark.sparkContext.master,
            "stage": staged,
            "halves": halves,
            "total": float(total),
            "epochs": len(history["loss"]),
        }
    )
)
spark.stop()
