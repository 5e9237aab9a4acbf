"""Strangers at the ports of training: they learn nothing, cost little and stop nobody."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_threads import Exchange, Thread

from sparkdl._processes import gate as gates
from sparkdl._processes.coordinator import PROCESS, Coordinator
from sparkdl._processes.failures import Failure, culprit
from sparkdl._processes.gate import Gate
from sparkdl._processes.link import Link, LinkClosed
from sparkdl._processes.listener import call
from sparkdl._processes.network import Ports, listen
from sparkdl._processes.proof import connect_proved, introduce
from sparkdl._processes.workers import PORT, run_workers
from sparkdl.errors import ModelExecutionException, SchemaMismatchException, SettingsException
from sparkdl.training._loop.ring import Ring

SECRET, PURPOSE = "a secret", "a purpose"


def frame(text: str) -> bytes:
    return struct.pack("!IQ", len(text), 0) + text.encode()


RUDE = {
    "silence": b"",
    "a web browser": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5,
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"x" * 200,
    "16 MB announced": struct.pack("!IQ", 16 << 20, 0),
    "a list": frame("[]") * 10,
    "a key in another alphabet": frame(json.dumps({"kind": "ring", "key": "\u00e9"}) * 3),
    "many brackets": frame("[" * 200_000),
}


def stranger(port: int, data: bytes) -> socket.socket:
    connection = socket.create_connection(("localhost", port))
    connection.sendall(data)
    return connection


@contextmanager
def admitting(gate: Gate) -> Iterator[Any]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(gate.admit, 10)


def test_who_knows_the_secret_gets_through_and_the_secret_does_not_travel() -> None:
    seen = bytearray()

    class Recorded(socket.socket):
        def sendall(self, data: Any, *flags: Any) -> None:
            seen.extend(data)
            super().sendall(data, *flags)

    with Gate(SECRET, PURPOSE) as gate, admitting(gate) as admitted:
        own = Recorded(socket.AF_INET)
        own.connect(("127.0.0.1", gate.port))
        introduce(own, SECRET, PURPOSE, 5)
        with own, admitted.result() as other:
            other.sendall(b"hello")
            assert own.recv(5) == b"hello"
    assert len(seen) == 64
    assert SECRET.encode() not in seen


@pytest.mark.parametrize("own", [("another secret", PURPOSE), (SECRET, "another purpose")])
def test_a_wrong_secret_or_purpose_is_turned_away(own: tuple[str, str]) -> None:
    with Gate(SECRET, PURPOSE) as gate, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gate.admit, 1)
        with pytest.raises(TimeoutError, match="the other side hung up"):
            connect_proved("localhost", gate.port, *own, 0.5)
        assert waiting.result() is None


def test_who_listens_must_know_the_secret_too() -> None:
    with Gate("another secret", PURPOSE) as gate, ThreadPoolExecutor(1) as pool:
        pool.submit(gate.admit, 1)
        connection = socket.create_connection(("localhost", gate.port))
        with connection, pytest.raises(LinkClosed):
            introduce(connection, SECRET, PURPOSE, 1)
    with listen(4) as server:

        def echo() -> None:  # the caller's own answer, sent back
            connection, _ = server.accept()
            connection.sendall(bytes(32))
            connection.sendall(connection.recv(64)[32:])

        threading.Thread(target=echo, daemon=True).start()
        connection = socket.create_connection(("localhost", server.getsockname()[1]))
        with connection, pytest.raises(LinkClosed, match="does not belong to this run"):
            introduce(connection, SECRET, PURPOSE, 5)


def test_no_stranger_keeps_a_true_neighbour_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with Gate(SECRET, PURPOSE) as gate, admitting(gate) as admitted:
        strangers = [stranger(gate.port, data) for data in RUDE.values() for _ in range(3)]
        began = time.monotonic()
        connect_proved("localhost", gate.port, SECRET, PURPOSE, 30).close()
        admitted.result().close()
        assert time.monotonic() - began < 15  # one after the other they would take longer
        for one in strangers:
            one.close()


def test_strangers_wait_a_few_seconds_in_a_limited_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "PROOF_SECONDS", 0.5)
    monkeypatch.setattr(gates, "_MOST_WAITING", 8)
    threads = threading.active_count()
    with Gate(SECRET, PURPOSE) as gate, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gate.admit, 1.5)
        strangers = [stranger(gate.port, RUDE["16 MB announced"]) for _ in range(60)]
        time.sleep(0.3)
        assert len(gate._waiting) <= 8
        assert threading.active_count() <= threads + 1
        assert waiting.result() is None
        assert len(gate._waiting) == 0
        for one in strangers:
            one.close()


def test_a_ring_is_made_among_strangers() -> None:
    exchange, strangers = Exchange(2), []

    class Watched(Thread):
        def exchange(self, value: str) -> list[str]:
            port = json.loads(value)[1]
            strangers.extend(stranger(port, data) for data in RUDE.values())
            return super().exchange(value)

    def work(rank: int) -> float:
        worker = Watched(rank, 2, Path(), exchange, None)
        worker.seconds = 30.0
        ring, mine = Ring(worker), np.array([rank + 1.0])
        ring.sum(mine)
        ring.close()
        return float(mine[0])

    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, range(2))) == [3.0, 3.0]
    assert time.monotonic() - began < 20  # a stranger may have ten seconds for its proof
    for one in strangers:
        one.close()


def test_strangers_cost_the_driver_neither_memory_nor_threads() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    coordinator = Coordinator("127.0.0.1", 2, 3.0, lambda r, m: ({}, b""), print)
    with closing(coordinator):
        memory, threads = resident(), threading.active_count()
        data = RUDE["16 MB announced"]
        strangers = [stranger(coordinator.address.port, data) for _ in range(60)]
        time.sleep(0.5)
        assert resident() - memory < 50 << 20
        assert threading.active_count() == threads
        call(coordinator.address, 3, 3, role=PROCESS, rank=0).close()
        for one in strangers:
            one.close()


def test_the_port_is_one_of_those_that_were_set_and_at_the_address_that_was_set() -> None:
    with listen(1) as taken:
        first = taken.getsockname()[1]
        with Gate(SECRET, PURPOSE, "127.0.0.1", Ports(first, 20)) as gate:
            assert first < gate.port < first + 20
            assert gate._server.getsockname()[0] == "127.0.0.1"
        with pytest.raises(OSError, match="in use"):
            listen(1, "", Ports(first, 1))


def test_a_host_that_is_not_an_address_of_this_machine_is_listened_for_at_all_of_them() -> None:
    with listen(1, "192.0.2.1") as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()


def workers(coordinator: Coordinator, count: int) -> list[Link]:
    links = [call(coordinator.address, 5, 20, role=PROCESS, rank=r) for r in range(count)]
    end = time.monotonic() + 5
    while len(coordinator._processes) < count and time.monotonic() < end:
        time.sleep(0.01)
    return links


def test_a_worker_that_died_after_its_text_costs_the_others_nothing() -> None:
    with closing(Coordinator("localhost", 3, 20.0, lambda r, m: ({}, b""), print)) as coordinator:
        links = workers(coordinator, 3)
        for rank in (0, 1):
            links[rank].send("exchange", number=1, value="ab"[rank])
        time.sleep(0.3)
        links[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        links[0].close()
        time.sleep(0.3)
        links[2].send("exchange", number=1, value="c")
        for link in links[1:]:
            assert link.receive().fields["values"] == ["a", "b", "c"]


def test_what_a_worker_raises_is_told_even_if_the_driver_is_busy() -> None:
    def function(worker: Any) -> None:
        worker.tell("state", b"x")
        raise ValueError("the true cause")

    def handler(rank: int, message: Any) -> tuple[dict[str, Any], bytes]:
        time.sleep(5)
        return {}, b""

    with pytest.raises(Exception, match="ValueError: the true cause"):
        run_workers(None, 1, function, handler=handler, seconds=60, attempts=1)


def test_an_error_of_sparkdls_own_in_the_rows_is_raised_as_itself(tmp_path: Path) -> None:
    def receive(rank: int, elements: Any, folder: Path) -> None:
        with open(tmp_path / "tries", "a") as file:
            file.write("x")
        raise SchemaMismatchException("column 'x' has another length in row 7")

    with pytest.raises(SchemaMismatchException, match="row 7"):
        run_workers(None, 1, print, receive=receive, seconds=20)
    assert (tmp_path / "tries").read_text() == "x"


def test_a_port_that_nobody_can_have_is_an_error_with_the_setting(spark: Any) -> None:
    class Context:
        def __init__(self, sc: Any) -> None:
            self._sc = sc

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sc, name)

        def getConf(self) -> Any:
            return self._sc.getConf().set(PORT, "99999")

    with pytest.raises(SettingsException, match=rf"cannot listen .*Set {PORT} to the first of"):
        run_workers(Context(spark.sparkContext), 1, print)


def test_of_workers_that_wait_for_each_other_the_one_that_says_nothing_is_named() -> None:
    def waited(rank: int, late: int) -> Failure:
        return Failure(rank, "DeadlinePassed", "", late=late)

    assert culprit([waited(1, 0), waited(0, 2)]).late == 2
    assert culprit([waited(0, 1), waited(1, 0)]).late == 1


def test_a_worker_that_hangs_is_named_in_one_line() -> None:
    def function(worker: Any) -> None:
        import time

        from sparkdl.training._loop.ring import Ring

        ring = Ring(worker)
        if worker.rank == 2:
            time.sleep(60)
        ring.sum(np.zeros(10))

    with pytest.raises(ModelExecutionException) as caught:
        run_workers(None, 3, function, seconds=6)
    assert re.fullmatch(
        r"The run was ended: worker 2 of 3 hangs: worker 0 has waited for it for 6 s \(param "
        r"timeout\)\.",
        str(caught.value),
    )
