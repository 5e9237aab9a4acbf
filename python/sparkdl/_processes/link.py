"""Messages over a TCP connection: a few fields as JSON and some bytes, with a deadline.

Nothing that arrives is ever unpickled or evaluated.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from sparkdl._text_files import parse_json

_SIZES = struct.Struct("!IQ")  # of the fields, of the payload
_MOST_FIELD_BYTES = 16 << 20
_PIECE = 1 << 20

# What a message has: fields, which become JSON, and bytes.
FieldValue: TypeAlias = (
    str | float | bool | Sequence["FieldValue"] | Mapping[str, "FieldValue"] | None
)
Payload: TypeAlias = bytes | bytearray | memoryview


class LinkClosed(ConnectionError):
    """The other side hung up, or its machine is gone."""


class DeadlinePassed(TimeoutError):
    """Nothing arrived, or nothing could be sent, before the deadline.

    Attributes
    ----------
    late : int or None
        The rank of the worker that was waited for, if it was one.
    """

    def __init__(self, text: str, late: int | None = None) -> None:
        super().__init__(text)
        self.late = late


class DriverUnreachable(ConnectionError):
    """A worker's machine could not connect to the driver before the deadline."""


@dataclass(frozen=True)
class Message:
    """What arrived: its kind, its fields (JSON) and its payload."""

    kind: str
    fields: dict[str, Any]
    payload: bytearray


class Link:
    """One end of a connection. Threads may send at the same time; one may receive.

    Parameters
    ----------
    connection : socket.socket
        Connected; it belongs to the link from now on.
    seconds : float
        Deadline of sending: how long to wait while not a single byte can be sent.
    """

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.socket = connection
        self._seconds = seconds
        self._sending = threading.Lock()
        prepare(connection, seconds)

    def send(self, kind: str, payload: Payload | list[Payload] = b"", **fields: FieldValue) -> None:
        """Send a message, whose payload may come in parts.

        Raises
        ------
        LinkClosed, DeadlinePassed
        """
        text = json.dumps({"kind": kind, **fields}).encode()
        views = [memoryview(p) for p in (payload if isinstance(payload, list) else [payload])]
        parts = [view.cast("B") for view in views if view.nbytes]
        with self._sending:
            self._write(memoryview(_SIZES.pack(len(text), sum(map(len, parts))) + text))
            for part in parts:
                self._write(part)

    def _write(self, data: memoryview) -> None:
        try:
            for start in range(0, len(data), _PIECE):
                self.socket.sendall(data[start : start + _PIECE])
        except TimeoutError as e:
            raise DeadlinePassed(f"nothing could be sent for {self._seconds:g} s") from e
        except OSError as e:
            raise LinkClosed(str(e)) from e

    def receive(self, most: int = 1 << 62) -> Message:
        """Wait for the next message, without a deadline: only the end of the link ends the wait.

        Parameters
        ----------
        most : int
            The largest payload that is accepted; a larger one closes the link.
        """
        length, size = _SIZES.unpack(self._read(_SIZES.size))
        if length > _MOST_FIELD_BYTES or size > most:
            raise LinkClosed("a message has an impossible size")
        try:
            fields = parse_json(self._read(length))
            return Message(str(fields.pop("kind")), fields, self._read(size))
        except (ValueError, KeyError, AttributeError, TypeError, MemoryError) as e:
            raise LinkClosed(f"a message cannot be read: {e}") from e

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            try:
                count = self.socket.recv_into(view, min(len(view), _PIECE))
            except TimeoutError:
                continue  # keep-alive finds out when the other machine is gone
            except OSError as e:
                raise LinkClosed(str(e)) from e
            if not count:
                raise LinkClosed("the other side hung up")
            view = view[count:]
        return data

    def hung_up(self) -> bool:
        """Say whether the other side, which sends nothing here, has hung up."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(0))

    def close(self) -> None:
        """Hang up, even while another thread waits for a message."""
        with suppress(OSError):  # it was closed before
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def prepare(connection: socket.socket, seconds: float) -> None:
    """Set the deadline of a connection; have the system find out that the other machine is gone."""
    connection.settimeout(seconds)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    every = max(1, int(seconds / 6))
    for name, value in (("TCP_KEEPIDLE", every), ("TCP_KEEPINTVL", every), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
