"""Notebooks: whether there is one, and what it shows of results and of work."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from html import escape
from typing import Any


def kernel() -> Any:
    """Return what runs the cells, such as Jupyter's kernel; None in a terminal."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return shell if shell is not None and "IPKernelApp" in shell.config else None


def in_notebook() -> bool:
    """Return whether a kernel runs this program, and not a terminal."""
    return kernel() is not None


class Bar:
    """How far some work is, drawn by tqdm as a widget or as text.

    Parameters
    ----------
    total : int
        Where the bar ends.
    initial : int
        Where it begins.
    unit : str
        What is counted.
    stays : bool
        Whether it can be seen when the work is done.
    """

    shown = 0  # bars that are not closed

    def __init__(self, total: int, initial: int = 0, unit: str = "it", stays: bool = True) -> None:
        self._bar: Any = _tqdm()(total=total, initial=initial, unit=unit, leave=stays)
        Bar.shown += 1

    def advance(self, n: int = 1, text: str = "") -> None:
        """Note that n more are done, and show a text beside the bar."""
        self._bar.set_postfix_str(text, refresh=n == 0)
        self._bar.update(n)

    def stand_at(self, done: int, total: int) -> None:
        """Show how many are done, of a total that may have changed."""
        if self._bar.total != total:
            began = self._bar.start_t
            self._bar.reset(total)
            self._bar.start_t = began
        self._bar.n = done
        self._bar.refresh()

    def close(self) -> None:
        """Leave it as it is, or take it away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
            Bar.shown -= 1


def has_bars() -> bool:
    """Return whether there is a notebook, and tqdm for its bars."""
    return in_notebook() and _tqdm() is not None


def _tqdm() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that bars are text, without ipywidgets
            from tqdm.auto import tqdm
    except ModuleNotFoundError:
        return None
    return tqdm


class Text(str):
    """A text whose value at the end of a cell is shown line by line, and not with escapes.

    >>> Text("one\\ntwo")
    one
    two
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Html(str):
    """What is HTML already."""

    __slots__ = ()


def html_table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a table; cells are texts, unless they are `Html`.

    >>> html_table(["a"], [["<"], [Html("<b>1</b>")]])
    '<table><tr><th>a</th></tr><tr><td>&lt;</td></tr><tr><td><b>1</b></td></tr></table>'
    """
    lines = [_row(header, "th"), *(_row(row, "td") for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _row(cells: Iterable[object], tag: str) -> str:
    shown = (cell if isinstance(cell, Html) else escape(str(cell)) for cell in cells)
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in shown)}</tr>"
