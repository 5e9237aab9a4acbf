"""The driver's end of all workers' connections: who has arrived, what they tell, what failed.

Every worker has two connections, one of its task and one of the process that works for the task,
so that the death of the process is told too.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from sparkdl._processes.failures import Failure, slow_driver
from sparkdl._processes.link import Link, Message
from sparkdl._processes.listener import Listener
from sparkdl._processes.network import authority

PROCESS, TASK = "process", "task"
RESULT = "result"
_NAMED = 5  # ranks in a message
_TOLD_BY_SPARK_SECONDS = 10.0  # for what a task could not tell here

# Answers a question of a worker: fields, and a payload.
Answer = tuple[Mapping[str, Any], Any]
Handler = Callable[[int, Message], Answer]


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
        Answers questions; one at a time.
    log : callable
        Takes the rank of a worker and a line that it wrote.

    Raises
    ------
    OSError
        No port is to be had.
    """

    def __init__(
        self,
        host: str,
        count: int,
        seconds: float,
        handler: Handler,
        log: Callable[[int, str], None],
    ) -> None:
        self.failures: queue.Queue[Failure] = queue.Queue()
        self.results: dict[int, bytearray] = {}  # pickled
        self._count, self.seconds = count, seconds
        self._handler, self._log = handler, log
        self._lock = threading.Lock()  # of what follows
        self._began: dict[int, float] = {}  # when the task of a rank did
        self._arrived: dict[int, Link] = {}  # processes
        self._first: float | None = None  # when the first process arrived
        self._rounds: dict[int, dict[int, str]] = {}
        self._since: dict[int, float] = {}  # when the first value of a round came
        self._handling = threading.Lock()
        self._asked: float | None = None  # when the question came that is being answered
        self._open = True
        backlog = max(128, 2 * count)
        self._listener = Listener(host, seconds, self._admit, self._take, backlog)
        self.address = self._listener.address

    def heard(self) -> bool:
        """Say whether any task has begun."""
        with self._lock:
            return bool(self._began)

    def overdue(self) -> str | None:
        """Return who lets the others wait for too long, None if nobody does."""
        if self.answering() > self.seconds:
            return slow_driver(self.seconds)
        with self._lock:
            began = min(self._began.values(), default=None)
            # Who cannot connect says so itself, by Spark, when it has tried for `seconds`.
            if missing := self._late(self._began, began, _TOLD_BY_SPARK_SECONDS):
                place = authority(self.address.host, self.address.port)
                return (
                    f"the task of {missing} did not connect to the driver at {place} within "
                    f"{self.seconds:g} s"
                )
            if missing := self._late(self._arrived, self._first):
                return f"{missing} did not arrive within {self.seconds:g} s after the first"
            for number, since in self._since.items():
                if missing := self._late(self._rounds[number], since):
                    return f"{missing} let the others wait for more than {self.seconds:g} s"
        return None

    def _late(self, there: Mapping[int, Any], since: float | None, grace: float = 0) -> str:
        """Return who is missing, as text, if the deadline has passed; else nothing."""
        if since is None or time.monotonic() - since <= self.seconds + grace:
            return ""
        ranks = [r for r in range(self._count) if r not in there]
        more = f" and {len(ranks) - _NAMED} others" if len(ranks) > _NAMED else ""
        names = ", ".join(map(str, ranks[:_NAMED])) + more
        return f"worker{'s' * (len(ranks) > 1)} {names} of {self._count}" if ranks else ""

    def answering(self) -> float:
        """Return for how many seconds the handler has been at work on a question."""
        since = self._asked
        return 0.0 if since is None else time.monotonic() - since

    def settle(self) -> bool:
        """After `close`: wait until no handler is at work; return whether that was soon enough.

        Else what a run still tells would mix with what the next attempt is told.
        """
        if settled := self._handling.acquire(timeout=self.seconds):
            self._handling.release()
        return settled

    def close(self) -> None:
        """Hang up; workers that still run end themselves when they see it."""
        self._open = False
        self._listener.close()

    def _admit(self, hello: Message, link: Link) -> None:
        rank, now = int(hello.fields["rank"]), time.monotonic()
        with self._lock:
            if hello.fields["role"] == PROCESS:
                self._arrived[rank] = link
                self._first = self._first or now
            else:
                self._began[rank] = now

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
        """Keep a worker's value; when all are there, send all to all."""
        with self._lock:
            values = self._rounds.setdefault(number, {})
            values[rank] = value
            self._since.setdefault(number, time.monotonic())
            if len(values) < self._count:
                return
            del self._since[number], self._rounds[number]
            links = list(self._arrived.values())
        for link in links:
            link.send("reply", values=[values[r] for r in range(self._count)])

    def _answer(self, rank: int, link: Link, message: Message) -> None:
        try:
            answer = self._handled(rank, message)
        except BaseException as e:  # sys.exit in a callback too
            self.failures.put(Failure(-1, type(e).__name__, str(e), traceback.format_exc()))
            return
        if answer is not None and message.fields.get("waits"):
            fields, payload = answer
            link.send("reply", payload, **fields)

    def _handled(self, rank: int, message: Message) -> Answer | None:
        """Return what the handler says; nothing when the run has ended in the meantime."""
        with self._handling:
            if not self._open:
                return None
            self._asked = time.monotonic()
            try:
                return self._handler(rank, message)
            finally:
                self._asked = None
