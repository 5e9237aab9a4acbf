"""run_workers: n processes at once, what they tell, and how they fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark import InheritableThread

from sparkdl._processes import cluster, worker_jobs
from sparkdl._processes.cluster import check_slots
from sparkdl._processes.link import DeadlinePassed
from sparkdl._processes.workers import run_workers
from sparkdl.errors import ModelExecutionException, SettingsException


def test_every_worker_runs_at_once_and_results_come_by_rank(spark: Any) -> None:
    def meet(worker: Any, greeting: str) -> Any:
        texts = worker.exchange(f"{greeting} from {worker.rank}")
        return worker.rank, worker.count, texts, worker.exchange(str(worker.rank * 2))

    results = run_workers(spark.sparkContext, 2, meet, ("hello",))
    texts = ["hello from 0", "hello from 1"]
    assert results == [(0, 2, texts, ["0", "2"]), (1, 2, texts, ["0", "2"])]


def test_results_do_not_pass_through_the_jvm(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, start = [], worker_jobs.BarrierJob.start

    def watched(job: Any) -> None:
        jobs.append(job)
        start(job)

    monkeypatch.setattr(worker_jobs.BarrierJob, "start", watched)
    (result,) = run_workers(spark.sparkContext, 1, lambda worker: b"x" * 5_000_000)
    assert len(result) == 5_000_000
    assert jobs[0].results == [True]


def test_workers_are_sent_their_partition_and_leave_nothing_on_disk(spark: Any) -> None:
    def receive(rank: int, elements: Any, folder: Path) -> None:
        (folder / "mine").write_text(",".join(map(str, elements)))

    def read(worker: Any) -> Any:
        assert worker.folder.stat().st_mode & 0o077 == 0, "its owner's alone"
        return (worker.folder / "mine").read_text(), str(worker.folder)

    data = spark.sparkContext.parallelize(range(4), 2)
    results = run_workers(spark.sparkContext, 2, read, data=data, receive=receive)
    assert [text for text, _ in results] == ["0,1", "2,3"]
    assert not any(Path(folder).exists() for _, folder in results)


def test_the_driver_answers_questions_and_prints_what_workers_write(spark: Any) -> None:
    def ask(worker: Any) -> bytes:
        print("a line of mine", flush=True)
        worker.tell("note", b"", text="no answer wanted")
        return bytes(worker.ask("double", b"ab", times=2).payload)

    asked, lines = [], []

    def handler(rank: int, message: Any) -> Any:
        asked.append((rank, message.kind, message.fields))
        return {}, bytes(message.payload) * 2

    results = run_workers(
        spark.sparkContext, 1, ask, handler=handler, log=lambda r, line: lines.append((r, line))
    )
    assert results == [b"abab"]
    assert [kind for _, kind, _ in asked] == ["note", "double"]
    assert asked[1][2]["times"] == 2
    assert (0, "a line of mine") in lines


def test_a_worker_that_raises_ends_all_at_once_with_its_traceback(spark: Any) -> None:
    def fail(worker: Any) -> None:
        if worker.rank == 1:
            raise ValueError("nothing to learn here")
        worker.exchange("never answered")

    began = time.monotonic()
    with pytest.raises(ModelExecutionException) as caught:
        run_workers(spark.sparkContext, 2, fail)
    assert "Worker 1 of 2 failed: ValueError: nothing to learn here" in str(caught.value)
    assert "Traceback" in str(caught.value)
    assert "in fail" in str(caught.value)
    assert time.monotonic() - began < 60


def test_a_worker_that_keeps_others_waiting_is_named_when_the_deadline_passes(spark: Any) -> None:
    def hang(worker: Any) -> None:
        if worker.rank == 0:
            time.sleep(600)
        worker.exchange("here")

    with pytest.raises(
        ModelExecutionException, match="worker 0 of 2 kept the others waiting for more"
    ):
        run_workers(spark.sparkContext, 2, hang, seconds=6)
    assert spark.range(10).count() == 10  # the slots are free again


def test_a_process_that_dies_is_tried_again_and_then_explained(spark: Any) -> None:
    def die(worker: Any, survive: bool) -> int:
        if worker.rank == 1 and (worker.attempt < 2 or not survive):
            os.kill(os.getpid(), signal.SIGKILL)
        worker.exchange("alive")
        return int(worker.attempt)

    sc = spark.sparkContext
    assert run_workers(sc, 2, die, (True,)) == [2, 2]
    with pytest.raises(ModelExecutionException, match="lost 4 time.s. without progress") as caught:
        run_workers(sc, 2, die, (False,))
    assert "- worker 1 of 2: RuntimeError: the process that trained was ended by SIGKILL" in str(
        caught.value
    )


@contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGUSR1 what Ctrl-C is."""

    def raised(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, raised)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_interrupting_the_driver_ends_the_workers(spark: Any, tmp_path: Path) -> None:
    def wait(worker: Any, folder: str) -> None:
        (Path(folder) / str(worker.rank)).write_text(str(os.getpid()))
        time.sleep(600)

    def interrupt() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.1)
        signal.raise_signal(signal.SIGUSR1)

    with interruptible():
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            run_workers(spark.sparkContext, 2, wait, (str(tmp_path),))
    pids = [int(f.read_text()) for f in tmp_path.iterdir()]
    assert _gone(pids)
    assert spark.range(10).count() == 10


