"""States of trainings in a directory, on this machine or any file system that Hadoop knows."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

from sparkdl._paths import local_path
from sparkdl._warn import warn
from sparkdl.errors import InvalidModelException
from sparkdl.training._state import unpacked

_ENDING = ".state"
_KEPT = 2  # the newest, and the one before in case the newest is damaged


class Checkpoints:
    """The states of one training, of which the newest two are kept.

    Parameters
    ----------
    folder : str
        Path or URI of the directory; it is made.
    spark : SparkSession
        For what is not on this machine.
    """

    def __init__(self, folder: str, spark: Any) -> None:
        local = local_path(folder)
        self._folder: _Folder = (
            _RemoteFolder(folder, spark)
            if local is None
            else _LocalFolder(Path(local).expanduser())
        )

    def write(self, epoch: int, step: int, state: bytes) -> None:
        """Write a state; it is there as a whole or not at all."""
        self._folder.write(f"epoch-{epoch:06d}-step-{step:09d}{_ENDING}", state)
        for name in self._names()[:-_KEPT]:
            self._folder.delete(name)

    def newest(self) -> tuple[dict[str, Any], list[Any]] | None:
        """Return what the newest state holds that is not damaged, None if there is none."""
        for name in reversed(self._names()):
            try:
                return unpacked(self._folder.read(name))
            except InvalidModelException as e:
                warn(f"Checkpoint {name} is left out: {e}")
        return None

    def clear(self) -> None:
        """Delete all states."""
        for name in self._names():
            self._folder.delete(name)

    def _names(self) -> list[str]:
        return sorted(n for n in self._folder.names() if n.endswith(_ENDING))


class _Folder(Protocol):
    def names(self) -> list[str]: ...
    def read(self, name: str) -> bytes: ...
    def write(self, name: str, data: bytes) -> None: ...
    def delete(self, name: str) -> None: ...


class _LocalFolder:
    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        return os.listdir(self._path)

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        part = self._path / f"{name}.part"
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path / name)

    def delete(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)


class _RemoteFolder:
    def __init__(self, uri: str, spark: Any) -> None:
        self._paths = spark._jvm.org.apache.hadoop.fs.Path
        self._root = self._paths(uri)
        conf = spark.sparkContext._jsc.hadoopConfiguration()
        self._files = self._root.getFileSystem(conf)
        self._files.mkdirs(self._root)

    def names(self) -> list[str]:
        return [s.getPath().getName() for s in self._files.listStatus(self._root)]

    def read(self, name: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / name
            self._files.copyToLocalFile(False, self._at(name), self._paths(local.as_uri()), True)
            return local.read_bytes()

    def write(self, name: str, data: bytes) -> None:
        part = self._at(f"{name}.part")
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / name
            local.write_bytes(data)
            self._files.copyFromLocalFile(False, True, self._paths(local.as_uri()), part)
        self._files.delete(self._at(name), False)  # rename does not replace
        if not self._files.rename(part, self._at(name)):
            raise OSError(f"Cannot rename the checkpoint {part.toString()}.")

    def delete(self, name: str) -> None:
        self._files.delete(self._at(name), False)

    def _at(self, name: str) -> Any:
        return self._paths(self._root, name)
