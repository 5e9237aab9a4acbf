"""Places that a user names by a path or a URI, for everything that takes or makes a file.

The rules are those of `org.sparkdl.files.Place` in Scala, and docs/paths.md has them.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import unquote

from sparkdl._places import remote_files as remote
from sparkdl._places.full_disks import naming_full_disks
from sparkdl._places.temporary_folders import process_folder
from sparkdl.errors import SettingsException

PathOrUri = str | os.PathLike[str]

_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/", re.DOTALL)
_PATHLIB_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/(?!/)")
_FILE = re.compile(r"file:(?://(?P<host>[^/]*))?(?P<path>/.*)?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A place of one of Hadoop's file systems.

    Attributes
    ----------
    text : str
        What the user wrote.
    local : Path or None
        The absolute path on this machine; None if it is on another file system.
    """

    text: str
    local: Path | None

    def __str__(self) -> str:
        return self.text if self.local is None else str(self.local)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return unquote(_last(self.text)) if self.local is None else self.local.name

    def fetch(self) -> Path | None:
        """Return the local path of what is there, or of a copy; None if nothing is there.

        A copy is made once for the same sizes and times of the files. It is to be read soon: later
        ones may take its place, unless somebody holds it (`held_folders.holding_copy`). A path
        without a scheme that is not on this machine is looked for on Spark's default file system.
        """
        if self.local is not None and self.local.exists():
            return self.local
        if self.local is not None and not (_is_plain(self.text) and remote.is_reachable()):
            return None
        return remote.fetch(self.text)

    def names(self) -> list[str] | None:
        """Return the names of what is in the folder, in order; None if nothing is there."""
        if self.local is None:
            return remote.names(self.text)
        if not self.local.exists():
            return None
        return sorted(os.listdir(self.local)) if self.local.is_dir() else [self.local.name]

    def delete(self) -> None:
        """Delete a file if it is there."""
        if self.local is None:
            remote.delete(self.text)
        else:
            self.local.unlink(missing_ok=True)

    def __truediv__(self, name: str) -> Place:
        return place_of(f"{self.text.rstrip('/')}/{name}")

    def beside(self, name: str) -> Place:
        """Return the place of another name in the same folder."""
        folder = self.text.rstrip("/").rpartition("/")
        return place_of(f"{folder[0]}{folder[1]}{name}")

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Yield a local path for a new file or folder, which goes to its place when it is whole.

        What is there is replaced. After an error everything is as it was.

        Raises
        ------
        SparkDLException
            The disk is full.
        """
        if self.local is not None:
            self.local.parent.mkdir(parents=True, exist_ok=True)
        beside = process_folder() if self.local is None else self.local.parent
        with naming_full_disks(beside):
            scratch = Path(tempfile.mkdtemp(prefix=f".{self.name}.", dir=beside))
            try:
                new = scratch / self.name
                yield new
                if self.local is None:
                    remote.store(new, self.text)
                else:
                    _replace(new, self.local, scratch / "old")
            finally:
                shutil.rmtree(scratch, ignore_errors=True)


def place_of(path: PathOrUri) -> Place:
    """Return the place that a user names.

    Raises
    ------
    SettingsException
        It is not a path: a URI of files on another machine, or one that lost a slash.

    Examples
    --------
    >>> place_of("file:///models/a%20b").local, place_of("s3a://bucket/m").local
    (PosixPath('/models/a b'), None)
    """
    text = path_text(path)
    if text.lower().startswith("file:"):
        return Place(text, _path_of_file_uri(text))
    if not _is_plain(text):
        return Place(text, None)
    return Place(text, Path(_expand(text)).absolute())


def path_text(path: PathOrUri) -> str:
    """Return a path or URI as text.

    Raises
    ------
    SettingsException
        It is a `pathlib.Path` made from a URI, which has lost a slash.
    """
    text = os.fspath(path)
    if not text:
        raise _refusal(text, "it is empty")
    if not isinstance(path, PurePath):
        return text
    uri = _PATHLIB_URI.match(text)
    if not uri or text.startswith("file:/"):
        # pathlib makes file:/localhost/a of file://localhost/a
        return re.sub("^file:/localhost/", "file://localhost/", text)
    scheme = uri[1]
    raise _refusal(
        text,
        f"pathlib.Path has made one slash of the two behind {scheme}:. Give the address as text: "
        f'"{scheme}://..."',
    )


def local_copy(path: PathOrUri) -> Path | None:
    """Return the local path of what a user names, or of a copy; None if nothing is there."""
    return place_of(path).fetch()


def _is_plain(text: str) -> bool:
    return not _URI.match(text) and not text.lower().startswith("file:")


def _path_of_file_uri(text: str) -> Path:
    match = _FILE.fullmatch(text)
    host = match["host"] if match else None
    if host not in (None, "", "localhost"):
        raise _refusal(
            text,
            f"it names the host '{host}', and file: is for this machine: expected "
            "file:///folder/file",
        )
    if match is None or match["path"] is None:
        raise _refusal(text, "after file: there must be an absolute path: file:///folder/file")
    as_written, decoded = Path(match["path"]), Path(unquote(match["path"]))
    use_as_written = as_written.exists() or _depth(as_written) > _depth(decoded)
    return as_written if use_as_written else decoded


def _depth(path: Path) -> int:
    """Return how many folders on the way to a path exist."""
    return next(len(p.parts) for p in (path, *path.parents) if p.exists())


def _expand(text: str) -> str:
    first = text.partition("/")[0]
    if first == "~":
        return os.path.expanduser(text)
    if first.startswith("~") and first != text and not os.path.exists(first):
        raise _refusal(text, f"the home directory of '{first[1:]}' is not looked up: give its path")
    return text


def _last(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2]


def _replace(new: Path, target: Path, old: Path) -> None:
    """Put `new` in the place of `target`, which a rename cannot do to a folder that has files."""
    if not target.is_dir():
        os.replace(new, target)
        return
    os.rename(target, old)
    try:
        os.replace(new, target)
    except OSError:
        os.rename(old, target)
        raise


def _refusal(text: str, why: str) -> SettingsException:
    return SettingsException(f"Cannot use '{text}' as a path: {why}.")
