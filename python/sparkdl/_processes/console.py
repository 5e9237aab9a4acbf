"""What the user of the driver reads while processes are at work."""

from __future__ import annotations

import sys


def show(text: str) -> None:
    """Print a line on stderr, whole even when several threads print at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show_log(rank: int, line: str) -> None:
    """Print a line that a worker wrote."""
    show(f"worker {rank}: {line}")
