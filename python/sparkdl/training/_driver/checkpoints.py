"""States of trainings in a directory, on this machine or any file system that Hadoop knows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._places.places import Place, place_of
from sparkdl._processes.link import Payload
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.errors.user_warnings import warn
from sparkdl.training._loop.training_state import unpack_state

_ENDING = ".state"
_KEPT = 2  # the newest, and the one before in case the newest is damaged


class Checkpoints:
    """The states of one training, of which the newest two are kept.

    Parameters
    ----------
    folder : str
        Path or URI of the directory, which is made when it is needed.

    Raises
    ------
    SettingsException
        It is on this machine and cannot be made or written.
    """

    def __init__(self, folder: str) -> None:
        self._folder = place_of(folder)
        if self._folder.local is not None:
            _check(self._folder.local)

    def write(self, epoch: int, step: int, state: Sequence[Payload]) -> None:
        """Write a state, which comes in parts, as a whole or not at all."""
        with (self._folder / f"epoch-{epoch:06d}-step-{step:09d}{_ENDING}").writing() as file:
            _write(file, state)
        for name in self._names()[:-_KEPT]:
            (self._folder / name).delete()

    def newest(self) -> tuple[dict[str, Any], list[NDArray[Any]]] | None:
        """Return the facts and arrays of the newest undamaged state, None if there is none."""
        for name in reversed(self._names()):
            try:
                return unpack_state(_read(self._folder / name))
            except InvalidModelException as e:
                warn(f"Checkpoint {name} is skipped: {e}")
        return None

    def clear(self) -> None:
        """Delete all states."""
        for name in self._names():
            (self._folder / name).delete()

    def _names(self) -> list[str]:
        return [name for name in self._folder.names() or [] if name.endswith(_ENDING)]


def _check(folder: Path) -> None:
    """Raise if states cannot be written to a local folder, before the training begins."""
    there = next(f for f in (folder, *folder.parents) if os.path.lexists(f))
    if not there.is_dir():
        why = f"{there} is not a folder"
    elif not os.access(there, os.W_OK | os.X_OK):
        why = f"nothing can be written into {there}"
    else:
        return
    raise SettingsException(
        f"checkpointDir {folder} cannot hold states: {why}. Give a folder that this user can write."
    )


def _read(place: Place) -> Payload:
    """Return what is in a file, which stays there until it is looked at."""
    file = place.fetch()
    if file is None:
        raise InvalidModelException(f"{place} is gone.")
    return np.memmap(file, np.uint8, "r").data if file.stat().st_size else b""


def _write(file: Path, parts: Sequence[Payload]) -> None:
    with open(file, "wb") as stream:
        stream.writelines(parts)
        stream.flush()
        os.fsync(stream.fileno())
