"""What a function that `run_workers` calls knows of its run, and how it talks to the driver."""

from __future__ import annotations

import os
import queue
import shutil
import threading
from pathlib import Path
from traceback import TracebackException

from sparkdl._processes.coordinator import PROCESS, RESULT
from sparkdl._processes.link import (
    DeadlinePassed,
    DriverUnreachable,
    FieldValue,
    Link,
    LinkClosed,
    Message,
    Payload,
)
from sparkdl._processes.listener import Address, call
from sparkdl._processes.network import authority

_DRIVER_IS_GONE = 3  # exit status
_MOST_CHARACTERS = 100_000  # of a reason


class Worker:
    """One of the workers of a run.

    Attributes
    ----------
    rank : int
        From 0 to count - 1.
    count : int
        Workers of the run.
    attempt : int
        How often the run was begun before, and lost workers.
    host : str
        This machine's address as the other workers know it.
    folder : Path
        A local folder with what the run put there. It is removed when the worker ends.
    threads : int
        Cores that this worker has.
    seconds : float
        How long workers wait for each other.
    secret : str
        What connections between workers prove to know.
    ports : Ports
        Those that this worker may listen on.
    """

    def __init__(
        self,
        rank: int,
        count: int,
        attempt: int,
        host: str,
        folder: Path,
        threads: int,
        address: Address,
        seconds: float,
    ) -> None:
        self.rank, self.count, self.attempt = rank, count, attempt
        self.host, self.folder, self.threads = host, folder, threads
        self.seconds = seconds
        self.secret, self.ports = address.key, address.ports
        self._rounds = 0
        self._replies: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._link = connect_to_driver(address, seconds, host, role=PROCESS, rank=rank)
        threading.Thread(target=self._listen, daemon=True).start()

    def exchange(self, value: str) -> list[str]:
        """Give a text to all workers, and return the texts of all, by rank. All must call it.

        Raises
        ------
        DeadlinePassed
            Some worker did not give its text in time.
        """
        self._rounds += 1
        self._link.send("exchange", number=self._rounds, value=value)
        values: list[str] = self._reply("the other workers").fields["values"]
        return values

    def ask(
        self, kind: str, payload: Payload | list[Payload] = b"", **fields: FieldValue
    ) -> Message:
        """Send something to the driver and wait for its answer.

        Raises
        ------
        DeadlinePassed
            The driver took too long.
        """
        self._link.send(kind, payload, waits=True, **fields)
        return self._reply("the driver")

    def tell(self, kind: str, payload: Payload | list[Payload] = b"", **fields: FieldValue) -> None:
        """Send something to the driver, which does not answer."""
        self._link.send(kind, payload, **fields)

    def hand_over(self, result: bytes) -> None:
        """Send the driver what the function returned: Spark's JVM would hold copies of it."""
        self.ask(RESULT, result)

    def fail(self, error: BaseException, trace: str, final: bool) -> None:
        """Tell the driver why this worker ends; only a final failure rules out another attempt."""
        # Not str(error), which may itself raise.
        reason = str(TracebackException.from_exception(error, limit=0))
        self._link.send(
            "failed",
            error=type(error).__name__,
            reason=reason[:_MOST_CHARACTERS],
            trace=trace[-_MOST_CHARACTERS:],
            final=final,
            late=getattr(error, "late", None),
        )

    def _reply(self, who: str) -> Message:
        try:
            # The driver counts the same seconds, and knows better who keeps all waiting.
            return self._replies.get(timeout=self.seconds + 5)
        except queue.Empty:
            raise DeadlinePassed(f"no answer from {who} within {self.seconds:g} s") from None

    def _listen(self) -> None:
        """Receive answers. When the driver hangs up, there is nobody left to work for."""
        try:
            while True:
                self._replies.put(self._link.receive())
        except LinkClosed:
            shutil.rmtree(self.folder, ignore_errors=True)  # the task may be gone, too
            os._exit(_DRIVER_IS_GONE)


def connect_to_driver(address: Address, seconds: float, host: str, *, role: str, rank: int) -> Link:
    """Connect to the driver and say who connects.

    Parameters
    ----------
    host : str
        This machine's address.

    Raises
    ------
    DriverUnreachable
        The driver's address does not answer.
    """
    try:
        return call(address, seconds, seconds, role=role, rank=rank)
    except DeadlinePassed as e:
        raise DriverUnreachable(
            f"worker {rank} on {host} cannot reach the driver, which listens at "
            f"{authority(address.host, address.port)}: {e.__cause__} (tried for {seconds:g} s, "
            "param timeout). Set spark.driver.host to an address of the driver that executors can "
            f"reach, and let connections to {_ports(address)} through."
        ) from e


def _ports(address: Address) -> str:
    numbers = address.ports.numbers()
    if not numbers.start:
        return "all its ports (or to those of spark.sparkdl.training.port)"
    return f"its ports {numbers.start} to {numbers.stop - 1} (spark.sparkdl.training.port)"
