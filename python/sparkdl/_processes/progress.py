"""Progress lines from trials to the driver, which nothing depends on.

Trials that cannot connect or send carry on: all that counts is in a trial's result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from sparkdl._processes.console import EpochLines
from sparkdl._processes.link import Link, Message
from sparkdl._processes.listener import Address, Listener, call

_CONNECT_SECONDS = 3.0
_SEND_SECONDS = 1.0


class Reporter:
    """Tells the driver what a trial is doing; never raises and never waits long.

    Parameters
    ----------
    address : Address or None
        None: nobody listens.
    trial : int
    """

    def __init__(self, address: Address | None, trial: int) -> None:
        self._link: Link | None = None
        if address is not None:
            with suppress(OSError):
                deadlines = (_CONNECT_SECONDS, _SEND_SECONDS)
                self._link = call(address, *deadlines, role="trial", rank=trial, again=False)

    def report(self, text: str, epochs: int = 0) -> None:
        """Show a text as the state of this trial, of which epochs have just ended."""
        if self._link is None:
            return
        try:
            self._link.send("log", line=text, epochs=epochs)
        except OSError:
            self._link = None


@contextmanager
def print_reports(host: str, names: Mapping[int, str], epochs: int) -> Iterator[Address | None]:
    """Print what trials report, under their names, until the block ends.

    Parameters
    ----------
    host : str
        The driver's address as executors know it.
    names : mapping from int to str
        What each trial is called; reports of other trials are dropped.
    epochs : int
        Of these trials together.

    Yields
    ------
    Address or None
        None if no port is free.
    """

    def take(trial: int, _: Link, message: Message) -> None:
        if trial in names:
            line, ended = message.fields["line"], message.fields["epochs"]
            lines.show(f"{names[trial]}: {line}", ended)

    lines = EpochLines(epochs)
    try:
        listener = Listener(host, _SEND_SECONDS, lambda hello, link: None, take)
    except OSError:
        yield None
        return
    try:
        yield listener.address
    finally:
        listener.close()
        lines.close()
