"""What the user is told while something runs: lines on the driver's stderr, a bar in notebooks."""

from __future__ import annotations

import sys

from sparkdl._notebook import Bar, has_bars


def show(text: str) -> None:
    """Print a line, whole even when several threads print at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def show_log(rank: int, line: str) -> None:
    """Print a line that a worker wrote."""
    show(f"worker {rank}: {line}")


class EpochLines:
    """A line for every epoch; in a notebook the newest one, beside a bar, if tqdm is installed.

    Parameters
    ----------
    epochs : int
        How many there will be, where the bar ends; without any there is none.
    ended : int
        How many of them an earlier training has done.
    """

    def __init__(self, epochs: int, ended: int = 0) -> None:
        self._bar = Bar(epochs, ended, unit="epoch") if epochs and has_bars() else None

    def show(self, line: str, epochs: int = 1) -> None:
        """Show what epochs that have just ended gave; 0 of them: something else that happened."""
        if self._bar is None:
            show(line)
        else:
            self._bar.advance(epochs, line)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
