"""Notebooks: whether there is one, and what it shows of results, texts line by line and tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape


def in_notebook() -> bool:
    """Return whether a kernel runs this program, such as Jupyter's, and not a terminal."""
    interactive = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


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
