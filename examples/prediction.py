"""What is on these pictures? The five likeliest classes of each, by name.

    python examples/prediction.py DIR [--model NAME] [--weights FILE] [--labels FILE]

DIR holds images (JPEG, PNG, BMP, GIF, WebP, TIFF) of any size; other files are reported, not fatal.
"""

import argparse

import sparkdl
from pyspark.sql.functions import col, explode, round

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("images")
parser.add_argument("--model", default="MobileNetV2")
parser.add_argument("--weights", default="imagenet")
parser.add_argument(
    "--labels", help="names of the classes, such as Keras' imagenet_class_index.json"
)
options = parser.parse_args()

spark = sparkdl.start(app_name="prediction")
files = spark.read.format("binaryFile").load(options.images).select("path", "content")
predictor = sparkdl.DeepImagePredictor(
    inputCol="content",
    outputCol="classes",
    modelName=options.model,
    weights=options.weights,
    decodePredictions=True,
    topK=5,
    handleInvalid="keep",
    errorCol="error",
)
if options.labels:
    predictor.setLabels(options.labels)
predicted = (
    predictor.transform(files)
    .selectExpr("element_at(split(path, '/'), -1) AS file", "classes", "error")
    .cache()
)

best = predicted.select("file", explode("classes").alias("c"))
best.select("file", "c.description", round(col("c.probability"), 3).alias("p")).show(50, False)
predicted.where("error IS NOT NULL").select("file", "error").show(truncate=100)
spark.stop()
