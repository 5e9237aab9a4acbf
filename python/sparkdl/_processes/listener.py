"""The driver's port: connections of the run say who they are, and then send messages."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from sparkdl._processes.gate import Gate
from sparkdl._processes.link import DeadlinePassed, Link, LinkClosed, Message
from sparkdl._processes.network import ANY_PORT, Ports
from sparkdl._processes.proof import connect_once, connect_proved

_PURPOSE = "driver"


@dataclass(frozen=True)
class Address:
    """Where the driver listens, and what connections of this run have in common.

    Attributes
    ----------
    key : str
        The secret that both ends of every connection prove to know. It comes with Spark's tasks.
    ports : Ports
        Those that workers may listen on.
    """

    host: str
    port: int
    key: str
    ports: Ports = ANY_PORT


def call(
    address: Address,
    connect_seconds: float,
    seconds: float,
    *,
    role: str,
    rank: int,
    again: bool = True,
) -> Link:
    """Connect to the driver, say who connects, and return the link.

    Parameters
    ----------
    connect_seconds : float
        Deadline of connecting.
    seconds : float
        Deadline of sending.
    again : bool
        Whether to try again until the deadline.

    Raises
    ------
    OSError
        LinkClosed and DeadlinePassed among them.
    """
    connect = connect_proved if again else connect_once
    place = (address.host, address.port)
    connection = connect(*place, address.key, _PURPOSE, connect_seconds)
    link = Link(connection, seconds)
    link.send("hello", role=role, rank=rank)
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
    bind : str, optional
        The address to listen at, if it is another one.
    ports : Ports
        Those that the driver and its workers may listen on.

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
        bind: str | None = None,
        ports: Ports = ANY_PORT,
    ) -> None:
        self._seconds, self._admit, self._take = seconds, admit, take
        self._lock = threading.Lock()  # of what follows
        self._links: list[Link] = []
        self._open = True
        key = secrets.token_hex(32)
        self._gate = Gate(key, _PURPOSE, host if bind is None else bind, ports, backlog)
        self.address = Address(host, self._gate.port, key, ports)
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
        self._gate.shut()
        for link in links:
            link.close()

    def _accept(self) -> None:
        with self._gate:
            while True:
                try:
                    connection = self._gate.admit()
                except OSError:
                    return
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        link = Link(connection, self._seconds)
        try:
            hello = link.receive(most=0)
            if self._keep(link):
                self._admit(hello, link)
                self._hear(int(hello.fields["rank"]), link)
        except (LinkClosed, DeadlinePassed):
            pass  # the sender, or its task, has said why before it hung up
        finally:
            link.close()

    def _hear(self, rank: int, link: Link) -> NoReturn:
        while True:
            self._take(rank, link, link.receive())

    def _keep(self, link: Link) -> bool:
        """Remember a link, to close it at the end; return False if the end has come already."""
        with self._lock:
            if self._open:
                self._links.append(link)
            return self._open
