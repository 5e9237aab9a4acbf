"""Hosts and ports of IPv4 and IPv6: what training and its progress listen on and connect to."""

from __future__ import annotations

import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_threads import Exchange, Thread

from sparkdl._processes import workers
from sparkdl._processes.coordinator import Coordinator
from sparkdl._processes.failures import hopeless_job_error, is_hopeless
from sparkdl._processes.link import DriverUnreachable
from sparkdl._processes.network import authority, connect, free_port, listen, without_brackets
from sparkdl._processes.progress import Reporter, print_reports
from sparkdl._processes.proof import connect_proved
from sparkdl._processes.worker import connect_to_driver
from sparkdl._processes.workers import run_workers
from sparkdl.errors import ModelExecutionException, SettingsException
from sparkdl.training._loop.ring import Ring


def loopback_of_ipv6() -> str:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as e:
        pytest.skip(f"this machine has no IPv6 loopback: {e}")
    return "[::1]"


@pytest.mark.parametrize(
    ("host", "plain", "text"),
    [
        ("[::1]", "::1", "[::1]:80"),
        ("::1", "::1", "[::1]:80"),
        ("[fe80::1%eth0]", "fe80::1%eth0", "[fe80::1%eth0]:80"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.1:80"),
        ("node-7.b", "node-7.b", "node-7.b:80"),
    ],
)
def test_brackets_are_for_texts_and_not_for_sockets(host: str, plain: str, text: str) -> None:
    assert without_brackets(host) == plain
    assert authority(host, 80) == text


@pytest.mark.parametrize("host", ["[::1]", "::1", "127.0.0.1", "localhost"])
def test_who_listens_is_reached_by_addresses_of_both_kinds(host: str) -> None:
    loopback_of_ipv6()
    with listen(backlog=4) as server, connect(host, server.getsockname()[1], 5) as client:
        client.sendall(b"x")
        assert server.accept()[0].recv(1) == b"x"


def test_a_machine_without_ipv6_listens_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with listen(backlog=4) as server:
        assert server.family == socket.AF_INET
        connect("127.0.0.1", server.getsockname()[1], 5).close()
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    create_socket = socket.socket

    def without_ipv6(family: Any = socket.AF_INET, *arguments: Any) -> Any:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return create_socket(family, *arguments)

    monkeypatch.setattr(socket, "socket", without_ipv6)
    with listen(backlog=4) as server:
        assert server.family == socket.AF_INET


def test_a_port_that_is_kept_free_for_tensorflow_can_be_listened_on_by_both_kinds() -> None:
    with free_port(reuse=True) as kept:
        port = kept.getsockname()[1]
        for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (kept.family, "")):
            with socket.socket(family) as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                other.bind((anywhere, port))
                other.listen()


def test_the_coordinator_a_ring_and_progress_work_at_an_ipv6_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    host = loopback_of_ipv6()
    coordinator = Coordinator(host, 1, 5, lambda rank, message: ({}, b""), print)
    try:
        connect_to_driver(coordinator.address, 5, host, role="task", rank=0).close()
        end = time.monotonic() + 5
        while not coordinator.has_begun() and time.monotonic() < end:
            time.sleep(0.01)
        assert coordinator.has_begun()
    finally:
        coordinator.close()
    assert _summed(host) == [3.0, 3.0]
    said = ""
    with print_reports(host, {0: "trial 1/1"}, 1) as address:
        Reporter(address, 0).report("over IPv6")
        end = time.monotonic() + 5
        while not said and time.monotonic() < end:
            time.sleep(0.01)
            said = capsys.readouterr().err
    assert "trial 1/1: over IPv6" in said


def _summed(host: str) -> list[float]:
    exchange = Exchange(2)

    def work(rank: int) -> float:
        worker = Thread(rank, 2, Path(), exchange, None)
        worker.host = host
        ring, mine = Ring(worker), np.array([rank + 1.0])
        ring.sum(mine)
        ring.close()
        return float(mine[0])

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, range(2)))


