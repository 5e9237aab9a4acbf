"""The folder where keepers and those who look for them meet."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sparkdl._processes.surroundings import Keeping, start_of


def folder_of(keeping: Keeping) -> Path:
    """Return where the sockets of an owner's keepers are, the same for all its processes."""
    disks = filter(os.path.isdir, os.environ.get("SPARK_LOCAL_DIRS", "").split(","))
    disk = Path(next(disks, tempfile.gettempdir()))
    return disk / f"sparkdl-keepers-{keeping.owner}-{start_of(keeping.owner)}"


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Make a folder that only this user can enter, and be alone there during this block."""
    while True:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # a keeper has just removed it
            continue
        try:
            facts = os.fstat(descriptor)
            if facts.st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to another user. Remove it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # else it was removed while this waited
                yield descriptor
                return
        finally:
            os.close(descriptor)
