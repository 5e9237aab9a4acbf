"""The images that an estimator trains on: as its fitted transformer will feed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._columns import existing_column
from sparkdl._models.model_ends import model_inputs
from sparkdl._placement.training_labels import label_column
from sparkdl.errors import SchemaMismatchException
from sparkdl.session.spark_api import repartition_by_id

if TYPE_CHECKING:
    import keras
    from pyspark.sql import Column, DataFrame

    from sparkdl.estimators._trials.trial_params import TrialParams

_URI, _LABEL, _HASH = "uri", "label", "hash"


def training_images(estimator: TrialParams, model: keras.Model, dataset: DataFrame) -> DataFrame:
    """Return columns uri, image, reason and label, in an order that the rows alone decide.

    The images are what the fitted transformer would feed to the model: the same transformer makes
    them, with a model that returns its input.

    The order is that of a hash of the URI: the same on every cluster, however the DataFrame is
    partitioned, and as good as random, so that `validation_split`, which takes the last rows,
    takes some of every class.
    """
    from pyspark.sql.functions import lit

    uri, label = estimator.getInputCol(), label_col(estimator)
    images = _images(dataset, uri, estimator.isSet("imageLoader"))
    labels = lit(None).cast("double") if label is None else label_column(dataset, label)
    rows = dataset.select(images.alias(_URI), labels.alias(_LABEL))
    loader = estimator._transformer_of(_identity_bundle(model))
    loader.setParams(inputCol=_URI, outputCol="image", outputMode="image")
    loader.setParams(handleInvalid="keep", errorCol="reason", precision="float32")
    return loader.transform(_ordered(rows))


def label_col(estimator: TrialParams) -> str | None:
    """Return the column of labels, None when there are none."""
    return (estimator.isDefined("labelCol") and estimator.getLabelCol()) or None


def _identity_bundle(model: keras.Model) -> str:
    """Return the bundle of a model that takes the same images, and returns them."""
    from sparkdl._bundles.bundle_store import stored_bundle
    from sparkdl._models.libraries import tensorflow

    images = model_inputs(model)[0].leaf
    inputs = {"images": (str(images.dtype), list(images.shape))}
    return stored_bundle(tensorflow().identity, inputs=inputs, name="images")


def _images(dataset: DataFrame, name: str, has_loader: bool) -> Column:
    from pyspark.sql.types import StringType

    column, kind = existing_column(dataset, name, " for the images", "Set inputCol.")
    if not has_loader and not isinstance(kind, StringType):
        raise SchemaMismatchException(
            f"Cannot load images from column '{name}': expected string (URIs of files), got "
            f"{kind.simpleString()}. (An imageLoader takes a column of any type.)"
        )
    return column


def _ordered(rows: DataFrame) -> DataFrame:
    """Sort by hash, over as many partitions as there are cores, without looking at the data first.

    Partition i of n has the hashes from i/n to (i+1)/n of all, so the order of the whole does not
    depend on n. Spark's adaptive execution does not change partitions that were made by id.
    """
    from pyspark.sql.functions import expr

    count = rows.sparkSession.sparkContext.defaultParallelism
    text = f"coalesce(CAST({_URI} AS STRING), '')"
    hashed = rows.withColumn(_HASH, expr(f"shiftrightunsigned(xxhash64({text}), 32)"))
    part = expr(f"CAST(shiftright({_HASH} * {count}, 32) AS INT)")
    placed = repartition_by_id(hashed, count, part)
    return placed.sortWithinPartitions(_HASH, _URI, _LABEL).drop(_HASH)
