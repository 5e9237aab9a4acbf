"""What Spark leaves of a partition that is kept on a full disk: nothing, and it says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

NOT_WHOLE = r"is not whole, .*no space left on device.*spark\.local\.dir"


def shorten(rdd: Any) -> None:
    """Leave nothing of what an RDD keeps on this machine's disk."""
    manager = rdd.ctx._jvm.org.apache.spark.SparkEnv.get().blockManager().diskBlockManager()
    files = manager.getAllFiles()
    paths = [Path(files.apply(i).getPath()) for i in range(files.size())]
    kept = [path for path in paths if path.name.startswith(f"rdd_{rdd.id()}_")]
    assert kept
    for path in kept:
        path.write_bytes(b"")


def fill_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything that is kept from now on be computed, and then shortened."""
    from pyspark import RDD

    persist = RDD.persist

    def keep(self: Any, level: Any) -> Any:
        persist(self, level)
        self.count()
        shorten(self)
        return self

    monkeypatch.setattr(RDD, "persist", keep)
