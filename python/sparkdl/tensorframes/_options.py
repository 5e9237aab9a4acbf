"""Options that the operations share."""

from __future__ import annotations

from typing import Literal

from sparkdl.errors import SparkDLException

BlockSize = int | Literal["auto"] | None
_BUDGET, _PARTITION = 0, -1  # what the JVM takes for "auto" and None
_MOST_ROWS = 2**31 - 1


def block_rows(block_size: BlockSize) -> int:
    """Return a block size as the JVM takes it.

    >>> block_rows("auto"), block_rows(None), block_rows(100)
    (0, -1, 100)
    """
    if block_size is None:
        return _PARTITION
    if block_size == "auto":
        return _BUDGET
    is_number = isinstance(block_size, int) and not isinstance(block_size, bool)
    if is_number and 1 <= block_size <= _MOST_ROWS:
        return block_size
    raise SparkDLException(
        'blockSize must be a number of rows (at least 1), "auto" (as many as fit '
        "spark.sparkdl.blocks.maxMemory) or None (the whole partition), got "
        f"{block_size!r}."
    )


def check_policy(handle_invalid: str) -> str:
    """Return a policy for rows that cannot be fed, if it is one of the possible ones."""
    from sparkdl.param.invalid_rows import WITHOUT_KEEP  # a package that imports pyspark

    if handle_invalid not in WITHOUT_KEEP:
        raise SparkDLException(
            f"handleInvalid must be one of: {', '.join(WITHOUT_KEEP)}; got {handle_invalid!r}."
        )
    return handle_invalid
