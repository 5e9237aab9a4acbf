"""Files that are not on this machine: Hadoop's file systems, as the session's JVM knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparkdl.errors import SettingsException
from sparkdl.session.jvm_door import door


def is_reachable() -> bool:
    """Say whether this process has a Spark session, through which they are reached."""
    import sys

    context = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    return context is not None and context._active_spark_context is not None


def fetch(uri: str) -> Path | None:
    """Return a local copy of a file or folder, None if it is not there."""
    path = _door(uri).fetchFile(uri)
    return None if path is None else Path(path)


def names(uri: str) -> list[str] | None:
    """Return the names of what is in a folder, None if it is not there."""
    listed = _door(uri).fileNames(uri)
    return None if listed is None else [str(name) for name in listed]


def store(local: Path, uri: str) -> None:
    """Copy a local file or folder there, as a whole or not at all."""
    _door(uri).storeFile(str(local), uri)


def delete(uri: str) -> None:
    """Delete a file if it is there."""
    _door(uri).deleteFile(uri)


def _door(uri: str) -> Any:
    if not is_reachable():
        raise SettingsException(
            f"'{uri}' is not on this machine, and only Spark reaches other file systems: start a "
            "session first (import sparkdl; spark = sparkdl.start()), or copy it to this machine."
        )
    return door()
