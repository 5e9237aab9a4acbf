"""Labels: the columns that can be labels, and the form that a loss wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkdl._columns import existing_column
from sparkdl.errors import InvalidInputException, SchemaMismatchException

if TYPE_CHECKING:
    import numpy as np
    from pyspark.sql import Column, DataFrame

_SPARSE = "sparse_categorical_"
_CATEGORICAL = "categorical_"


def label_column(df: DataFrame, name: str) -> Column:
    """Return a column of labels as double, or as array<double> where a label has several numbers.

    Parameters
    ----------
    df : DataFrame
        Its column `name` (or field, "s.v") is numeric or boolean (a class or a value), or a vector
        of MLlib or an array of those (one number per output of the model, such as one-hot).

    Raises
    ------
    SchemaMismatchException
        The column is missing or has another type.
    """
    from pyspark.ml.functions import vector_to_array
    from pyspark.ml.linalg import VectorUDT
    from pyspark.sql.types import ArrayType, BooleanType, NumericType

    column, dtype = existing_column(df, name, " for the labels", "Set labelCol.")
    if isinstance(dtype, VectorUDT):
        return vector_to_array(column)
    if isinstance(dtype, (NumericType, BooleanType)):
        return column.cast("double")
    if isinstance(dtype, ArrayType) and isinstance(dtype.elementType, (NumericType, BooleanType)):
        return column.cast("array<double>")
    raise SchemaMismatchException(
        f"Cannot learn from labels in column '{name}': expected numbers, MLlib vectors or arrays "
        f"of numbers, got {dtype.simpleString()}. "
        "pyspark.ml.feature.StringIndexer makes numbers from texts."
    )


def targets(labels: np.ndarray[Any, Any], loss: object, output: tuple[int, ...]) -> Any:
    """Return the labels as a loss wants them.

    Parameters
    ----------
    labels : ndarray
        float64, [rows] or [rows, numbers].
    loss : object
        As Keras takes it. Sparse categorical losses get classes (also from one-hot labels), the
        other categorical losses one-hot vectors (also from classes), all others the numbers.
    output : tuple of int
        Shape of the model's output for one row; its last dimension counts the classes.

    Returns
    -------
    ndarray
        int32 classes for a sparse loss, otherwise float32; the shape is that of the output, except
        for single numbers, which stay [rows].

    Raises
    ------
    InvalidInputException
        The labels do not fit the loss or the output; the message says why.
    """
    name = _loss_name(loss)
    if name.startswith(_SPARSE):
        return _classes(labels, name, output).astype("int32")
    if name.startswith(_CATEGORICAL) and _size(labels) == _product(output[:-1]):
        return _one_hot(_classes(labels, name, output), output)
    if _size(labels) != _product(output):
        raise InvalidInputException(
            f"The labels do not fit the model: it returns {_product(output)} number(s) per row "
            f"(shape {list(output)}), a label has {_size(labels)}. With loss {name!r} every output "
            "needs its number."
        )
    numbers = labels.astype("float32")
    return numbers if labels.ndim == 1 else numbers.reshape(-1, *output)


def _loss_name(loss: object) -> str:
    """Return the name of a loss as Keras writes it, "CategoricalHinge" as "categorical_hinge"."""
    import re

    if isinstance(loss, dict):
        loss = loss.get("class_name", "")
    text = loss
    if not isinstance(loss, str):
        text = getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(text)).lower()


def _size(labels: np.ndarray[Any, Any]) -> int:
    return 1 if labels.ndim == 1 else int(labels.shape[1])


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for size in shape:
        result *= size
    return result


def _classes(labels: np.ndarray[Any, Any], loss: str, output: tuple[int, ...]) -> Any:
    """Return whole numbers from 0 to the number of classes, shaped as the output without them."""
    import numpy as np

    count, places = output[-1], output[:-1]
    if _size(labels) == _product(output) and labels.ndim > 1 and count > 1:
        return _from_one_hot(labels.reshape(-1, *output), loss)
    if _size(labels) != _product(places):
        raise InvalidInputException(
            f"The labels do not fit the model: it has {count} classes, a label has "
            f"{_size(labels)} numbers. Loss {loss!r} takes the number of the class or a one-hot "
            f"vector of {_product(output)}."
        )
    wrong = np.flatnonzero(
        ((labels != np.floor(labels)) | (labels < 0) | (labels >= count)).ravel()
    )
    if wrong.size:
        raise InvalidInputException(
            f"Label {labels.ravel()[wrong[0]]:g} is not a class of the model: loss {loss!r} takes "
            f"whole numbers from 0 to {count - 1} ({wrong.size} of {labels.size} labels are wrong)."
        )
    return labels.astype("int64").reshape(-1, *places)


def _from_one_hot(labels: np.ndarray[Any, Any], loss: str) -> Any:
    right = ((labels == 0) | (labels == 1)).all(axis=-1) & (labels.sum(axis=-1) == 1)
    if not right.all():
        raise InvalidInputException(
            f"{int((~right).sum())} labels are not one-hot (a 1, and 0 elsewhere), so they have no "
            f"class for loss {loss!r}. 'categorical_crossentropy' takes labels that are "
            "probabilities."
        )
    return labels.argmax(axis=-1)


def _one_hot(classes: np.ndarray[Any, Any], output: tuple[int, ...]) -> Any:
    import numpy as np

    rows = np.zeros((classes.size, output[-1]), dtype="float32")
    rows[np.arange(classes.size), classes.ravel()] = 1
    return rows.reshape(-1, *output)
