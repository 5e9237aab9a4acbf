"""Transfer learning: a folder of images per class, a network's features, a logistic regression.

    python examples/transfer_learning.py TRAIN_DIR TEST_DIR [--model NAME] [--weights FILE]

TRAIN_DIR and TEST_DIR have a folder of images per class.
"""

import argparse

import sparkdl
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import StringIndexer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("train")
parser.add_argument("test")
parser.add_argument("--model", default="MobileNetV2")
parser.add_argument("--weights", default="imagenet")
options = parser.parse_args()

spark = sparkdl.start(app_name="transfer learning")


def images(folder):
    """Encoded bytes and the name of the folder that the image is in."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True).load(folder)
    return files.selectExpr("path", "content", "element_at(split(path, '/'), -2) AS kind")


pipeline = Pipeline(
    stages=[
        sparkdl.DeepImageFeaturizer(
            inputCol="content",
            outputCol="features",
            modelName=options.model,
            weights=options.weights,
            handleInvalid="skip",
        ),
        StringIndexer(inputCol="kind", outputCol="label"),
        LogisticRegression(maxIter=50, regParam=0.01),
    ]
)
model = pipeline.fit(images(options.train))
predicted = model.transform(images(options.test))
accuracy = MulticlassClassificationEvaluator(metricName="accuracy").evaluate(predicted)
print(f"accuracy {accuracy:.3f}")
spark.stop()
