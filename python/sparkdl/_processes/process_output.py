"""The output of a process: whole lines are passed on, the last ones are kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

_TAIL = 20_000  # characters
_LONGEST = 100_000  # bytes of a line

TakeLines = Callable[[Sequence[str]], None]


class ProcessOutput:
    """The reading end of a pipe.

    Parameters
    ----------
    pipe : int
        Its file descriptor, which does not block.
    take : callable
        Called with whole lines, as a terminal shows them.

    Attributes
    ----------
    tail : str
        The last of the output so far.
    """

    def __init__(self, pipe: int, take: TakeLines) -> None:
        self._pipe, self._take_lines = pipe, take
        self._part = b""
        self.tail = ""

    def read(self) -> None:
        """Take what has been written so far."""
        while data := self._available():
            self._take(data)

    def end(self) -> None:
        """Take the rest, including a last line without an end."""
        self.read()
        if self._part:
            self._take(b"\n")

    def _available(self) -> bytes:
        try:
            return os.read(self._pipe, 1 << 16)
        except BlockingIOError:
            return b""

    def _take(self, data: bytes) -> None:
        *lines, self._part = map(_visible, (self._part + data).split(b"\n"))
        if len(self._part) > _LONGEST:
            lines, self._part = [*lines, self._part], b""
        texts = [line.decode(errors="replace").rstrip("\r") for line in lines]
        self.tail = "\n".join([self.tail, *texts])[-_TAIL:]
        if texts:
            self._take_lines(texts)


def _visible(line: bytes) -> bytes:
    """Return what a terminal shows of a line that was overwritten, as progress bars are."""
    return line[line.rstrip(b"\r").rfind(b"\r") + 1 :]
