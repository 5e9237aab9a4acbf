"""From a DataFrame's columns to columns that become tensors, all computed by Spark.

The prepared DataFrame has, for column number i of the requested ones, `c{i}`: numbers, strings,
arrays, or for images the bytes of their pixels, with `h{i}` and `w{i}`, their height and width.
`reason` (string) says why a row cannot be used; it is null for all other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparkdl._columns import existing_column
from sparkdl.errors import SchemaMismatchException

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

REASON = "reason"


def prepare(df: DataFrame, names: Sequence[str], image_size: tuple[int, int] | None) -> DataFrame:
    """Return the DataFrame of the columns `c{i}`, `h{i}`, `w{i}` and `reason`.

    Raises
    ------
    SchemaMismatchException
        A column is missing, or has a type that no tensor takes.
    """
    from pyspark.sql.functions import coalesce, col

    images = [i for i, name in enumerate(names) if _is_image(df, name, image_size)]
    frame = df.select(
        *(existing_column(df, name).column.alias(f"c{i}") for i, name in enumerate(names))
    )
    for i in images:
        frame = _with_pixels(frame, i, image_size)
    reasons, selected = [], []
    for i, name in enumerate(names):
        if i in images:
            reasons.append(_with_prefix(col(f"e{i}"), f"the image in column '{name}': "))
            selected += [col(f"p{i}.{f}").alias(f"{a}{i}") for f, a in _FIELDS.items()]
        else:
            reasons.append(_null_reason(frame, i, name))
            selected.append(_castable(frame, i, name).alias(f"c{i}"))
    return frame.select(*selected, coalesce(*reasons).alias(REASON))


_FIELDS = {"data": "c", "height": "h", "width": "w"}


def _is_image(df: DataFrame, name: str, size: tuple[int, int] | None) -> bool:
    from pyspark.ml.image import ImageSchema
    from pyspark.sql.types import BinaryType, StructType

    dtype = existing_column(df, name).kind
    if isinstance(dtype, StructType):
        return dtype.names == ImageSchema.columnSchema.names
    return isinstance(dtype, BinaryType) and size is not None


def _with_pixels(frame: DataFrame, i: int, size: tuple[int, int] | None) -> DataFrame:
    """Add `p{i}`, an image struct of RGB pixels, and `e{i}`, why there is none.

    The JVM decodes and resizes as all stages do, so a model is trained on what it will see later.
    Image structs are BGR; the model through which the images go here reverses the channels.
    """
    from sparkdl._bundles.bundle_store import stored_bundle
    from sparkdl._models.libraries import tensorflow
    from sparkdl.transformers import TFImageTransformer

    tf = tensorflow()
    inputs = {"images": ("uint8", [None, *(size or (None, None)), 3])}
    bundle = stored_bundle(lambda images: tf.reverse(images, [3]), inputs=inputs, name="pixels")
    stage = TFImageTransformer(
        inputCol=f"c{i}",
        outputCol=f"p{i}",
        tfInputGraph=bundle,
        outputMode="image",
        handleInvalid="keep",
        errorCol=f"e{i}",
    )
    pixels: DataFrame = stage.transform(frame)
    return pixels


def _with_prefix(reason: Column, before: str) -> Column:
    from pyspark.sql.functions import concat, lit

    return concat(lit(before), reason)


def _null_reason(frame: DataFrame, i: int, name: str) -> Column:
    """Return the reason for a null in the column, or null."""
    from pyspark.sql.functions import lit, when

    return when(_has_null(frame[f"c{i}"], frame.schema[f"c{i}"].dataType), lit(_null_text(name)))


def _null_text(name: str) -> str:
    return f"column '{name}' is null, or has a null in its array"


def _has_null(column: Column, kind: DataType) -> Column:
    from pyspark.sql.functions import exists
    from pyspark.sql.types import ArrayType

    if not isinstance(kind, ArrayType):
        return column.isNull()
    return column.isNull() | exists(column, lambda x: _has_null(x, kind.elementType))


def _castable(frame: DataFrame, i: int, name: str) -> Column:
    """Return the column as numbers, strings, bytes or arrays of them; fractions are float32."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.ml.linalg import VectorUDT

    column, kind = frame[f"c{i}"], frame.schema[f"c{i}"].dataType
    if isinstance(kind, VectorUDT):
        return vector_to_array(column, "float32")
    target = _tensor_type(kind)
    if target is None:
        raise SchemaMismatchException(
            f"Column '{name}' cannot become a tensor: expected numbers, booleans, strings, arrays "
            "of them, MLlib vectors, image structs, or encoded images as bytes (with image_size), "
            f"got {kind.simpleString()}. Convert it in Spark first."
        )
    return column if target == kind else column.cast(target)


def _tensor_type(kind: DataType) -> Any:
    """Return the type that Spark casts to, or None if there is no tensor for it."""
    from pyspark.sql import types as t

    if isinstance(kind, t.ArrayType):
        element = _tensor_type(kind.elementType)
        return element and t.ArrayType(element, kind.containsNull)
    if isinstance(kind, (t.DoubleType, t.DecimalType)):
        return t.FloatType()
    plain = (t.FloatType, t.IntegralType, t.BooleanType, t.StringType, t.BinaryType)
    return kind if isinstance(kind, plain) else None
