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
from sparkdl.errors import InvalidModelException
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
    """

    def __init__(self, folder: str) -> None:
        self._folder = place_of(folder)

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
