"""Labels that are texts: classes by their order."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from sparkdl._models.model_ends import End
from sparkdl.errors import SchemaMismatchException

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def classes_of(df: DataFrame, column: Column, name: str, end: End) -> tuple[str, ...]:
    """Return the texts of a column, sorted: as many as the output has classes.

    Raises
    ------
    SchemaMismatchException
        There are more or fewer.
    """
    units = end.leaf.shape[-1] if len(end.leaf.shape) > 1 else 1
    expected = 2 if units == 1 else units
    rows = df.select(column.alias("label")).where("label IS NOT NULL").distinct()
    texts = sorted(r[0] for r in rows.limit(expected + 1).collect())
    if len(texts) != expected:
        more = " or more" if len(texts) > expected else ""
        raise SchemaMismatchException(
            f"Column '{name}' has {len(texts)} labels{more} ({', '.join(texts[:5])}"
            f"{', ...' if len(texts) > 5 else ''}), but output '{end.name}' of the model has "
            f"{expected} classes. Give the model an output per label (or one for two labels), or "
            "pyspark.ml.feature.StringIndexer numbers that fit it."
        )
    return tuple(texts)


def indices(column: Column, classes: tuple[str, ...]) -> Column:
    """Return the place of each text among the classes, as double; null stays null."""
    from pyspark.sql.functions import create_map, lit

    pairs = chain.from_iterable((lit(text), lit(float(i))) for i, text in enumerate(classes))
    return create_map(*pairs)[column]
