"""`predict` and `features`: a folder of images through a network, into a table."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from sparkdl._command_line.command import Command
from sparkdl._command_line.quiet_session import quiet_session
from sparkdl._places.places import place_of
from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_FORMATS = ("parquet", "json")
_WHY = "why"


def _add_arguments(parser: argparse.ArgumentParser, model_help: str) -> None:
    parser.add_argument("images", metavar="DIR", help="a folder, a file or a glob")
    parser.add_argument("--model", required=True, metavar="MODEL", help=model_help)
    parser.add_argument("--out", required=True, metavar="FILE", help=".parquet or .json")
    parser.add_argument("--weights", metavar="FILE", help="of a named model; default: imagenet")
    parser.add_argument("--recursive", action="store_true", help="also the folders below DIR")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing FILE")
    parser.add_argument("--master", help="of the Spark session; default: as usual")


def _predict_arguments(parser: argparse.ArgumentParser) -> None:
    _add_arguments(
        parser,
        "a name that `models` lists, a bundle of a model of images, or what "
        "ImageClassifierModel.write() saved",
    )
    parser.add_argument("--labels", metavar="FILE", help="names of the classes of a named model")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="classes of a named model")


def _features_arguments(parser: argparse.ArgumentParser) -> None:
    _add_arguments(parser, "a name that `models` lists")
    parser.add_argument("--pooling", default="avg", choices=("avg", "max", "none"))


def _predict(a: argparse.Namespace) -> int:
    return _write_table(a, lambda images: _predicted(images, a))


def _features(a: argparse.Namespace) -> int:
    from sparkdl import DeepImageFeaturizer

    def featurized(images: DataFrame) -> DataFrame:
        return DeepImageFeaturizer(
            inputCol="image",
            outputCol="features",
            modelName=a.model,
            weights=a.weights or "imagenet",
            pooling=a.pooling,
            outputMode="array",
            handleInvalid="keep",
            errorCol=_WHY,
        ).transform(images)

    return _write_table(a, featurized)


def _predicted(images: DataFrame, a: argparse.Namespace) -> DataFrame:
    from sparkdl import DeepImagePredictor, ImageClassifierModel, load_model, models

    if a.model in {named.name for named in models()}:
        return DeepImagePredictor(
            inputCol="image",
            outputCol="predicted",
            modelName=a.model,
            weights=a.weights or "imagenet",
            labels=a.labels,
            decodePredictions=True,
            topK=a.top,
            handleInvalid="keep",
            errorCol=_WHY,
        ).transform(images)
    if given := [o for o in ("weights", "labels") if getattr(a, o)]:
        raise SettingsException(f"--{given[0]} is for a model that `sparkdl models` lists.")
    if _is_saved_stage(a.model):
        classifier = ImageClassifierModel.load(a.model)
        classifier.setParams(inputCol="image", handleInvalid="keep", errorCol=_WHY)
        return classifier.transform(images)
    model = load_model(a.model).with_handle_invalid("keep")
    return model.append_to(images, "image", [output.name for output in model.outputs], _WHY)


def _is_saved_stage(path: str) -> bool:
    return "metadata" in (place_of(path).names() or [])


def _write_table(a: argparse.Namespace, apply: Callable[[DataFrame], DataFrame]) -> int:
    from sparkdl import readImages

    form = PurePosixPath(a.out).suffix.removeprefix(".")
    if form not in _FORMATS:
        raise SettingsException(f"--out {a.out}: expected a name that ends in .parquet or .json.")
    with quiet_session(f"sparkdl {a.command}", a.master) as spark:
        table = _plain(apply(readImages(a.images, recursive=a.recursive)))
        table.write.format(form).mode("overwrite" if a.overwrite else "error").save(a.out)
        # JSON has no column of which all values are null.
        written = spark.read.schema(table.schema).format(form).load(a.out)
        count, failed = written.count(), written.where("error IS NOT NULL").count()
    without = f", {failed} of them without a result (column error)" if failed else ""
    print(f"{count} images{without}: {a.out}")
    return 0


def _plain(applied: DataFrame) -> DataFrame:
    """Return the results as a table that other programs read: no pixels, vectors as arrays."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.ml.linalg import VectorUDT
    from pyspark.sql.functions import coalesce, col

    results = [
        vector_to_array(col(field.name)).alias(field.name)
        if isinstance(field.dataType, VectorUDT)
        else col(field.name)
        for field in applied.schema.fields
        if field.name not in ("image", "error", _WHY)
    ]
    error = coalesce("error", _WHY).alias("error")
    return applied.select(col("image.origin").alias("uri"), *results, error)


PREDICT = Command("predict", "say what is on the images of a folder", _predict_arguments, _predict)
FEATURES = Command(
    "features", "write the features that a network sees in images", _features_arguments, _features
)
