"""Trains where Spark has addresses of IPv6 only; prints the losses as one line of JSON.

Arguments: path of a model of Keras (float32 [?, 4] -> [?, 1]).
"""

import json
import os
import sys

import sparkdl

os.environ["SPARK_PREFER_IPV6"] = "True"  # for Spark's own Python

spark = sparkdl.start(
    master="local[2]",
    app_name="training over IPv6",
    conf={
        "spark.ui.enabled": False,
        "spark.driver.host": "[::1]",
        "spark.driver.bindAddress": "::1",
        "spark.driver.extraJavaOptions": "-Djava.net.preferIPv6Addresses=true",
    },
)
spark.sparkContext.setLogLevel("FATAL")
frame = spark.range(40).selectExpr(
    "array(float(id % 3), float(id % 5), 1f, 0f) AS x", "float(id % 3 - id % 5) AS y"
)
fitted = sparkdl.KerasEstimator(
    model=sys.argv[1],
    inputCols="x",
    labelCols="y",
    loss="mse",
    optimizer="sgd",
    batchSize=10,
    epochs=2,
    numWorkers=2,
    verbose=0,
    timeout=60.0,
).fit(frame)
host = spark.sparkContext.getConf().get("spark.driver.host")
print(json.dumps({"host": host, "losses": fitted.history["loss"]}))
spark.stop()
