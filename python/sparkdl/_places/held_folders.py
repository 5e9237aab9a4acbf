"""What this process has written for others to use, such as bundles of live models.

Each stays as long as anything refers to it. In Python its path is the reference: stages keep the
very object in their params, and their copies share it. In the JVM, models, columns, functions,
plans and jobs have an `org.sparkdl.files.HeldFolder`, which Python asks for. What nothing refers to
any more is removed, on a thread of its own, soon after the last path is gone.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from sparkdl._places.temporary_folders import process_folder, remove_folder
from sparkdl.session.jvm_door import door_if_open

_PAUSE_SECONDS = 0.5  # a program that lets one path go often lets more of them go
_AGAIN_SECONDS = 60.0  # until the JVM is asked again for what it held
_MOST_UNUSED_BYTES = 64 << 20  # where no session says otherwise


class HeldPath(str):
    """A path whose existence as an object keeps what is there; an equal text does not."""

    in_jvm: object = None  # of what the JVM has made: its `HeldFolder`

    def __copy__(self) -> HeldPath:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> HeldPath:
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)  # it means nothing to another process


@dataclass
class _Folder:
    reference: weakref.ref[HeldPath]
    bytes: int
    kept: bool  # for later use, as far as the limit allows


_lock = threading.RLock()
_folders: dict[str, _Folder] = {}  # least recently used first
_dropped: SimpleQueue[None] = SimpleQueue()  # may be put to wherever garbage is collected
_owner: int | None = None  # the process with the thread: a forked one removes nothing


def hold_new(path: Path, kept: bool = False) -> HeldPath:
    """Return the path of something in this process' folder that now goes when nobody has the path.

    Parameters
    ----------
    path : Path
    kept : bool
        Whether it is worth keeping a while, for somebody to `hold` it again.
    """
    text, new = str(path), HeldPath(path)
    with _lock:
        _start()
        _folders[text] = _Folder(_reference(new), _size(path), kept)  # the key holds nothing
    return new


def held(path: str) -> HeldPath | None:
    """Return the path that holds what is there; None if it was removed, or was never held."""
    text = str(path)
    with _lock:
        folder = _folders.pop(text, None)
        if folder is None:
            return None
        _folders[text] = folder  # the most recently used
        known = folder.reference()
        if known is None:
            known = HeldPath(text)
            folder.reference = _reference(known)
        return known


def holding(path: str) -> str:
    """Return a path that holds what is there, if it was made here; any other path as it is."""
    return held(path) or path


def holding_copy(path: Path) -> HeldPath:
    """Return a path that holds what the JVM has copied from another file system."""
    copy = HeldPath(path)
    door = door_if_open()
    if door is not None:
        copy.in_jvm = door.holdFile(str(path))
    return copy


def remove_unused() -> bool:
    """Remove what nothing refers to; return whether something is left of that."""
    if os.getpid() != _owner:
        return False
    with _lock:
        unused = {p: f for p, f in _folders.items() if f.reference() is None}
        limit, needed = _limit_and_needed({p: f.bytes for p, f in unused.items()})
        total = sum(f.bytes for p, f in unused.items() if p not in needed)
        for path, folder in unused.items():
            if path not in needed and (not folder.kept or total > limit):
                total -= folder.bytes
                del _folders[path]
                remove_folder(_root_of(path))
        return len(unused) > 0


def _limit_and_needed(sizes: Mapping[str, int]) -> tuple[int, set[str]]:
    """Return how many bytes may stay unused, and which folders the JVM needs."""
    door = door_if_open() if sizes else None
    if door is None:
        return _MOST_UNUSED_BYTES, set()
    return int(door.bundlesMaxUnused()), set(door.heldFolders(list(sizes), sum(sizes.values())))


def _reference(path: HeldPath) -> weakref.ref[HeldPath]:
    return weakref.ref(path, lambda _: _dropped.put(None))


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.lstat().st_size for f in files)


def _root_of(path: str) -> Path:
    """Return what lies right in this process' folder."""
    root = process_folder()
    return root / Path(path).relative_to(root).parts[0]


def _start() -> None:
    global _owner
    if _owner is None:
        _owner = os.getpid()
        threading.Thread(target=_run, name="sparkdl-held-folders", daemon=True).start()


def _run() -> None:
    again = False
    while True:
        with suppress(Empty):
            _dropped.get(timeout=_AGAIN_SECONDS if again else None)
            time.sleep(_PAUSE_SECONDS)
            while True:
                _dropped.get_nowait()
        with suppress(Exception):  # the session may be stopping; there will be another time
            again = remove_unused()
