"""What is made for a moment goes, also when it could not be removed at once."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from sparkdl._places.held_folders import hold_new, remove_unused
from sparkdl._places.temporary_folders import new_folder, process_folder, scratch_folder


def test_a_folder_that_could_not_be_removed_goes_after_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as locked:
        locked.setattr(shutil, "rmtree", lambda *_, **__: None)
        with scratch_folder() as first:
            (first / "file").write_text("x")
    assert (first / "file").exists()
    with scratch_folder() as second:
        pass
    assert not first.exists()
    assert not second.exists()


def test_what_nobody_holds_and_could_not_be_removed_goes_with_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def drop_one() -> Path:
        folder = new_folder("held")
        hold_new(folder)  # nobody has the path
        remove_unused()
        return folder

    with monkeypatch.context() as locked:
        locked.setattr(shutil, "rmtree", lambda *_, **__: None)
        first = drop_one()
        assert first.exists()
    drop_one()
    assert not first.exists()


def test_a_program_that_cannot_be_written_leaves_no_file() -> None:
    from sparkdl.tensorframes._program import _write_for_jvm

    class Graph:
        def SerializeToString(self, **_: Any) -> bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = set(Path(process_folder()).iterdir())
    with pytest.raises(OSError, match="No space left"):
        _write_for_jvm(Graph())
    assert set(Path(process_folder()).iterdir()) == before
