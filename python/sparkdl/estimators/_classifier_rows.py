"""The rows that a classifier is trained on: images, labels, and which are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkdl.errors import SchemaMismatchException

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_PARTS = 1_000_000


def labelled_images(estimator: Any, dataset: DataFrame) -> DataFrame:
    """Return columns image, label (double or string) and held_out (boolean).

    Raises
    ------
    SchemaMismatchException
        A column is missing or has another type.
    """
    from pyspark.sql.functions import col
    from pyspark.sql.types import BooleanType, NumericType, StringType

    label = _column(dataset, estimator, "labelCol", (NumericType, BooleanType, StringType))
    texts = isinstance(dataset.schema[estimator.getLabelCol()].dataType, StringType)
    if estimator.getInputCol() not in dataset.columns:
        raise _missing(dataset, estimator.getInputCol(), "inputCol")
    image = col(f"`{estimator.getInputCol()}`")
    return dataset.select(
        image.alias("image"),
        (label if texts else label.cast("double")).alias("label"),
        _held_out(estimator, dataset, image).alias("held_out"),
    )


def _held_out(estimator: Any, dataset: DataFrame, image: Column) -> Column:
    """Say which rows are for validation.

    By the content of an image and the seed, so that neither the order of the rows nor their
    partitions matter, and that the same image is never on both sides.
    """
    from pyspark.sql.functions import coalesce, lit, pmod, xxhash64
    from pyspark.sql.types import BooleanType

    if estimator.isSet("validationCol"):
        given = _column(dataset, estimator, "validationCol", (BooleanType,))
        return coalesce(given, lit(False))
    drawn = pmod(xxhash64(image, lit(estimator.getSeed())), lit(_PARTS))
    return drawn < lit(int(estimator.getValidationFraction() * _PARTS))


def _column(dataset: DataFrame, estimator: Any, param: str, types: tuple[type, ...]) -> Column:
    from pyspark.sql.functions import col

    name = estimator.getOrDefault(param)
    if name not in dataset.columns:
        raise _missing(dataset, name, param)
    found = dataset.schema[name].dataType
    if not isinstance(found, types):
        kinds = " or ".join(t.__name__.removesuffix("Type").lower() for t in types)
        raise SchemaMismatchException(
            f"Cannot use column '{name}' as {param}: expected {kinds}, got {found.simpleString()}."
        )
    return col(f"`{name}`")


def _missing(dataset: DataFrame, name: str, param: str) -> SchemaMismatchException:
    return SchemaMismatchException(
        f"There is no column '{name}'. The DataFrame has: {', '.join(dataset.columns)}. "
        f"Set {param}."
    )
