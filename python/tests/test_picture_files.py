"""Pictures of every kind against Pillow, on files made here, and what becomes of broken ones."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from fuzz.mutations import damage_bytes
from picture_files import (
    Array,
    all_files,
    large_webp_files,
    pillow_pixels,
    saved,
    scene,
)
from PIL import Image

from sparkdl.image import ImageSchema, imageIO, readImages

KINDS = {name: (content, limit) for name, content, limit in all_files()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kinds")
    for name, (content, _) in KINDS.items():
        (root / name).write_bytes(content)
    return root


def rows_by_name(folder: Path) -> dict[str, Any]:
    return {row.image.origin.rsplit("/", 1)[1]: row for row in readImages(folder).collect()}


def rgb_of(row: Any) -> Array:
    pixels = ImageSchema.toNDArray(row.image)
    return pixels[..., [[0], [], [2, 1, 0], [2, 1, 0, 3]][row.image.nChannels - 1]]


def difference(name: str, row: Any) -> str | None:
    """Return how far the row is from what Pillow sees, or None if that is within the limit."""
    content, limit = KINDS[name]
    if row.error is not None:
        return f"{name}: {row.error}"
    ours, theirs = rgb_of(row), pillow_pixels(content)
    if ours.shape != theirs.shape:
        return f"{name}: {ours.shape}, Pillow {theirs.shape}"
    levels = np.abs(ours.astype(int) - theirs)
    return f"{name}: by {levels.max()} levels" if levels.max() > limit else None


def test_every_kind_has_the_pixels_that_pillow_sees(spark: Any, folder: Path) -> None:
    rows = rows_by_name(folder)
    assert rows.keys() == KINDS.keys()
    wrong = [w for name, row in rows.items() if (w := difference(name, row))]
    assert not wrong, "\n".join(wrong)


def test_large_webp_photos_equal_those_of_libwebp(spark: Any, tmp_path: Path) -> None:
    files = dict(large_webp_files())
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    rows = rows_by_name(tmp_path)
    for name, content in files.items():
        np.testing.assert_array_equal(rgb_of(rows[name]), pillow_pixels(content), err_msg=name)


def test_half_a_file_is_refused_with_a_reason_that_says_so(spark: Any, tmp_path: Path) -> None:
    first = ("gif-animated", "tiff-pages", "webp-animated", "webp-small")  # is whole in the half
    for name, (content, _) in KINDS.items():
        if not name.startswith(first):
            (tmp_path / name).write_bytes(content[: len(content) // 2])
    rows = rows_by_name(tmp_path)
    wrong = [
        f"{name}: {row.error}"
        for name, row in rows.items()
        if row.error is None or "truncated" not in row.error
    ]
    assert not wrong, "\n".join(wrong)


def test_damaged_files_have_a_reason_or_pixels_and_never_stop_the_job(
    spark: Any, tmp_path: Path
) -> None:
    cases = int(os.environ.get("SPARKDL_FUZZ_CASES", "0")) or 12
    for name, (content, _) in KINDS.items():
        for i in range(cases):
            (tmp_path / f"{name}-{i}").write_bytes(
                damage_bytes(random.Random(f"{name}-{i}"), content)
            )
    (tmp_path / "whole").write_bytes(KINDS["webp-lossless"][0])
    rows = rows_by_name(tmp_path)
    assert len(rows) == len(KINDS) * cases + 1
    for row in rows.values():
        size = row.image.height * row.image.width * row.image.nChannels
        assert len(row.image.data) == size if row.error is None else row.error
    np.testing.assert_array_equal(rgb_of(rows["whole"]), pillow_pixels(KINDS["webp-lossless"][0]))


def test_the_limit_of_pixels_holds_for_every_kind(spark: Any, folder: Path) -> None:
    spark.conf.set("spark.sparkdl.image.maxPixels", "90")
    try:
        rows = rows_by_name(folder)
    finally:
        spark.conf.unset("spark.sparkdl.image.maxPixels")
    allowed = [name for name, row in rows.items() if row.error is None]
    assert allowed == ["webp-odd"]
    assert all("maxPixels allows" in r.error for n, r in rows.items() if n != "webp-odd")


@pytest.mark.parametrize(
    ("ending", "format", "kind"), [("avif", "AVIF", "an AVIF"), ("heic", "HEIF", "a HEIC")]
)
def test_what_the_jvm_cannot_decode_is_refused_with_a_line_that_reads_it(
    ending: str, format: str, kind: str, spark: Any, tmp_path: Path
) -> None:
    pillow_heif.register_heif_opener()  # for writing
    pixels = Image.fromarray(scene()).convert("RGB")
    (tmp_path / f"picture.{ending}").write_bytes(saved(pixels, format, quality=100))
    (row,) = readImages(tmp_path).collect()
    assert row.error.startswith(f"the bytes are {kind} image, which nothing on the JVM decodes;")
    (line,) = re.findall(r"read it in Python with .*?: (.*) \(its functions", row.error)
    frame = eval(line, {**vars(imageIO), "path": str(tmp_path), "pillow_heif": pillow_heif})
    (read,) = frame.collect()
    levels = np.abs(imageIO.imageStructToArray(read.image)[..., ::-1].astype(int) - pixels)
    assert levels.mean() < 10
