"""The driver's end of all workers' connections: who has arrived, what they send, what failed.

Every worker has two connections, one of its task and one of the process that works for the task,
so that the driver also hears when the process dies.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Container, Mapping
from contextlib import suppress

from sparkdl._processes.failures import Failure, slow_driver
from sparkdl._processes.link import DeadlinePassed, FieldValue, Link, LinkClosed, Message, Payload
from sparkdl._processes.listener import Listener
from sparkdl._processes.network import ANY_PORT, Ports, authority

PROCESS, TASK = "process", "task"
RESULT = "result"
_MOST_RANKS = 5  # in a message
_SPARK_SECONDS = 10.0  # for Spark to report a task that could not connect

Answer = tuple[Mapping[str, FieldValue], Payload]
Handler = Callable[[int, Message], Answer]  # gives the answer to a worker's question


class Coordinator:
    """Listens from its creation until it is closed.

    Parameters
    ----------
    host : str
        The driver's address as executors know it.
    count : int
        Workers of the run.
    seconds : float
        How long workers wait for each other.
    handler : callable
        Answers questions, one at a time.
    log : callable
        Takes the rank of a worker and a line that it wrote.
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
        count: int,
        seconds: float,
        handler: Handler,
        log: Callable[[int, str], None],
        bind: str | None = None,
        ports: Ports = ANY_PORT,
    ) -> None:
        self.failures: queue.Queue[Failure] = queue.Queue()
        self.results: dict[int, bytearray] = {}  # pickled
        self._count, self.seconds = count, seconds
        self._handler, self._log = handler, log
        self._lock = threading.Lock()  # of what follows
        self._task_starts: dict[int, float] = {}
        self._processes: dict[int, Link] = {}
        self._first_arrival: float | None = None  # of a process
        self._rounds: dict[int, dict[int, str]] = {}
        self._round_starts: dict[int, float] = {}  # when the first value of a round arrived
        self._handling = threading.Lock()
        self._question_start: float | None = None  # of the question that is being answered
        backlog = max(128, 2 * count)
        takers = (self._admit, self._take)
        self._listener = Listener(host, seconds, *takers, backlog, bind, ports)
        self.address = self._listener.address

    def has_begun(self) -> bool:
        """Say whether any task has begun."""
        with self._lock:
            return bool(self._task_starts)

    def overdue(self) -> str | None:
        """Return who has kept the others waiting for too long, None if nobody has."""
        if self.answering_seconds() > self.seconds:
            return slow_driver(self.seconds)
        with self._lock:
            first_start = min(self._task_starts.values(), default=None)
            # A task that cannot connect fails after `seconds`, and Spark reports it.
            if missing := self._missing(self._task_starts, first_start, _SPARK_SECONDS):
                place = authority(self.address.host, self.address.port)
                return (
                    f"the task of {missing} did not connect to the driver at {place} within "
                    f"{self.seconds:g} s"
                )
            if missing := self._missing(self._processes, self._first_arrival):
                return f"{missing} did not arrive within {self.seconds:g} s after the first"
            for number, start in self._round_starts.items():
                if missing := self._missing(self._rounds[number], start):
                    return f"{missing} kept the others waiting for more than {self.seconds:g} s"
        return None

    def _missing(
        self, present: Container[int], start: float | None, extra_seconds: float = 0
    ) -> str:
        """Return who is missing, as text, if the deadline has passed; else an empty text."""
        if start is None or time.monotonic() - start <= self.seconds + extra_seconds:
            return ""
        ranks = [r for r in range(self._count) if r not in present]
        more = f" and {len(ranks) - _MOST_RANKS} others" if len(ranks) > _MOST_RANKS else ""
        names = ", ".join(map(str, ranks[:_MOST_RANKS])) + more
        return f"worker{'s' * (len(ranks) > 1)} {names} of {self._count}" if ranks else ""

    def answering_seconds(self) -> float:
        """Return for how long the handler has been at work on a question."""
        start = self._question_start
        return 0.0 if start is None else time.monotonic() - start

    def settle(self) -> bool:
        """After `close`: wait until no handler is at work; return whether that was soon enough.

        Otherwise late messages of this attempt would mix with those of the next one.
        """
        if settled := self._handling.acquire(timeout=self.seconds):
            self._handling.release()
        return settled

    def close(self) -> None:
        """Hang up; workers that still run end themselves when they see it."""
        self._listener.close()

    def _admit(self, hello: Message, link: Link) -> None:
        rank, now = int(hello.fields["rank"]), time.monotonic()
        with self._lock:
            if hello.fields["role"] == PROCESS:
                self._processes[rank] = link
                self._first_arrival = self._first_arrival or now
            else:
                self._task_starts[rank] = now

    def _take(self, rank: int, link: Link, message: Message) -> None:
        if message.kind == "log":
            for line in message.fields["lines"]:
                self._log(rank, line)
        elif message.kind == "failed":
            self.failures.put(Failure(rank, **message.fields))
        elif message.kind == RESULT:
            self.results[rank] = message.payload
            link.send("reply")
        elif message.kind == "exchange":
            self._exchange(rank, **message.fields)
        else:
            self._answer(rank, link, message)

    def _exchange(self, rank: int, number: int, value: str) -> None:
        """Keep a worker's value; when all have arrived, send all of them to every worker."""
        with self._lock:
            values = self._rounds.setdefault(number, {})
            values[rank] = value
            self._round_starts.setdefault(number, time.monotonic())
            if len(values) < self._count:
                return
            del self._round_starts[number], self._rounds[number]
            links = list(self._processes.values())
        for link in links:
            # One that is gone is not the fault of who happens to be the last to arrive.
            with suppress(LinkClosed, DeadlinePassed):
                link.send("reply", values=[values[r] for r in range(self._count)])

    def _answer(self, rank: int, link: Link, message: Message) -> None:
        try:
            answer = self._handle(rank, message)
        except BaseException as e:  # sys.exit in a callback too
            self.failures.put(Failure(-1, type(e).__name__, str(e), traceback.format_exc()))
            return
        if answer is not None and message.fields.get("waits"):
            fields, payload = answer
            link.send("reply", payload, **fields)

    def _handle(self, rank: int, message: Message) -> Answer | None:
        """Return the handler's answer; None when the run has ended in the meantime."""
        with self._handling:
            if not self._listener.is_open:
                return None
            self._question_start = time.monotonic()
            try:
                return self._handler(rank, message)
            finally:
                self._question_start = None