def test_a_job_that_is_cancelled_is_not_tried_again(spark: Any, tmp_path: Path) -> None:
    def wait(worker: Any, file: str) -> None:
        Path(file).touch()
        time.sleep(600)

    def cancel() -> None:
        while not (tmp_path / "began").exists():
            time.sleep(0.1)
        spark.sparkContext.cancelAllJobs()

    threading.Thread(target=cancel, daemon=True).start()
    with pytest.raises(ModelExecutionException, match="The run was cancelled"):
        run_workers(spark.sparkContext, 1, wait, (str(tmp_path / "began"),))


def test_workers_end_by_themselves_when_the_driver_is_killed(tmp_path: Path) -> None:
    driver = subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).parent / "programs" / "driver_that_is_killed.py"),
            tmp_path,
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while len(texts := [f.read_text() for f in tmp_path.iterdir()]) < 2 or not all(texts):
        assert driver.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    driver.kill()
    driver.wait()
    workers = [text.split() for text in texts]
    assert _gone([*(int(pid) for pid, _ in workers), *_of_session(driver.pid)])
    assert not any(Path(folder).exists() for _, folder in workers)


def _of_session(leader: int) -> list[int]:
    """Return the processes of a session: Spark's JVM and its Python workers."""
    completed = subprocess.run(
        ["pgrep", "-s", str(leader)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in completed.stdout.split()]


def _gone(pids: list[int]) -> bool:
    return _soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def _soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_the_driver_finishes_one_attempt_before_it_answers_the_next() -> None:
    def ask(worker: Any) -> int:
        if worker.attempt == 0 and worker.rank == 1:
            worker.exchange("soon")
            time.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        if worker.attempt == 0:
            worker.exchange("now")
        return int(worker.ask("question", attempt=worker.attempt).fields["open"])

    running: list[int] = []

    def handler(rank: int, message: Any) -> Any:
        attempt = int(message.fields["attempt"])
        running.append(attempt)
        opened = len(running)
        time.sleep(4 if attempt == 0 else 0)
        running.remove(attempt)
        return {"open": opened}, b""

    assert run_workers(None, 2, ask, handler=handler, log=None) == [1, 1]


def test_a_driver_that_answers_too_late_is_named_and_not_a_worker() -> None:
    def wait(worker: Any) -> None:
        if worker.rank == 0:
            worker.ask("slow")
        time.sleep(3.5)
        raise DeadlinePassed("worker 0 sent nothing")

    def handler(rank: int, message: Any) -> Any:
        time.sleep(5)
        return {}, b""

    with pytest.raises(
        ModelExecutionException, match="ended: callbacks or a checkpoint on the dri"
    ):
        run_workers(None, 2, wait, handler=handler, log=None, seconds=2)


def test_what_ends_a_callback_ends_the_run() -> None:
    def leave(rank: int, message: Any) -> Any:
        sys.exit("enough")

    with pytest.raises(ModelExecutionException, match="The driver failed: SystemExit: enough"):
        run_workers(None, 1, lambda worker: worker.ask("may I"), handler=leave, log=None)


def test_packages_that_executors_lack_are_named() -> None:
    def load(worker: Any) -> None:
        import no_such_package  # noqa: F401

    with pytest.raises(ModelExecutionException, match="'no_such_package'\nExecutors need sparkdl"):
        run_workers(None, 1, load, log=None)


def test_executors_that_are_just_starting_or_replacing_others_are_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slots = [0, 0, 2]
    loss = [0.0]
    monkeypatch.setattr(cluster, "_last_loss", lambda sc: loss[0])
    monkeypatch.setattr(cluster, "_NEWS_SECONDS", 0.0)
    monkeypatch.setattr(
        cluster, "task_slots", lambda sc: slots.pop(0) if len(slots) > 1 else slots[0]
    )
    conf: dict[str, str] = {}
    sc: Any = SimpleNamespace(
        getConf=lambda: conf, startTime=time.time() * 1000, master="spark://machine:7077"
    )
    check_slots(sc, 2)
    assert slots == [2]
    sc.startTime -= 60_000
    with pytest.raises(SettingsException, match="this application has 2 task slot"):
        check_slots(sc, 3)
    slots[:] = [2, 2, 3]
    loss[0] = time.time() - 20
    check_slots(sc, 3)
    conf["spark.dynamicAllocation.enabled"] = "true"
    with pytest.raises(SettingsException, match="Set spark.dynamicAllocation.enabled=false"):
        check_slots(sc, 1)


def test_a_slot_that_a_cancelled_task_still_holds_is_waited_for(spark: Any, tmp_path: Path) -> None:
    begun, done, tag = tmp_path / "begun", tmp_path / "done", "a-task-that-is-slow-to-end"

    def hold(numbers: Iterator[int]) -> Iterator[int]:
        begun.touch()
        while not done.exists():
            time.sleep(0.1)
        yield from numbers

    def run() -> None:
        spark.sparkContext.addJobTag(tag)
        with suppress(Exception):  # it is cancelled
            spark.sparkContext.parallelize([1], 1).mapPartitions(hold).collect()

    def is_running() -> bool:
        return cluster.running_tasks(spark.sparkContext) > 0

    assert _soon(lambda: not is_running())
    InheritableThread(target=run).start()
    assert _soon(begun.exists)
    assert is_running()
    spark.sparkContext.cancelJobsWithTag(tag)
    ended = _soon(lambda: not spark.sparkContext.statusTracker().getActiveStageIds())
    was_running = is_running()
    done.touch()
    assert ended
    assert was_running
    assert _soon(lambda: not is_running())


def test_a_process_that_hangs_outside_of_python_is_ended_with_the_run(tmp_path: Path) -> None:
    def hang(worker: Any, file: str) -> None:
        import ctypes

        Path(file).write_text(str(os.getpid()))
        ctypes.PyDLL(None).sleep(600)  # and no other thread of Python goes on

    def watch() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.1)
        time.sleep(0.5)
        signal.raise_signal(signal.SIGUSR1)

    with interruptible():
        threading.Thread(target=watch, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            run_workers(None, 1, hang, (str(tmp_path / "pid"),))
    assert _gone([int((tmp_path / "pid").read_text())])


def test_lines_are_passed_on_as_a_terminal_shows_them_even_a_last_one_without_an_end() -> None:
    from sparkdl._processes.process_output import ProcessOutput

    lines: list[str] = []
    output, pipe = os.pipe()
    os.set_blocking(output, False)
    log = ProcessOutput(output, lines.extend)
    for text in (b"step 1\rste", b"p 2\r", b"\nwindows\r\n", b"no end"):
        os.write(pipe, text)
        log.read()
    assert lines == ["step 2", "windows"]
    log.end()
    assert lines[2:] == ["no end"]
    assert log.tail.endswith("no end")


def test_more_workers_than_task_slots_are_refused_at_once(spark: Any) -> None:
    with pytest.raises(SettingsException, match="this application has 2 task slot"):
        run_workers(spark.sparkContext, 3, print)
    with pytest.raises(SettingsException, match="at least 1, got 0"):
        run_workers(spark.sparkContext, 0, print)


def test_without_spark_the_processes_run_on_this_machine() -> None:
    def meet(worker: Any) -> list[str]:
        return worker.exchange(str(worker.rank))

    assert run_workers(None, 2, meet, log=None) == [["0", "1"]] * 2
    with pytest.raises(ModelExecutionException, match="KeyError: 'gone'"):
        run_workers(None, 1, lambda worker: {}["gone"], log=None)
