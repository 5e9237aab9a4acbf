"""A real HDFS on this machine: Hadoop's own mini cluster, in a process of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
import pytest
from conftest import CHECKOUT, JVM_OPTIONS

JARS = CHECKOUT / "target" / "hdfs"
PROGRAM = Path(__file__).parent / "Hdfs.java"


@contextmanager
def mini_cluster(folder: Path) -> Iterator[str]:
    """Give the address of the root of an HDFS that lives as long as the block."""
    jars = sorted(JARS.glob("*.jar"))
    if not jars:
        say = pytest.fail if os.environ.get("SPARKDL_TEST_HDFS") == "required" else pytest.skip
        say(f"No mini cluster of Hadoop in {JARS}. Fetch it: build/sbt hdfsJars")
    classes = os.pathsep.join([f"{Path(pyspark.__file__).parent}/jars/*", *map(str, jars)])
    java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else ""
    log = folder / "log"
    with (
        open(log, "w") as errors,
        subprocess.Popen(
            [
                java or "java",
                *JVM_OPTIONS.split(),
                "-Xmx512m",
                "-cp",
                classes,
                str(PROGRAM),
                str(folder / "dfs"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
        ) as server,
    ):
        assert server.stdout is not None
        try:
            for line in server.stdout:
                if line.startswith("READY "):
                    yield line.split()[1]
                    return
            pytest.fail(f"The mini cluster ended: {log.read_text()[-2000:]}")
        finally:
            server.kill()
