"""Lines for the user, on the driver's stderr."""

from __future__ import annotations

import sys


def show(text: str) -> None:
    """Print a line, whole even when several threads print at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show_log(rank: int, line: str) -> None:
    """Print a line that a worker wrote."""
    show(f"worker {rank}: {line}")
