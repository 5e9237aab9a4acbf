"""The rows that a classifier is trained on: images, labels, and which are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._columns import existing_column
from sparkdl.errors import SchemaMismatchException

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from sparkdl.estimators._classifier.classifier_params import ClassifierParams

_PARTS = 1_000_000
_KINDS = {
    "StructType": "Spark's image struct",
    "BinaryType": "encoded bytes (binary)",
    "NumericType": "numbers",
    "BooleanType": "boolean",
    "StringType": "strings",
}


def labelled_images(estimator: ClassifierParams, dataset: DataFrame) -> DataFrame:
    """Return columns image, label (double or string), held_out (boolean) and origin (string).

    origin is that of an image struct, null for other images.

    Raises
    ------
    SchemaMismatchException
        A column is missing or has another type.
    """
    from pyspark.sql.functions import lit
    from pyspark.sql.types import BinaryType, BooleanType, NumericType, StringType, StructType

    image = _column(dataset, estimator, "inputCol", (StructType, BinaryType))
    label = _column(dataset, estimator, "labelCol", (NumericType, BooleanType, StringType))
    texts = isinstance(existing_column(dataset, estimator.getLabelCol()).kind, StringType)
    kind = existing_column(dataset, estimator.getInputCol()).kind
    known = isinstance(kind, StructType) and "origin" in kind.names
    return dataset.select(
        image.alias("image"),
        (label if texts else label.cast("double")).alias("label"),
        _held_out(estimator, dataset, image).alias("held_out"),
        (image["origin"] if known else lit(None).cast("string")).alias("origin"),
    )


def _held_out(estimator: ClassifierParams, dataset: DataFrame, image: Column) -> Column:
    """Return the column that says which rows are for validation.

    An image's content and the seed decide, so that neither the order of the rows nor their
    partitions matter, and the same image is never on both sides, whichever file it is from.
    """
    from pyspark.sql.functions import coalesce, lit, pmod, xxhash64
    from pyspark.sql.types import BooleanType, StructType

    if estimator.isSet("validationCol"):
        chosen = _column(dataset, estimator, "validationCol", (BooleanType,))
        return coalesce(chosen, lit(False))
    kind = existing_column(dataset, estimator.getInputCol()).kind
    fields = kind.names if isinstance(kind, StructType) else []
    content = [image[f] for f in fields if f != "origin"] or [image]
    drawn = pmod(xxhash64(*content, lit(estimator.getSeed())), lit(_PARTS))
    return drawn < lit(int(estimator.getValidationFraction() * _PARTS))


def _column(
    dataset: DataFrame, estimator: ClassifierParams, param: str, types: tuple[type, ...]
) -> Column:
    name = estimator.getOrDefault(param)
    column, kind = existing_column(dataset, name, remedy=f"Set {param}.")
    if not isinstance(kind, types):
        kinds = " or ".join(_KINDS[t.__name__] for t in types)
        raise SchemaMismatchException(
            f"Cannot use column '{name}' as {param}: expected {kinds}, got {kind.simpleString()}."
        )
    return column
