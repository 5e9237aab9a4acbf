"""The disk that the cluster writes on, which can be filled and locked for a moment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MEGABYTES = 700


def mount(folder: Path) -> bool:
    """Make a folder a file system of its own, which only root can; return whether it is one."""
    return _done("mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", str(folder))


def remove(folder: Path) -> None:
    """Remove a cluster's disk."""
    _done("umount", "-l", str(folder))
    _done("rm", "-rf", str(folder))


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no free byte on a disk for a block."""
    filler = folder / "filler"
    try:
        with suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        yield
    finally:
        filler.unlink()


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Let nobody make, rename or remove a file in any folder of a disk for a block.

    Files that are open can be written, as where someone changes rights. Yields whether it is so.
    """
    _lock(folder, True)
    try:
        yield not os.access(folder, os.W_OK)
    finally:
        _lock(folder, False)


def _lock(folder: Path, on: bool) -> None:
    folders = [name for name, _, _ in os.walk(folder)]
    if os.geteuid() == 0:  # whom rights do not stop
        _done("chattr", "-f", "+i" if on else "-i", *folders)
        return
    for name in folders:
        with suppress(FileNotFoundError):
            os.chmod(name, 0o500 if on else 0o700)


def _done(*command: str) -> bool:
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
