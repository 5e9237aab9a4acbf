"""Sessions of a command, whose output is the command's alone."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_STANDARD_ERROR = 2


@contextmanager
def quiet_session(
    app_name: str, master: str | None = None, conf: Mapping[str, object] | None = None
) -> Iterator[SparkSession]:
    """Start a Spark session for a block.

    What Spark's JVM writes (Ivy's tables, logs) is shown only if it does not start.
    """
    from sparkdl import start

    with tempfile.TemporaryFile() as said, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            with _standard_error_in(said):
                spark = start(master=master, app_name=app_name, conf=conf)
        except SettingsException:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise
    for warning in warned:
        if issubclass(warning.category, UserWarning):
            print(f"Warning: {warning.message}", file=sys.stderr)
    try:
        yield spark
    finally:
        spark.stop()


@contextmanager
def session_for(*paths: str | None) -> Iterator[None]:
    """Start a Spark session for a block if a path is on a file system that only Spark reaches."""
    from sparkdl._places.places import place_of
    from sparkdl._places.remote_files import is_reachable

    if is_reachable() or all(place_of(p).local for p in paths if p):
        yield
        return
    with quiet_session("sparkdl", "local[1]", {"spark.ui.enabled": False}):
        yield


@contextmanager
def _standard_error_in(file: BinaryIO) -> Iterator[None]:
    """Write into a file what this process, and those that it starts, write to standard error.

    The processes go on writing there when the block is left.
    """
    sys.stderr.flush()
    own = os.dup(_STANDARD_ERROR)
    os.dup2(file.fileno(), _STANDARD_ERROR)
    try:
        yield
    finally:
        os.dup2(own, _STANDARD_ERROR)
        os.close(own)
