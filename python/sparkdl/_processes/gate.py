"""A port that only connections of the run get through.

Until a connection has proved that it knows the run's secret, it costs a socket and a hundred bytes,
for a few seconds: no thread, no buffer, and not the place of another one.
"""

from __future__ import annotations

import errno
import hmac
import selectors
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

from sparkdl._processes.network import ANY_PORT, Ports, listen
from sparkdl._processes.proof import (
    ANSWER_BYTES,
    CHALLENGE_BYTES,
    answer_of_called,
    answer_of_caller,
    new_challenge,
)

PROOF_SECONDS = 10.0
_MOST_WAITING = 256  # then the one that has waited longest is hung up on
_PAUSE = 0.1  # when this process has no more files
# Of one connection; the port stays as it is.
_PASSING = {errno.ECONNABORTED, errno.EPROTO, errno.EAGAIN, errno.EINTR, errno.EPERM}
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


@dataclass
class _Unproved:
    """A connection that has yet to prove that it belongs to the run."""

    connection: socket.socket
    end: float
    challenge: bytes = field(default_factory=new_challenge)
    received: bytes = b""


class Gate:
    """Listens from its creation until it is closed. One thread at a time may `admit`.

    Parameters
    ----------
    secret : str
        What connections must know.
    purpose : str
        What they must be for.
    host : str
        The address to listen at; empty for all of this machine.
    ports : Ports
        Those to listen on.
    backlog : int
        Connections that may wait to be accepted.

    Raises
    ------
    OSError
        No port is free.
    """

    def __init__(
        self,
        secret: str,
        purpose: str,
        host: str = "",
        ports: Ports = ANY_PORT,
        backlog: int = 128,
    ) -> None:
        self._secret, self._purpose = secret, purpose
        self._server = listen(backlog, host, ports)
        self._server.setblocking(False)
        self.port: int = self._server.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._server, selectors.EVENT_READ)
        self._waiting: dict[socket.socket, _Unproved] = {}  # longest first

    def admit(self, seconds: float | None = None) -> socket.socket | None:
        """Return the next connection that proves itself; None if the deadline passes before.

        Raises
        ------
        OSError
            The gate was shut.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            self._hang_up_on_late()
            now = time.monotonic()
            if end is not None and now >= end:
                return None
            ends = [w.end for w in self._waiting.values()] + ([] if end is None else [end])
            for key, _ in self._selector.select(max(0.0, min(ends) - now) if ends else None):
                unproved: _Unproved | None = key.data
                if unproved is None:
                    self._accept()
                # It may have been hung up on since, to make room for another.
                elif unproved.connection in self._waiting and self._hear(unproved):
                    return unproved.connection

    def shut(self) -> None:
        """Admit nobody any more, and end the wait of the thread that admits."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the port and hang up on those that have not proved anything."""
        for unproved in list(self._waiting.values()):
            self._hang_up(unproved)
        self._selector.close()
        self._server.close()

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._server.accept()
        except OSError as e:
            if e.errno in _EXHAUSTED:
                if self._waiting:
                    self._hang_up(next(iter(self._waiting.values())))
                time.sleep(_PAUSE)
            elif e.errno not in _PASSING:
                raise
            return
        connection.setblocking(False)
        if len(self._waiting) >= _MOST_WAITING:
            self._hang_up(next(iter(self._waiting.values())))
        unproved = _Unproved(connection, time.monotonic() + PROOF_SECONDS)
        self._waiting[connection] = unproved
        self._selector.register(connection, selectors.EVENT_READ, unproved)
        self._send(unproved, unproved.challenge)

    def _hear(self, unproved: _Unproved) -> bool:
        """Take what a connection sends; return whether that proves that it belongs to the run."""
        size = CHALLENGE_BYTES + ANSWER_BYTES
        try:
            part = unproved.connection.recv(size - len(unproved.received))
        except BlockingIOError:
            return False
        except OSError:
            part = b""
        unproved.received += part
        if not part:
            self._hang_up(unproved)
        if len(unproved.received) < size:
            return False
        theirs, answer = unproved.received[:CHALLENGE_BYTES], unproved.received[CHALLENGE_BYTES:]
        challenges = (unproved.challenge, theirs)
        expected = answer_of_caller(self._secret, self._purpose, *challenges)
        if not hmac.compare_digest(answer, expected):
            self._hang_up(unproved)
            return False
        if not self._send(unproved, answer_of_called(self._secret, self._purpose, *challenges)):
            return False
        self._forget(unproved)
        unproved.connection.setblocking(True)
        return True

    def _send(self, unproved: _Unproved, data: bytes) -> bool:
        """Send a few bytes, for which every new connection has room."""
        try:
            sent = unproved.connection.send(data)
        except OSError:
            sent = 0
        if sent < len(data):
            self._hang_up(unproved)
        return sent == len(data)

    def _hang_up_on_late(self) -> None:
        now = time.monotonic()
        for unproved in [w for w in self._waiting.values() if w.end <= now]:
            self._hang_up(unproved)

    def _hang_up(self, unproved: _Unproved) -> None:
        self._forget(unproved)
        unproved.connection.close()

    def _forget(self, unproved: _Unproved) -> None:
        if self._waiting.pop(unproved.connection, None) is not None:
            self._selector.unregister(unproved.connection)
