"""Damaged heaps of HDF5 files, through which the library itself goes for ever."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import h5py
import pytest

import sparkdl
from sparkdl._models.files.hdf5_heaps import check_heaps
from sparkdl.errors import InvalidModelException

HEAP = b"GCOL"


def hdf5() -> bytes:
    """A file with texts, which are in a heap."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for i in range(5):
            file.attrs[f"text {i}"] = "x" * i * 10
        file.attrs["model_config"] = "{}"
    return content.getvalue()


def damaged(number: int, length: int) -> bytes:
    """The same with another header of the heap's first object."""
    content = bytearray(hdf5())
    struct.pack_into("<HHIQ", content, content.index(HEAP) + 16, number, 0, 0, length)
    return bytes(content)


@pytest.mark.parametrize(("number", "length"), [(0, 0), (1, 2**64 - 16), (1, 2**64 - 1)])
def test_a_heap_without_an_end_is_refused(tmp_path: Path, number: int, length: int) -> None:
    file = tmp_path / "model.h5"
    file.write_bytes(damaged(number, length))
    with pytest.raises(InvalidModelException, match="heap at byte .* have no end. Save it again"):
        sparkdl.save_bundle(file, tmp_path / "bundle")


def test_a_file_of_weights_in_a_zip_of_keras_is_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("config.json", "metadata.json"):
            archive.writestr(name, "{}")
        archive.writestr("model.weights.h5", damaged(0, 0))
    with pytest.raises(InvalidModelException, match="have no end"):
        sparkdl.save_bundle(file, tmp_path / "bundle")


def test_whole_heaps_and_what_only_looks_like_one_are_taken(tmp_path: Path) -> None:
    for i, content in enumerate((hdf5(), b"", HEAP, b"GCOL\1\0\0\0", b"x" * 100 + HEAP * 10)):
        (tmp_path / f"{i}").write_bytes(content)
        check_heaps(tmp_path / f"{i}")
