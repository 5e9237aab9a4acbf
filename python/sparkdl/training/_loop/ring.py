"""Sums over all workers: each sends to the next and receives from the previous one, by TCP.

Every number is summed in one place and in one order, then passed on, so all workers have the same
sums bit for bit. A worker sends and receives about twice the array, however many there are.
"""

from __future__ import annotations

import json
import secrets
import select
import socket
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._processes.link import DeadlinePassed, Link, LinkClosed, connect_within, prepare
from sparkdl._processes.network import listen
from sparkdl._processes.worker import Worker
from sparkdl._processes.worker_process import WorkerLost

_PIECE = 1 << 20
_MOST_ELEMENTS = 1 << 22  # that arrive before they are added


class Ring:
    """The connections of one worker to its neighbours. All workers make theirs at the same time.

    Parameters
    ----------
    worker : Worker

    Raises
    ------
    DeadlinePassed
        A neighbour did not connect in time.
    """

    def __init__(self, worker: Worker) -> None:
        self._rank, self._count, self._seconds = worker.rank, worker.count, worker.seconds
        self._previous_rank, self._next_rank = (
            (self._rank - 1) % self._count,
            (self._rank + 1) % self._count,
        )
        if self._count > 1:
            self._connect(worker)

    def sum(self, array: NDArray[Any]) -> None:
        """Replace an array [n] of numbers by the sum of all workers' arrays.

        Raises
        ------
        WorkerLost
            A neighbour hung up.
        DeadlinePassed
            A neighbour neither accepted nor sent anything for too long.
        """
        if self._count == 1:
            return
        parts = np.array_split(array, self._count)
        size = parts[0].size  # the first part is the largest
        other = np.empty_like(array[: min(size, _MOST_ELEMENTS)])
        for step in range(self._count - 1):
            mine = parts[(self._rank - step) % self._count]
            into = parts[(self._rank - step - 1) % self._count]
            for start in range(0, size, _MOST_ELEMENTS):
                piece = slice(start, start + _MOST_ELEMENTS)
                arrived = other[: into[piece].size]
                self._swap(mine[piece], arrived)
                into[piece] += arrived
        for step in range(self._count - 1):
            self._swap(
                parts[(self._rank + 1 - step) % self._count],
                parts[(self._rank - step) % self._count],
            )

    def close(self) -> None:
        """Hang up."""
        if self._count > 1:
            self._next.close()
            self._previous.close()

    def _connect(self, worker: Worker) -> None:
        key = secrets.token_hex(16)
        with listen(backlog=16) as server:
            place = (worker.host, server.getsockname()[1], key)
            host, port, its_key = json.loads(worker.exchange(json.dumps(place))[self._next_rank])
            link = Link(self._connect_next(host, port, worker.host), self._seconds)
            try:
                link.send("ring", key=its_key)
            except LinkClosed as e:
                raise WorkerLost(f"worker {self._next_rank} is gone: {e}") from e
            self._next, self._previous = link.socket, self._accept_previous(server, key)
        for connection in (self._next, self._previous):
            prepare(connection, self._seconds)
            connection.setblocking(False)

    def _connect_next(self, host: str, port: int, own_host: str) -> socket.socket:
        try:
            return connect_within(host, port, self._seconds)
        except DeadlinePassed as e:
            raise DeadlinePassed(
                f"worker {self._rank} on {own_host} cannot reach worker {self._next_rank}: {e} "
                "(param timeout). Executors must be able to connect to each other, on all ports"
            ) from e

    def _accept_previous(self, server: socket.socket, key: str) -> socket.socket:
        """Return the connection of the previous worker; close those of anybody else."""
        end = time.monotonic() + self._seconds
        while (left := end - time.monotonic()) > 0:
            server.settimeout(left)
            try:
                link = Link(server.accept()[0], left)
                greeting = link.receive(most=0)
            except (TimeoutError, LinkClosed):
                continue
            if secrets.compare_digest(str(greeting.fields.get("key")), key):
                return link.socket
            link.close()
        raise DeadlinePassed(
            f"worker {self._previous_rank} did not connect within {self._seconds:g} s"
        )

    def _swap(self, out: NDArray[Any], into: NDArray[Any]) -> None:
        """Send one array to the next worker while another arrives from the previous one."""
        unsent, missing = out.data.cast("B"), into.data.cast("B")
        while unsent or missing:
            sent, received = self._send(unsent), self._receive(missing)
            if not sent and not received:
                self._wait(bool(unsent), bool(missing))
            unsent, missing = unsent[sent:], missing[received:]

    def _send(self, data: memoryview) -> int:
        try:
            return self._next.send(data[:_PIECE]) if data else 0
        except BlockingIOError:
            return 0
        except OSError as e:
            raise WorkerLost(f"worker {self._next_rank} is gone: {e}") from e

    def _receive(self, data: memoryview) -> int:
        if not data:
            return 0
        try:
            received = self._previous.recv_into(data, min(len(data), _PIECE))
        except BlockingIOError:
            return 0
        except OSError as e:
            raise WorkerLost(f"worker {self._previous_rank} is gone: {e}") from e
        if not received:
            raise WorkerLost(f"worker {self._previous_rank} hung up")
        return received

    def _wait(self, sending: bool, receiving: bool) -> None:
        poll = select.poll()
        if sending:
            poll.register(self._next, select.POLLOUT)
        if receiving:
            poll.register(self._previous, select.POLLIN)
        if not poll.poll(self._seconds * 1000):
            late = (
                f"worker {self._previous_rank} sent"
                if receiving
                else f"worker {self._next_rank} accepted"
            )
            raise DeadlinePassed(f"{late} nothing for {self._seconds:g} s (param timeout)")
