"""From batches of arrays to a `tf.data.Dataset`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sparkdl._models.libraries import tensorflow
from sparkdl.data._structure import fill

if TYPE_CHECKING:
    from sparkdl.data._structure import Columns

_PREFETCHED = 2  # batches


def as_dataset(
    batches: Callable[[], Iterable[Sequence[Any]]],
    columns: Columns,
    specs: Sequence[Any],
    count: int | None,
) -> Any:
    """Return a dataset that calls `batches` for each iteration.

    Parameters
    ----------
    batches : callable
        Yields batches, each with one array per column.
    columns : str, or tuple, list or dict
        The structure of the elements.
    specs : sequence of tf.TensorSpec
        The spec of each column.
    count : int or None
        Batches of an iteration, -1 if it does not end, None if that is unknown.
    """
    data = tensorflow().data
    dataset = data.Dataset.from_generator(
        lambda: (fill(columns, batch) for batch in batches()),
        output_signature=fill(columns, specs),
    )
    if count is not None:
        dataset = dataset.apply(data.experimental.assert_cardinality(count))
    return dataset.prefetch(_PREFETCHED)
