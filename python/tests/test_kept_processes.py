"""Processes are forked from one with Keras loaded, which leaves nothing behind when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sparkdl._processes import cluster, loading_ahead
from sparkdl._processes.kept_process import KeptProcess, loading
from sparkdl._processes.run_process import ProcessEnd, local_folder, run_process
from sparkdl._processes.sockets_folder import folder_of
from sparkdl._processes.surroundings import Keeping
from sparkdl._processes.worker_task import keeping_of
from sparkdl._processes.workers import run_workers
from sparkdl.training._estimator import fit_on_workers

PROGRAMS = Path(__file__).parent / "programs"
IDS = "print(os.getppid(), os.getpid(), flush=True)"


@pytest.fixture
def keeping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeping]:
    """A keeper of this test's own, since its surroundings are."""
    monkeypatch.syspath_prepend(str(PROGRAMS))
    kept = Keeping((), os.getpid(), 0.0)
    yield kept
    assert within(10, lambda: not (folder_of(kept) / kept.name()).exists())


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def gone(pid: int) -> bool:
    return within(10, lambda: not Path(f"/proc/{pid}").exists())


def run(keeping: Keeping, job: str, **more: Any) -> ProcessEnd:
    from kept_process_main import main

    with local_folder("kept-") as folder:
        (folder / "job").write_text(job)
        return run_process(main, folder, keeping, **more)


def ids_of(end: ProcessEnd) -> tuple[int, int]:
    assert end.code == 0, end
    keeper, process = end.output.split()
    return int(keeper), int(process)


