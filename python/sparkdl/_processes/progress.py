"""Lines from trials to the driver while they train; a network that does not let them pass is fine.

The driver listens on a port of its own for as long as it trains. Each line is a JSON object that
begins with the key of this training; others are ignored. Who cannot connect or send goes on
without: what a trial gives is in its result, not in these lines.
"""

from __future__ import annotations

import json
import secrets
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sparkdl._processes.network import connect
from sparkdl._processes.network import listening as listening_socket

_CONNECT_SECONDS = 3.0
_SEND_SECONDS = 1.0
_MOST_BYTES = 1 << 16


@dataclass(frozen=True)
class Address:
    """Where the driver listens, and the key that lines must have."""

    host: str
    port: int
    key: str


class Sender:
    """What a trial tells; never raises and never waits long."""

    def __init__(self, address: Address | None, trial: int) -> None:
        self._trial = trial
        self._key = address.key if address else ""
        self._socket: socket.socket | None = None
        if address is None:
            return
        try:
            self._socket = connect(address.host, address.port, _CONNECT_SECONDS)
            self._socket.settimeout(_SEND_SECONDS)
        except OSError:
            self._socket = None

    def send(self, text: str) -> None:
        """Show a text as the state of this trial."""
        if self._socket is None:
            return
        line = json.dumps({"key": self._key, "trial": self._trial, "text": text})
        try:
            self._socket.sendall(line.encode() + b"\n")
        except OSError:
            self._socket = None


@contextmanager
def listening(host: str, names: Mapping[int, str]) -> Iterator[Address | None]:
    """Print what trials tell, under their names, until the block ends.

    Parameters
    ----------
    host : str
        The driver's address as executors know it.
    names : mapping from int to str
        What each trial is called; others are not heard.

    Yields
    ------
    Address or None
        None if no port is to be had.
    """
    key = secrets.token_hex(16)
    try:
        server = _Server()
    except OSError:
        yield None
        return
    server.key, server.names = key, names
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield Address(host, server.server_address[1], key)
    finally:
        server.names = {}  # who is still connected is not heard
        server.shutdown()
        server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False  # a trial that hangs must not hold up the driver
    key: str
    names: Mapping[int, str]

    def __init__(self) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()  # of IPv4 only
        self.socket = listening_socket(self.request_queue_size)
        self.server_address = self.socket.getsockname()


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        while line := self.rfile.readline(_MOST_BYTES):
            try:
                told = json.loads(line)
                known = secrets.compare_digest(str(told["key"]), server.key)
                name, text = server.names[told["trial"]], str(told["text"])
            except (ValueError, KeyError, TypeError):
                return
            if not known:
                return
            show(f"{name}: {text}")


def show(text: str) -> None:
    """Print a line where the user of the driver looks, whole even when trials tell at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
