"""Paths and URIs: the table that Scala's PlaceSuite has, too, and what Python adds to it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT

from sparkdl._places import remote_files
from sparkdl._places.places import Place, local_copy, path_text, place_of
from sparkdl._places.temporary_folders import new_folder
from sparkdl.errors import SettingsException, SparkDLException

TABLE = CHECKOUT / "src" / "test" / "resources" / "places.json"


@pytest.mark.parametrize(
    "case", json.loads(TABLE.read_text(encoding="utf-8")), ids=lambda c: c["text"] or "nothing"
)
def test_a_text_is_taken_for_what_it_is(
    case: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "error" in case:
        with pytest.raises(SettingsException) as e:
            place_of(case["text"])
        assert str(e.value) == f"Cannot use '{case['text']}' as a path: {case['error']}."
    elif "local" in case:
        home = os.path.expanduser("~")
        expected = case["local"].replace("{folder}", str(tmp_path)).replace("{home}", home)
        assert str(place_of(case["text"]).local) == expected
    else:
        place = place_of(case["text"])
        assert place.local is None
        assert place.name == case["remote"].rpartition("/")[2]


def test_a_path_made_of_a_file_uri_is_mended_and_one_of_another_scheme_refused() -> None:
    assert place_of(Path("file:///a/m")).local == Path("/a/m")
    assert place_of(Path("file://localhost/a/m")).local == Path("/a/m")
    with pytest.raises(SettingsException, match=r'Give the address as text: "hdfs://\.\.\."'):
        path_text(Path("hdfs://host/m"))


def test_a_uri_is_taken_as_it_is_written_where_there_is_such_a_file(tmp_path: Path) -> None:
    def local() -> Path | None:
        return place_of(f"file://{tmp_path}/a%20b/m").local

    assert local() == tmp_path / "a b" / "m"
    (tmp_path / "a%20b").mkdir()
    assert local() == tmp_path / "a%20b" / "m", "its folder is there as it is written"
    (tmp_path / "a b").mkdir()
    assert local() == tmp_path / "a b" / "m"
    (tmp_path / "a%20b" / "m").touch()
    assert local() == tmp_path / "a%20b" / "m"


def test_without_a_session_other_file_systems_are_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_files, "is_reachable", lambda: False)
    with pytest.raises(SettingsException, match="'hdfs://h/m' is not on this mach"):
        local_copy("hdfs://h/m")
    assert local_copy("/no/such/file") is None


def _fail_halfway(place: Place, write: Callable[[Path, str], None]) -> None:
    with place.writing() as made:
        write(made, "three")
        raise OSError("full")


@pytest.mark.parametrize("is_folder", [False, True])
def test_what_is_written_comes_to_its_place_as_a_whole_or_not_at_all(
    is_folder: bool, tmp_path: Path
) -> None:
    def write(path: Path, text: str) -> None:
        if is_folder:
            path.mkdir()
            path = path / "file"
        path.write_text(text)

    place = place_of(tmp_path / "made")
    for text in ("one", "two"):
        with place.writing() as made:
            write(made, text)
    found = tmp_path / "made" / "file" if is_folder else tmp_path / "made"
    with pytest.raises(OSError, match="full"):
        _fail_halfway(place, write)
    assert found.read_text() == "two"
    assert os.listdir(tmp_path) == ["made"], "nothing is left of the writing"


def test_places_in_folders(tmp_path: Path) -> None:
    place: Any = place_of(tmp_path)
    assert (place.names(), (place / "none").names()) == ([], None)
    (tmp_path / "b").touch()
    (tmp_path / "a").touch()
    assert place.names() == ["a", "b"]
    assert (place / "a").beside("b").local == tmp_path / "b"
    (place / "a").delete()
    (place / "a").delete()
    assert place.names() == ["b"]


def test_a_disk_that_fills_up_is_named_with_the_way_out_and_nothing_of_it_stays(
    tmp_path: Path,
) -> None:
    def written(folder: Path, error: int) -> None:
        with place_of(folder / "model").writing() as new:
            new.write_bytes(b"half")
            raise OSError(error, os.strerror(error))

    full = f"Cannot write to '{tmp_path}': No space left on device. .* choose a folder on a larger"
    with pytest.raises(SparkDLException, match=full):
        written(tmp_path, errno.ENOSPC)
    with pytest.raises(SparkDLException, match="quota exceeded.* set the environment variable TMP"):
        written(new_folder("full"), errno.EDQUOT)
    with pytest.raises(PermissionError):
        written(tmp_path, errno.EACCES)
    assert not list(tmp_path.iterdir())
