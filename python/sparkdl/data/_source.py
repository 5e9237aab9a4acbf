"""The rows that feed a dataset, and those that cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparkdl._columns import existing_column
from sparkdl.data._arrow_arrays import TensorField, fields_of, usable_rows
from sparkdl.data._epoch_order import spread_rows
from sparkdl.data._prepared_columns import REASON, prepare
from sparkdl.errors import InvalidInputException
from sparkdl.errors.user_warnings import warn
from sparkdl.session.spark_api import arrow_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Source:
    """Columns of a DataFrame as they become tensors.

    Parameters
    ----------
    df : DataFrame
    names : sequence of str
    image_size : (int, int) or None
        Height and width.

    Attributes
    ----------
    frame : DataFrame
        The prepared columns, see `_prepared_columns`.
    """

    def __init__(
        self, df: DataFrame, names: Sequence[str], image_size: tuple[int, int] | None
    ) -> None:
        self.frame = prepare(df, names, image_size)
        self._df, self._names, self._size = df, names, image_size

    def spread_rows(self, seed: int) -> DataFrame:
        """Return `frame` with its rows spread over the partitions at random."""
        names = dict.fromkeys(self._names)
        chosen = self._df.select(*(existing_column(self._df, n).column.alias(n) for n in names))
        return prepare(spread_rows(chosen, seed), self._names, self._size)

    def first_row(self, skip: bool) -> tuple[list[TensorField], int]:
        """Return the fields that the columns become, and the approximate bytes of a row.

        Raises
        ------
        InvalidInputException
            There is no row, or the first one cannot be used and may not be skipped.
        """
        rows = self.frame.where(f"{REASON} IS NULL") if skip else self.frame
        first = rows.take(1)  # toArrow() would begin all partitions
        if not first:
            raise InvalidInputException(
                "The DataFrame has no row" + (" that can be used." if skip else ".")
            )
        table = arrow_table(rows.sparkSession.createDataFrame(first, rows.schema))
        batch = table.combine_chunks().to_batches()[0]
        _, reasons = usable_rows(batch)
        RejectedRows().add(1, reasons, skip)
        return fields_of(batch, self._names), batch.nbytes


class RejectedRows:
    """Counts rows of an epoch that cannot be used."""

    _MOST = 3

    def __init__(self) -> None:
        self.rows = self.rejected = 0
        self.reasons: list[str] = []

    def add(self, rows: int, reasons: list[str], skip: bool) -> None:
        """Count rows; an InvalidInputException if there are reasons and none may be skipped."""
        if reasons and not skip:
            raise InvalidInputException(_refusal(reasons[0]))
        self.rows += rows
        self.rejected += len(reasons)
        self.reasons = (self.reasons + reasons)[: self._MOST]

    @property
    def used(self) -> int:
        """Rows that were not rejected."""
        return self.rows - self.rejected

    def warn_if_any(self) -> None:
        """Warn if rows were skipped."""
        if self.rejected:
            first = "; ".join(self.reasons)
            warn(f"tf_dataset: {self.rejected} of {self.rows} rows were skipped. First: {first}.")


def _refusal(reason: str) -> str:
    return (
        f"A row cannot become a tensor: {reason}. Fix it, or leave such rows out with "
        'handle_invalid="skip".'
    )
