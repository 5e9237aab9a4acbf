"""The columns of a DataFrame that a model is trained on, and the arrays that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sparkdl._columns import existing_column
from sparkdl._models.model_ends import End, model_inputs, model_outputs
from sparkdl._placement.pairing import pair_columns
from sparkdl._placement.struct_inputs import named_inputs
from sparkdl._placement.text_labels import classes_of, indices
from sparkdl._placement.training_labels import label_column
from sparkdl.errors import SchemaMismatchException, SettingsException

if TYPE_CHECKING:
    import keras
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

TEXTS = "S"  # a field's dtype until it is known how many bytes the longest text has

# The array that a column of this type becomes, as in `ColumnTypes` in Scala.
_ARRAYS = {
    "boolean": "bool",
    "tinyint": "int8",
    "smallint": "int16",
    "int": "int32",
    "bigint": "int64",
    "float": "float32",
    "double": "float64",
    "binary": "uint8",
    "string": TEXTS,
}
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_INTEGERS = ("int8", "int16", "int32", "int64")


@dataclass(frozen=True)
class Field:
    """A column as an array.

    Attributes
    ----------
    name : str
        The name of the column.
    dtype : str
        The dtype of the array that workers keep; of texts, bytes of a fixed number.
    shape : tuple
        The shape of one row, with None where the data decide; None for labels of any length.
    raw : bool
        Whether a row is raw bytes.
    padding : float, optional
        What rows are padded with, which may then differ in the sizes that are None.
    classes : tuple of str
        The texts that the numbers of labels stand for; none where labels are numbers.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None
    raw: bool = False
    padding: float | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fields:
    """All columns that are trained on, in the order in which blocks have them."""

    inputs: tuple[Field, ...]
    labels: tuple[Field, ...]
    weight: Field | None
    chosen: str = ""  # the column that says which rows are for validation

    def all(self) -> tuple[Field, ...]:
        """Return inputs, labels and, if there is one, the weight."""
        return (*self.inputs, *self.labels, *([self.weight] if self.weight else []))

    def wide_enough(self, dtypes: Sequence[Sequence[str]]) -> Fields:
        """Return the fields, with texts as long as the longest of any block.

        `dtypes` are those of each block, in the order of `all`.
        """
        inputs = tuple(
            replace(field, dtype=max((d[i] for d in dtypes), key=lambda d: int(d.lstrip("|S"))))
            if field.dtype == TEXTS
            else field
            for i, field in enumerate(self.inputs)
        )
        return replace(self, inputs=inputs)


def training_columns(
    df: DataFrame,
    model: keras.Model,
    inputs: Sequence[str] | Mapping[str, str],
    labels: Sequence[str] | Mapping[str, str],
    weight: str | None,
    chosen: str | None,
    padding: float | Mapping[str, float] = 0.0,
) -> tuple[DataFrame, Fields]:
    """Return columns c0, c1, ... as Arrow takes them, then `chosen`, and their fields.

    Parameters
    ----------
    df : DataFrame
    model : keras.Model
    inputs, labels : sequence or mapping of str
        A column per input; a column per output, or none. In the order of the ends, or by name.
    weight, chosen : str or None
        The column with each row's weight, and that which says whether a row is for validation.
    padding : float or mapping of str to float
        What rows of inputs with unknown sizes are padded with, for all or by input.

    Raises
    ------
    SchemaMismatchException
        A column is missing, has another type, or there are more or fewer than the model needs.
    """
    ends = model_inputs(model)
    features = pair_columns("inputCols", named_inputs(df, inputs, ends), ends, "input")
    outputs = model_outputs(model)
    targets = pair_columns("labelCols", labels, outputs, "output") if labels else []
    input_columns = [_input_field(df, name, end) for name, end in zip(features, ends, strict=True)]
    label_columns = [
        _label_field(df, name, end) for name, end in zip(targets, outputs, strict=False)
    ]
    weight_columns = [_weight_field(df, weight)] if weight is not None else []
    fields = Fields(
        inputs=_padded([f for f, _ in input_columns], ends, padding),
        labels=tuple(f for f, _ in label_columns),
        weight=weight_columns[0][0] if weight_columns else None,
        chosen=chosen or "",
    )
    columns = [
        c.alias(f"c{i}")
        for i, (_, c) in enumerate([*input_columns, *label_columns, *weight_columns])
    ]
    return df.select(*columns, _validation_flag(df, chosen).alias("chosen")), fields


def _padded(
    fields: Sequence[Field], ends: Sequence[End], padding: float | Mapping[str, float]
) -> tuple[Field, ...]:
    """Return the fields of inputs, with what those of unknown sizes are padded with."""
    unknown = {
        end.name for end in ends if None in end.leaf.shape[1:] and str(end.leaf.dtype) != "string"
    }
    if isinstance(padding, Mapping) and (others := padding.keys() - unknown):
        raise SettingsException(
            "paddingValue is for inputs with an unknown size, which are "
            f"{', '.join(sorted(unknown)) or 'none'}, but it names {', '.join(sorted(others))}."
        )
    values = padding if isinstance(padding, Mapping) else dict.fromkeys(unknown, padding)
    return tuple(
        replace(field, padding=float(values.get(end.name, 0))) if end.name in unknown else field
        for field, end in zip(fields, ends, strict=True)
    )


