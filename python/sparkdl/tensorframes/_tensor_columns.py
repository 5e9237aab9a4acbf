"""The tensor that a column of a DataFrame is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sparkdl.errors import SchemaMismatchException


@dataclass(frozen=True)
class TensorColumn:
    """A column as a tensor.

    Attributes
    ----------
    name : str
    dtype : str or None
        TensorFlow's name of the type of an element; None if the column is not a tensor.
    cell : tuple of (int or None), or None
        Sizes of the value of one row, None for those that are unknown; None as a whole if even
        their number is unknown.
    """

    name: str
    dtype: str | None
    cell: tuple[int | None, ...] | None

    def shape(self, block: bool) -> list[int | None] | None:
        """Return the shape of a block of rows, or of one row."""
        if self.cell is None:
            return None
        return [None, *self.cell] if block else [*self.cell]

    def __str__(self) -> str:
        """Return for example "x: float64 [?, 3]", as a block."""
        if self.dtype is None:
            return f"{self.name}: not a tensor"
        sizes = self.shape(True)
        if sizes is None:
            return f"{self.name}: {self.dtype} [...]"
        return (
            f"{self.name}: {self.dtype} [{', '.join('?' if d is None else str(d) for d in sizes)}]"
        )


TensorColumns = Mapping[str, TensorColumn]


def tensor_column(name: str, columns: TensorColumns, reader: str) -> TensorColumn:
    """Return a column that is a tensor, or say why there is none."""
    column = columns.get(name)
    if column is None:
        raise SchemaMismatchException(
            f"There is no column '{name}' for {reader}. The DataFrame has: "
            f"{', '.join(columns) or 'no columns'}."
        )
    if column.dtype is None:
        raise SchemaMismatchException(
            f"Column '{name}' cannot be fed to {reader}: values of its type are not tensors. "
            "Expected numbers, booleans, strings, binary, arrays of these, or vectors and matrices "
            "of MLlib. Take a field out of it, or cast it."
        )
    return column
