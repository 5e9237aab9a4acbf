"""A cluster of Spark's own kind on this machine: a master and workers, each a process."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark
from conftest import JVM_OPTIONS

SPARK_HOME = Path(pyspark.__file__).parent
_SECONDS = 240.0  # a JVM starts in two on a machine that does nothing else


@contextmanager
def standalone_cluster(
    folder: Path, workers: int, options: str, **environment: str
) -> Iterator[str]:
    """Yield the URL of a master with workers of one core; all end with the block.

    Parameters
    ----------
    folder : Path
        For logs and what workers write.
    options : str
        Of the workers' JVMs.
    environment : str
        Of the workers, and so of their executors, besides that of this process. Each has its number
        as SPARK_TEST_WORKER.
    """
    start = [SPARK_HOME / "bin" / "spark-class"]
    where = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
    own = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_OPTS": options, **environment}
    with ExitStack() as running:
        master = [*start, "org.apache.spark.deploy.master.Master", *where]
        url = running.enter_context(_service(master, folder / "master.log", {}, r"spark://[\d.:]+"))
        worker = [*start, "org.apache.spark.deploy.worker.Worker", *where]
        for number in range(workers):
            command = [*worker, "--cores", "1", "--memory", "1g"]
            command += ["--work-dir", folder / f"work-{number}", url]
            own["SPARK_TEST_WORKER"] = str(number)
            log = folder / f"worker-{number}.log"
            running.enter_context(_service(command, log, own, "Successfully registered"))
        yield url


@contextmanager
def _service(
    command: list[object], log: Path, environment: Mapping[str, str], ready: str
) -> Iterator[str]:
    """Run a process during this block; yield what it says when it is ready."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            env={
                **os.environ,
                "SPARK_HOME": str(SPARK_HOME),
                "SPARK_DAEMON_JAVA_OPTS": JVM_OPTIONS,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield _said(process, log, ready)
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _said(process: subprocess.Popen[bytes], log: Path, ready: str) -> str:
    end = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < end:
        if found := re.search(ready, log.read_text(errors="replace")):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"it did not say {ready!r}: {log.read_text(errors='replace')[-3000:]}")