def test_processes_of_the_same_surroundings_have_one_keeper(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loading(keeping):
        ends = [ids_of(run(keeping, IDS)) for _ in range(2)]
        assert ends[0][0] == ends[1][0]
        assert ends[0][1] != ends[1][1]
        monkeypatch.setenv("SPARKDL_TEST_SURROUNDINGS", "others")
        assert ids_of(run(keeping, IDS))[0] != ends[0][0]


def test_a_keeper_that_nobody_needs_ends_and_leaves_no_file(keeping: Keeping) -> None:
    with loading(keeping):
        keeper, _ = ids_of(run(keeping, IDS))
        time.sleep(1.5)  # it stays as long as somebody is connected
        assert Path(f"/proc/{keeper}").exists()
    assert gone(keeper)
    assert not list(folder_of(keeping).glob(f"{keeping.name()}*"))


def test_every_process_draws_its_own_random_numbers(keeping: Keeping) -> None:
    draw = "import random, numpy; print(random.random(), numpy.random.random())"
    kept = Keeping(("numpy",), keeping.owner, 0.0)
    with loading(kept):
        drawn = [x for _ in range(2) for x in run(kept, draw).output.split()]
    assert len(set(drawn)) == 4


def test_a_process_ends_with_its_keeper_and_the_next_has_a_new_one(keeping: Keeping) -> None:
    lines: list[str] = []

    def kill_keeper() -> None:
        if lines:
            os.kill(int(lines[0].split()[0]), signal.SIGKILL)

    end = run(keeping, f"{IDS}; time.sleep(600)", take=lines.extend, watch=kill_keeper)
    assert end.code is None
    assert "was ended with the one that it was forked from" in end.describe("")
    killed, process = map(int, lines[0].split())
    assert gone(process)
    assert ids_of(run(keeping, IDS))[0] != killed


def test_a_process_whose_task_is_gone_is_killed_and_its_folder_removed(
    keeping: Keeping, tmp_path: Path
) -> None:
    from kept_process_main import main

    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "output")
    output = os.open(folder / "output", os.O_RDONLY | os.O_NONBLOCK)
    (folder / "job").write_text(
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    process = KeptProcess(main, folder, keeping)
    assert within(10, lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    process._connection.close()  # as the kernel does for a task that is killed
    os.close(output)
    assert gone(int((tmp_path / "pid").read_text()))
    assert within(10, lambda: not folder.exists())


def test_nothing_stays_when_the_program_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = subprocess.Popen([sys.executable, PROGRAMS / "kept_process_main.py", told])
    assert within(20, lambda: told.exists() and told.read_text().endswith("\n"))
    program.kill()
    program.wait()
    keeper, process, folder = told.read_text().split()
    assert gone(int(process))
    assert gone(int(keeper))
    assert not Path(folder).exists()


def test_a_keeper_whose_owner_was_gone_before_it_began_does_not_stay() -> None:
    owner = subprocess.Popen([sys.executable, "-c", ""])
    owner.wait()
    orphan = Keeping((), owner.pid, 600.0)
    with suppress(OSError), loading(orphan):
        pass
    assert within(20, lambda: not (folder_of(orphan) / orphan.name()).exists())


def test_a_keeper_that_dies_of_its_imports_is_explained(keeping: Keeping, tmp_path: Path) -> None:
    (tmp_path / "fatal_import.py").write_text(
        "import os; print('a fault in a library', flush=True); os.kill(os.getpid(), 9)"
    )
    sys.path.insert(0, str(tmp_path))  # undone with the fixture's
    fatal = Keeping(("fatal_import",), keeping.owner, 0.0)
    with pytest.raises(RuntimeError, match="loads fatal_import .* could start one. .*a fault in a"):
        run(fatal, IDS)


def test_on_a_mac_each_process_is_started_by_itself(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with loading(keeping):
        assert not (folder_of(keeping) / keeping.name()).exists()
        for _ in range(2):
            assert ids_of(run(keeping, IDS))[0] == os.getpid()
        assert run(keeping, "print('so far', flush=True); sys.exit(3)").code == 3
        assert run(keeping, "os.kill(os.getpid(), 9)").code == -signal.SIGKILL

    def gone() -> None:
        raise ConnectionError("the driver hung up")

    with pytest.raises(ConnectionError, match="hung up"):
        run(keeping, "time.sleep(600)", watch=gone)


def test_workers_of_all_runs_of_a_session_are_forked_from_one_process(spark: Any) -> None:
    def keeper(worker: Any) -> int:
        return os.getppid()

    runs = [run_workers(spark.sparkContext, 2, keeper) for _ in range(2)]
    assert len({pid for pids in runs for pid in pids}) == 1


def test_a_worker_whose_starter_is_gone_is_its_own_owner() -> None:
    worker = """
import os, time
from sparkdl._processes.surroundings import starter
os.setpgid(0, 0)
starting = os.getpid()
if os.fork() == 0:
    before = starter()
    os.kill(starting, 9)
    while os.getppid() == starting:
        time.sleep(0.01)
    print(before == starting, starter() == os.getpid(), flush=True)
else:
    time.sleep(60)
"""
    done = subprocess.run([sys.executable, "-c", worker], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_modules_are_loaded_ahead_of_the_run_that_needs_them(spark: Any) -> None:
    def is_kept(_: int) -> bool:
        kept = keeping_of(modules, os.getppid(), 600.0)
        return (folder_of(kept) / kept.name()).exists()

    def is_ready() -> bool:
        return spark.sparkContext.parallelize([0], 1).map(is_kept).collect() == [True]

    def seen(worker: Any) -> tuple[bool, ...]:
        first = "pandas" in sys.modules
        import pandas
        from keras.src.trainers.data_adapters import array_slicing

        return "keras" in sys.modules, first, pandas is sys.modules["pandas"], array_slicing.pandas

    modules = fit_on_workers._MODULES
    loading_ahead.load_ahead(spark.sparkContext, modules, "load Keras")
    assert within(30, is_ready)
    found = run_workers(spark.sparkContext, 1, seen, modules=modules)
    assert found == [(True, False, True, None)]  # Keras without pandas, which a function imports


def test_loading_is_begun_once_while_processes_are_kept(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []
    thread = SimpleNamespace(start=lambda: begun.append(1))
    monkeypatch.setattr("pyspark.InheritableThread", lambda **options: thread)
    for _ in range(2):
        loading_ahead.load_ahead(spark.sparkContext, ["json"], "load JSON")
    loading_ahead.load_ahead(spark.sparkContext, ["json", "csv"], "load JSON and CSV")
    assert len(begun) == 2


def test_the_setting_says_how_long_a_keeper_waits(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cluster.idle_seconds() == cluster._IDLE_SECONDS
    spark.conf.set("spark.sparkdl.workers.idleTimeout", "90s")
    try:
        assert cluster.idle_seconds() == 90
    finally:
        spark.conf.unset("spark.sparkdl.workers.idleTimeout")