def _input_field(df: DataFrame, name: str, end: End) -> tuple[Field, Column]:
    """Return how a column feeds an input."""
    from pyspark.ml.functions import vector_to_array

    dtype, shape = str(end.leaf.dtype), tuple(end.leaf.shape[1:])
    column, kind = existing_column(df, name)
    element, rank, vector = _element_type(kind)
    raw = element == "binary" and rank == 0 and dtype != "string"
    array = _ARRAYS.get("double" if element.startswith("decimal") else element)
    ranks_agree = raw or rank == len(shape) or one_value(shape, rank)
    if array is None or not _takes(array, dtype, raw) or not ranks_agree:
        raise SchemaMismatchException(_misfit(name, kind, end, dtype, shape))
    if vector:
        column = vector_to_array(column, "float64" if dtype == "float64" else "float32")
    elif element.startswith("decimal"):
        column = column.cast(kind.simpleString().replace(element, "double"))
    return Field(name, _stored_dtype(array, dtype), shape, raw), column


def one_value(shape: Sequence[int | None], rank: int) -> bool:
    """Say whether values of a rank feed rows of a shape of another rank: both are one value."""
    return (rank == 0 and tuple(shape) == (1,)) or (rank == 1 and not shape)


def _label_field(df: DataFrame, name: str, end: End) -> tuple[Field, Column]:
    """Return how a column becomes a label: a number, or several float32 numbers per row."""
    from pyspark.sql.types import StringType

    texts, kind = existing_column(df, name)
    if isinstance(kind, StringType):
        classes = classes_of(df, texts, name, end)
        return Field(name, "float64", (), classes=classes), indices(texts, classes)
    column = label_column(df, name)
    if df.select(column.alias("y")).schema["y"].dataType.simpleString() == "double":
        return Field(name, "float64", ()), column
    return Field(name, "float32", None), column


def _weight_field(df: DataFrame, name: str) -> tuple[Field, Column]:
    from pyspark.sql.types import NumericType

    column, kind = existing_column(df, name)
    if not isinstance(kind, NumericType):
        raise SchemaMismatchException(
            f"Cannot weigh rows by column '{name}': expected numbers, got {kind.simpleString()}."
        )
    return Field(name, "float32", ()), column.cast("float")


def _validation_flag(df: DataFrame, name: str | None) -> Column:
    from pyspark.sql.functions import lit
    from pyspark.sql.types import BooleanType

    if name is None:
        return lit(False)
    column, kind = existing_column(df, name)
    if not isinstance(kind, BooleanType):
        raise SchemaMismatchException(
            f"validationCol '{name}' must say for each row whether it is for validation: expected "
            f"boolean, got {kind.simpleString()}."
        )
    return column


def _element_type(kind: DataType) -> tuple[str, int, bool]:
    """Return the type at the bottom of arrays, how deep it is, and whether it is a vector."""
    from pyspark.ml.linalg import VectorUDT
    from pyspark.sql.types import ArrayType

    if isinstance(kind, VectorUDT):
        return "double", 1, True
    if isinstance(kind, ArrayType):
        element, rank, vector = _element_type(kind.elementType)
        return element, -1 if vector else rank + 1, vector  # arrays of vectors are refused
    return kind.simpleString(), 0, False


def _takes(array: str, dtype: str, raw: bool) -> bool:
    """Say whether an input of a dtype takes such numbers, now and in the fitted model."""
    if dtype == "string":
        return array == TEXTS or (array == "uint8" and not raw)
    if array == "uint8":
        return raw and dtype == "uint8"
    if array == TEXTS:
        return False
    if dtype in _FLOATS:
        return array != "bool"
    if dtype == "uint8":
        return array in _INTEGERS[1:]
    if dtype in _INTEGERS:
        return array in _INTEGERS[: _INTEGERS.index(dtype) + 1]
    return array == dtype


def _stored_dtype(array: str, dtype: str) -> str:
    """Return the smaller of two dtypes for the same numbers; feeding converts to bfloat16."""
    if dtype == "string":
        return TEXTS
    if dtype in _FLOATS:
        return (
            array
            if array in ("int8", "int16")
            else ("float64" if dtype == "float64" else "float32")
        )
    return dtype


def _misfit(name: str, kind: DataType, end: End, dtype: str, shape: tuple[Any, ...]) -> str:
    rows = ["?" if d is None else d for d in (None, *shape)]
    values = "texts" if dtype == "string" else "numbers"
    nested = values if len(shape) == 0 or shape == (1,) else f"arrays nested {len(shape)} deep"
    return (
        f"Cannot feed column '{name}' to input '{end.name}' of the model: expected {nested} for "
        f"{dtype} {rows}, got {kind.simpleString()}. Cast the column, or put numbers together with "
        "array() or VectorAssembler; docs/sql.md has the table of types."
    )
