"""What the user is told while something runs: lines on the driver's stderr, a bar in notebooks."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from sparkdl._notebook import in_notebook


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
        bar = _bar_class() if epochs and in_notebook() else None
        self._bar = None if bar is None else bar(total=epochs, initial=ended, unit="epoch")

    def show(self, line: str, epochs: int = 1) -> None:
        """Show what epochs that have just ended gave; 0 of them: something else that happened."""
        if self._bar is None:
            show(line)
        else:
            self._bar.set_postfix_str(line, refresh=epochs == 0)
            self._bar.update(epochs)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def _bar_class() -> Any:
    """Return what draws a bar, as a widget or as text; None without tqdm."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is text, without ipywidgets
            from tqdm.auto import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm
