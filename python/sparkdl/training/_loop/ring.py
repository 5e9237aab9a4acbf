"""Sums over all workers: each sends to the next and receives from the previous one, by TCP.

Every number is summed in one place and in one order, then passed on, so all workers have the same
sums bit for bit. A worker sends and receives about twice the array, however many there are.
"""

from __future__ import annotations

import json
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._processes.gate import Gate
from sparkdl._processes.link import DeadlinePassed, prepare
from sparkdl._processes.proof import connect_proved
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
        place = (worker.host, worker.ports)
        purpose = _purpose(self._previous_rank, self._rank)
        with Gate(worker.secret, purpose, *place) as gate, ThreadPoolExecutor(1) as pool:
            places = worker.exchange(json.dumps((worker.host, gate.port)))
            # All wait for each other, so a worker lets one in while it knocks at the next.
            arriving = pool.submit(gate.admit, self._seconds)
            try:
                self._next = self._connect_next(worker, *json.loads(places[self._next_rank]))
            except BaseException:
                gate.shut()
                raise
            previous = arriving.result()
        if previous is None:
            self._next.close()
            raise DeadlinePassed(
                f"worker {self._previous_rank} did not connect within {self._seconds:g} s",
                self._previous_rank,
            )
        self._previous = previous
        for connection in (self._next, self._previous):
            prepare(connection, self._seconds)
            connection.setblocking(False)

    def _connect_next(self, worker: Worker, host: str, port: int) -> socket.socket:
        purpose = _purpose(self._rank, self._next_rank)
        try:
            return connect_proved(host, port, worker.secret, purpose, self._seconds)
        except DeadlinePassed as e:
            raise DeadlinePassed(
                f"worker {self._rank} on {worker.host} cannot reach worker {self._next_rank}: {e} "
                "(param timeout). Executors must be able to connect to each other, on all ports"
            ) from e

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
            late = self._previous_rank if receiving else self._next_rank
            did = "sent" if receiving else "accepted"
            raise DeadlinePassed(
                f"worker {late} {did} nothing for {self._seconds:g} s (param timeout)", late
            )


def _purpose(sender: int, receiver: int) -> str:
    return f"ring from {sender} to {receiver}"
