"""The job itself: read, split, learn, predict, save and load."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from network import Network
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from sparkdl import DeepImageFeaturizer
from sparkdl.errors import SparkDLException

IMAGES = "*.{jpg,jpeg,png,bmp,gif,webp,tif,tiff,JPG,JPEG,PNG,BMP,GIF,WEBP,TIF,TIFF}"
SEED = 1
HELD_OUT = 0.25


@dataclass(frozen=True)
class Labelled:
    """Images with the columns path, content (encoded bytes) and label (an index of `classes`).

    `counts` has the number of images of each class.
    """

    images: DataFrame
    counts: dict[str, int]

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of their labels."""
        return sorted(self.counts)

    @property
    def held_out(self) -> int:
        """How many images `split` holds out."""
        return sum(math.ceil(count * HELD_OUT) for count in self.counts.values())


def labelled_images(spark: SparkSession, folder: str) -> Labelled:
    """Read a folder that has a folder of images per class. The files are read when a job runs."""
    files = (
        spark.read.format("binaryFile")
        .option("recursiveFileLookup", True)
        .option("pathGlobFilter", IMAGES)
        .load(folder)
        .select("path", "content", F.element_at(F.split("path", "/"), -2).alias("class"))
    )
    counts = {r["class"]: r["count"] for r in files.groupBy("class").count().collect()}
    if len(counts) < 2 or min(counts.values()) < 2:
        raise SparkDLException(
            f"--images {folder}: expected a folder of at least 2 images (JPEG, PNG, BMP, GIF, "
            f"WebP, TIFF) for each of at least 2 classes, got {counts or 'no images'}."
        )
    names = F.array(*(F.lit(c) for c in sorted(counts)))
    # Not F.array_position, which takes no column as value in Spark 3.5.
    label = (F.call_function("array_position", names, F.col("class")) - 1).cast("double")
    return Labelled(files.select("path", "content", label.alias("label")), counts)


def split(images: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Hold out the same share of each class; the same files for the same seed."""
    # Folder and name of a file, so that it does not matter where the images lie.
    name = F.substring_index("path", "/", -2)
    by_chance = Window.partitionBy("label").orderBy(F.xxhash64(name, F.lit(SEED)), "path")
    position = F.row_number().over(by_chance)
    size = F.count("*").over(Window.partitionBy("label"))
    # Only paths are sorted; the bytes of the images stay where they are.
    parts = images.select("path", (position <= F.ceil(size * HELD_OUT)).alias("held_out"), "label")
    both = images.join(F.broadcast(parts.drop("label").cache()), "path")
    return both.where(~F.col("held_out")), both.where("held_out")


def learn(network: Network, train: DataFrame) -> PipelineModel:
    """Fit a logistic regression on the network's features."""
    featurizer = DeepImageFeaturizer(
        inputCol="content",
        outputCol="features",
        modelName=network.name,
        weights=network.weights,
        handleInvalid="skip",
    )
    classifier = LogisticRegression(maxIter=100, regParam=0.01)
    return Pipeline(stages=[featurizer, classifier]).fit(train)


def predict(pipeline: PipelineModel, test: DataFrame) -> DataFrame:
    """Return path, label, prediction and the probability of the prediction."""
    sure = F.array_max(vector_to_array("probability")).alias("sure")
    return pipeline.transform(test).select("path", "label", "prediction", sure).cache()


def accuracy(predicted: DataFrame) -> float:
    """Return the share of right predictions."""
    return MulticlassClassificationEvaluator(metricName="accuracy").evaluate(predicted)


def save(pipeline: PipelineModel, classes: list[str], folder: Path) -> Path:
    """Save the pipeline, which takes the network along, and the names of the classes beside it."""
    pipeline.write().overwrite().save(f"file:{folder}")
    (folder.parent / "classes.json").write_text(json.dumps(classes) + "\n")
    return folder


def predicts_the_same(saved: Path, test: DataFrame, predicted: DataFrame) -> bool:
    """Load the pipeline and compare what it predicts, probabilities included."""
    again = predict(PipelineModel.load(f"file:{saved}"), test)
    return sorted(again.collect()) == sorted(predicted.collect())
