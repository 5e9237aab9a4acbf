"""The cluster that is disturbed: two executors on this machine, with a small disk of their own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyspark

import sparkdl
from chaos.disk import mount

EXECUTOR = "CoarseGrainedExecutorBackend"
# Workers of trainings, what keeps them, and Spark's Python workers.
PYTHON = r"sparkdl-keepers|pyspark[/.]daemon|pyspark[/.]worker"


class Cluster:
    """A session on `local-cluster`, and the processes below this one.

    Attributes
    ----------
    spark : SparkSession
    disk : Path
        Where executors and this process write.
    small_disk : bool
        Whether that is a file system of its own, which may be filled.
    """

    def __init__(self, disk: Path, small_disk: bool) -> None:
        self.disk, self.small_disk = disk, small_disk
        self.spark: Any = sparkdl.start(
            master="local-cluster[2,1,1024]",
            app_name="chaos",
            conf={
                "spark.ui.enabled": False,
                "spark.ui.showConsoleProgress": False,
                "spark.driver.host": "localhost",
                "spark.local.dir": str(disk / "spark"),
                "spark.executor.extraJavaOptions": f"-Djava.io.tmpdir={disk}",
                "spark.default.parallelism": 4,
                "spark.sql.shuffle.partitions": 4,
                "spark.files.useFetchCache": False,  # jars would fill the disk
                "spark.task.maxFailures": 12,
                "spark.stage.maxConsecutiveAttempts": 12,
                "spark.deploy.maxExecutorRetries": -1,
                "spark.executor.heartbeatInterval": "2s",
                "spark.network.timeout": "12s",
                "spark.network.timeoutInterval": "3s",
                "spark.speculation": True,
                "spark.speculation.interval": "200ms",
            },
        )
        self.spark.sparkContext.setLogLevel("OFF")

    def pids(self, pattern: str) -> list[int]:
        """Return the cluster's processes whose command lines match."""
        return [pid for pid, line in self._processes() if re.search(pattern, line)]

    def _processes(self) -> Iterator[tuple[int, str]]:
        """Yield the processes that were started with the disk as their temporary folder.

        Those that keep Keras loaded are nobody's children.
        """
        mark = f"TMPDIR={self.disk}".encode()
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if line and int(folder.name) != os.getpid():
                        yield int(folder.name), line

    def ports(self) -> list[int]:
        """Return the TCP ports on which this process and those below it listen."""
        return _ports({os.getpid(), *(pid for pid, _ in self._processes())})

    def driver_ports(self) -> list[int]:
        """Return the TCP ports on which this process and its JVM listen."""
        return _ports({os.getpid(), self._driver()})

    def interrupt_when_cancelled(self, interrupt: bool) -> None:
        """Say whether tasks of this thread's jobs are interrupted when these are cancelled."""
        context = self.spark.sparkContext
        context.setLocalProperty("spark.job.interruptOnCancel", str(interrupt).lower())

    def driver_megabytes(self) -> int:
        """Return the resident memory of the driver's JVM."""
        pages = int(Path(f"/proc/{self._driver()}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20

    def _driver(self) -> int:
        [jvm] = self.pids(r"org\.apache\.spark\.deploy\.SparkSubmit")
        return jvm


@contextmanager
def started() -> Iterator[Cluster]:
    """Start a cluster, with everything that it writes on a disk that goes with it."""
    disk = Path(tempfile.mkdtemp(prefix="sparkdl-chaos-"))
    mounted = mount(disk)
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"], tempfile.tempdir = str(disk), None
    cluster = Cluster(disk, mounted)
    work = Path(pyspark.__file__).parent / "work" / cluster.spark.sparkContext.applicationId
    try:
        yield cluster
    finally:
        cluster.spark.stop()
        shutil.rmtree(work, ignore_errors=True)  # with what executors logged
        os.environ.pop("TMPDIR") if before is None else os.environ.update(TMPDIR=before)
        tempfile.tempdir = None


def send(pid: int, signal_number: signal.Signals) -> None:
    """Signal a process, which may be gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal_number)


def _sockets(pid: int) -> Iterator[str]:
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            link = os.readlink(entry)
            if link.startswith("socket:["):
                yield link[len("socket:[") : -1]
    except OSError:
        return


def _ports(pids: set[int]) -> list[int]:
    sockets = {link for pid in pids for link in _sockets(pid)}
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and parts[9] in sockets:
                found.add(int(parts[1].rsplit(":", 1)[1], 16))
    return sorted(found)