def test_processes_of_a_run_on_this_machine_find_the_driver_by_ipv6(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = loopback_of_ipv6()
    monkeypatch.setattr(workers, "LOCAL_HOST", host)
    assert run_workers(None, 2, lambda w: w.exchange(str(w.rank)), log=None) == [["0", "1"]] * 2


def test_a_driver_that_cannot_be_reached_ends_the_run_after_one_deadline_with_both_addresses(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = Coordinator.__init__

    def elsewhere(self: Any, host: str, *arguments: Any) -> None:
        init(self, host, *arguments)
        self.address = replace(self.address, host="127.0.0.1", port=nobody_listens)

    with free_port() as taken:  # which does not listen
        nobody_listens = taken.getsockname()[1]
        monkeypatch.setattr(Coordinator, "__init__", elsewhere)
        began = time.monotonic()
        with pytest.raises(ModelExecutionException) as caught:
            run_workers(spark.sparkContext, 2, print, seconds=15)
    assert time.monotonic() - began < 60  # four attempts took 83 s
    text = str(caught.value)
    assert "cannot reach the driver, which listens at 127.0.0.1:" + str(nobody_listens) in text
    assert re.search(r"worker [01] on \S+ cannot reach", text)
    assert "Connection refused (tried for 15 s, param timeout). Set spark.driver.host" in text
    assert "lost" not in text


def test_a_worker_that_cannot_reach_the_next_is_reported_with_both_addresses() -> None:
    exchange = Exchange(2)

    class Blocked(Thread):
        def exchange(self, value: str) -> list[str]:
            texts = super().exchange(value)
            return [texts[0], f'["127.0.0.1", {taken.getsockname()[1]}]']

    with free_port() as taken:
        first = Blocked(0, 2, Path(), exchange, None)
        first.host, first.seconds = "node-1", 0.5
        threading.Thread(target=exchange, args=(1, "[]"), daemon=True).start()
        with pytest.raises(TimeoutError, match="worker 0 on node-1 cannot reach worker 1: cannot"):
            Ring(first)


def test_failures_that_would_repeat_are_told_from_those_that_might_not() -> None:
    again = (ConnectionError("x"), EOFError(), MemoryError(), RuntimeError("the process died"))
    never = (DriverUnreachable("x"), ModuleNotFoundError("x"), SettingsException("x"), KeyError(1))
    assert [is_hopeless(e) for e in (*again, *never)] == [False] * 4 + [True] * 4


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "Traceback\n  File\nModuleNotFoundError: No module named 'sparkdl'\n\tat org",
            "'sparkdl'\nEx",
        ),
        ("x: [PYTHON_VERSION_MISMATCH] Python in worker has 3.9\n\tat", "cannot run: .PYTHON_VERS"),
        (
            "Exc\nsparkdl._processes.link.DriverUnreachable: worker 1 on a\n\tat",
            "run: worker 1 on a$",
        ),
    ],
)
def test_what_only_spark_reports_of_a_task_ends_the_run(message: str, expected: str) -> None:
    error = hopeless_job_error(RuntimeError(message), 2)
    assert error is not None
    with pytest.raises(ModelExecutionException, match=expected):
        raise error


def test_lost_executors_are_tried_again() -> None:
    lost = RuntimeError("ExecutorLostFailure (executor 1 exited): Remote RPC client disassociated")
    assert hopeless_job_error(lost, 2) is None
    assert hopeless_job_error(None, 2) is None


def test_a_task_that_lacks_a_package_is_not_tried_again(spark: Any, tmp_path: Path) -> None:
    def receive(rank: int, elements: Any, folder: Path) -> None:
        with open(tmp_path / "tries", "a") as file:
            file.write("x")
        import no_such_package  # noqa: F401

    with pytest.raises(ModelExecutionException, match="no_such_package'\nExecutors need sparkdl"):
        run_workers(spark.sparkContext, 1, print, receive=receive)
    assert (tmp_path / "tries").read_text() == "x"


def test_a_connection_says_where_to() -> None:
    loopback_of_ipv6()
    with free_port() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TimeoutError, match=rf"cannot connect to \[::1\]:{port} within 0.3 s"):
            connect_proved("[::1]", port, "secret", "purpose", 0.3)
