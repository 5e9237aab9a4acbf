"""A Delta table of photos: a stream labels new ones, MERGE corrects wrong labels, features find similar ones.

    python examples/delta_photos.py

Pictures of digits are put into a folder; TinyNet, which comes with sparkdl and was trained on drawn
digits and letters only, names what is on them. The first run fetches Delta (10 MB).
"""

import tempfile
from pathlib import Path

import numpy as np
import sparkdl
import sparkdl.tensorframes as tfs
import tensorflow as tf
from PIL import Image
from pyspark.ml.functions import vector_to_array
from pyspark.sql.functions import col, expr
from sklearn.datasets import load_digits

home = Path(tempfile.mkdtemp())
spark = sparkdl.start(
    app_name="photos in Delta",
    conf={
        "spark.jars.packages": "io.delta:delta-spark_4.1_2.13:4.1.0",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    },
)
table = f"delta.`{home}/labelled`"
(home / "inbox").mkdir()


def photograph(numbers):
    """Put pictures of digits into the inbox."""
    digits = load_digits()
    for number in numbers:
        pixels = (digits.images[number] * 255 / 16).round().astype("uint8")
        file = home / "inbox" / f"{number}_is_{digits.target[number]}.png"
        Image.fromarray(pixels).save(file)


# A row per file that arrives, with the network's label, and its features for the search.
files = spark.readStream.format("binaryFile").schema(
    "path string, modificationTime timestamp, length long, content binary"
)
predictor = sparkdl.DeepImagePredictor(
    inputCol="content",
    outputCol="predicted",
    modelName="TinyNet",
    decodePredictions=True,
    topK=1,
    handleInvalid="skip",  # a damaged file must not stop the query
)
featurizer = sparkdl.DeepImageFeaturizer(
    inputCol="content", outputCol="vector", modelName="TinyNet", handleInvalid="skip"
)
labelled = featurizer.transform(predictor.transform(files.load(str(home / "inbox")))).select(
    expr("element_at(split(path, '/'), -1) AS file"),
    expr("predicted[0].description AS label"),
    vector_to_array(col("vector"), "float32").alias("features"),
)
photograph(range(20))
writer = labelled.writeStream.option("checkpointLocation", str(home / "checkpoint"))
query = writer.format("delta").start(str(home / "labelled"))
query.processAllAvailable()
photograph(range(20, 40))
query.processAllAvailable()
query.stop()

# Somebody has looked at the photos; here the names of the files say what is on them.
truth = spark.table(table).selectExpr("file AS photo", "substring(file, -5, 1) AS seen")
truth.createOrReplaceTempView("truth")
wrong = spark.table(table).join(truth, expr("file = photo AND label <> seen"))
print(f"{wrong.count()} labels that were wrong:")
wrong.select("file", "label", "seen").show(5)
last = spark.sql(f"DESCRIBE HISTORY {table}").first().version
spark.sql(
    f"""
    MERGE INTO {table} AS photos USING truth ON photos.file = truth.photo
    WHEN MATCHED AND photos.label <> truth.seen THEN UPDATE SET label = truth.seen
    """
)
print("right now, and before the correction:")
for version in ("", f"VERSION AS OF {last}"):
    right = f"SELECT avg(int(label = substring(file, -5, 1))) AS right FROM {table} {version}"
    spark.sql(right).show()

# The photos whose features point the same way as those of one of them.
photos = spark.table(table)
one = np.array(photos.where("file LIKE '3_is%'").first().features, np.float32)


def similarity(features):
    """Return the cosine of the angle between the features of each row of a block and those of one."""
    lengths = tf.norm(features, axis=1) * np.linalg.norm(one)
    return {"similarity": tf.linalg.matvec(features, tf.constant(one)) / lengths}


similar = tfs.map_blocks(similarity, tfs.append_shape(photos, "features", [None, len(one)]))
print("most similar to 3_is_3.png:")
similar.orderBy("similarity", ascending=False).select("file", "label", "similarity").show(4)
spark.stop()
