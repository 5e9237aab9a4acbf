"""The cells of pandas' columns as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sparkdl.errors import InvalidInputException
from sparkdl.tensorframes._tensor_columns import TensorColumn

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Cells:
    """A column of pandas.

    Attributes
    ----------
    column : TensorColumn
        What tensor it is.
    values : numpy.ndarray or list of (numpy.ndarray or None)
        An array of scalars, or the value of each row, with None for a null.
    """

    column: TensorColumn
    values: Array | list[Array | None]

    def is_null(self, row: int) -> bool:
        """Say whether a row has no value."""
        return self.values[row] is None

    def shape(self, row: int) -> tuple[int, ...]:
        """Return the shape of a row's value."""
        return np.asarray(self.values[row]).shape

    def block(self, rows: Sequence[int]) -> Array:
        """Return the tensor of some rows, whose shapes are equal."""
        if isinstance(self.values, np.ndarray):
            return self.values[list(rows)]
        return np.stack([np.asarray(self.values[r]) for r in rows])


def pandas_columns(frame: pd.DataFrame) -> dict[str, TensorColumn]:
    """Return the columns of a frame as tensors; sizes are known where all rows have the same."""
    return {name: cells.column for name, cells in pandas_cells(frame).items()}


def pandas_cells(frame: pd.DataFrame) -> dict[str, Cells]:
    """Return the cells of all columns of a frame."""
    return {str(name): _cells(str(name), frame[name]) for name in frame.columns}


def _cells(name: str, series: pd.Series) -> Cells:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
        return Cells(TensorColumn(name, str(series.dtype), ()), series.to_numpy())
    if isinstance(series.dtype, np.dtype) and series.dtype.kind != "O":  # dates, complex numbers
        return Cells(TensorColumn(name, None, None), series.to_numpy())
    arrays = [_array(name, i, value) for i, value in enumerate(series.to_numpy(dtype=object))]
    values = [a for a in arrays if a is not None]
    dtype = _common_dtype(values)
    if dtype is None:
        return Cells(TensorColumn(name, None, None), series.to_numpy())
    typed = [None if a is None else a.astype(dtype) for a in arrays]
    tensor = "string" if dtype.hasobject else str(dtype)
    return Cells(TensorColumn(name, tensor, _shape(name, values)), typed)


def _array(name: str, row: int, value: object) -> Array | None:
    """Return the value of a row, None for a null."""
    if _missing(value):
        return None
    if hasattr(value, "toArray"):  # a vector or matrix of MLlib
        value = value.toArray()
    try:
        array = np.asarray(value)
    except ValueError as e:
        raise InvalidInputException(f"Column '{name}' is not rectangular in row {row}: {e}") from e
    if array.dtype.kind in "US" or isinstance(value, (str, bytes)):
        return np.asarray(value, object)
    if array.dtype == object and all(isinstance(v, Decimal) for v in array.flat):
        return array.astype(np.float64)
    has_null = array.dtype == object and any(_missing(v) for v in array.flat)
    return None if has_null else array


def _missing(value: object) -> bool:
    # pandas.NA and NaT are not equal to themselves; nor is NaN, which stands for missing text.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _common_dtype(arrays: Sequence[Array]) -> Any:
    """Return the dtype that all arrays fit into; None if these are not tensors."""
    filled = [a for a in arrays if a.size] or list(arrays)
    if not filled:
        return None
    if all(a.dtype == object for a in filled):
        text = all(isinstance(v, (str, bytes)) for a in filled for v in a.flat)
        return np.dtype(object) if text else None
    if any(a.dtype.kind not in "biuf" for a in filled):
        return None
    return np.result_type(*filled)


def _shape(name: str, arrays: Sequence[Array]) -> tuple[int | None, ...]:
    ranks = {a.ndim for a in arrays}
    if len(ranks) > 1:
        different = ", ".join(map(str, sorted(ranks)))
        raise InvalidInputException(
            f"The values of column '{name}' have {different} dimensions. Expected the same number "
            "in all rows."
        )
    sizes = zip(*(a.shape for a in arrays), strict=True)
    return tuple(s[0] if len(set(s)) == 1 else None for s in sizes)
