"""The driver's port: each connection introduces itself with the key of this run, or is closed."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from sparkdl._processes.link import DeadlinePassed, Link, LinkClosed, Message
from sparkdl._processes.network import listen


@dataclass(frozen=True)
class Address:
    """Where the driver listens, and the key that connections must begin with."""

    host: str
    port: int
    key: str


def greet(
    connection: socket.socket, address: Address, seconds: float, *, role: str, rank: int
) -> Link:
    """Introduce a connection to the driver, and return its link.

    Raises
    ------
    LinkClosed, DeadlinePassed
    """
    link = Link(connection, seconds)
    link.send("hello", key=address.key, role=role, rank=rank)
    return link


class Listener:
    """Receives messages over any number of connections, from its creation until it is closed.

    Parameters
    ----------
    host : str
        The driver's address as executors know it.
    seconds : float
        Deadline of sending.
    admit : callable
        Called with the greeting and the link of a new connection.
    take : callable
        Called with a sender's rank, its link and a message, on one thread per connection.
    backlog : int
        Connections that may wait to be accepted.

    Raises
    ------
    OSError
        No port is free.
    """

    def __init__(
        self,
        host: str,
        seconds: float,
        admit: Callable[[Message, Link], None],
        take: Callable[[int, Link, Message], None],
        backlog: int = 128,
    ) -> None:
        self._seconds, self._admit, self._take = seconds, admit, take
        self._lock = threading.Lock()  # of what follows
        self._links: list[Link] = []
        self._open = True
        self._server = listen(backlog)
        self.address = Address(host, self._server.getsockname()[1], secrets.token_hex(16))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self._open

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._open = False
            links = list(self._links)
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # which wakes the thread that accepts
        self._server.close()
        for link in links:
            link.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        link = Link(connection, self._seconds)
        try:
            hello = link.receive(most=0)
            if self._knows_key(hello) and self._keep(link):
                self._admit(hello, link)
                self._hear(int(hello.fields["rank"]), link)
        except (LinkClosed, DeadlinePassed):
            pass  # the sender, or its task, has said why before it hung up
        finally:
            link.close()

    def _hear(self, rank: int, link: Link) -> NoReturn:
        while True:
            self._take(rank, link, link.receive())

    def _knows_key(self, hello: Message) -> bool:
        return secrets.compare_digest(str(hello.fields.get("key")), self.address.key)

    def _keep(self, link: Link) -> bool:
        """Remember a link, to close it at the end; return False if the end has come already."""
        with self._lock:
            if self._open:
                self._links.append(link)
            return self._open
