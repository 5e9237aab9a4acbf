"""Damaged pictures among whole ones, in one job that is asked to go on."""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from picture_files import all_files, photo, saved, scene
from PIL import Image

from fuzz.mutations import damage_bytes
from fuzz.tally import TAKEN, Tally
from fuzz.trees import scratch_folder
from sparkdl.image import readImages

_WHOLE_EVERY = 10
_LARGEST_JOB = 5000  # files in one folder


def fuzz_images(spark: Any, inputs: int, seed: int) -> Tally:
    """Decode damaged files of every format; every tenth is whole and must come out unchanged."""
    tally = Tally("images")
    whole = [content for _, content in sorted(_files())]
    expected: dict[int, tuple[Any, ...]] = {}
    with scratch_folder() as folder:
        for i, content in enumerate(whole):
            (folder / f"{i}").write_bytes(content)
        for name, row in _rows(folder).items():
            expected[int(name)] = _picture(row)
            if row.error is not None:
                tally.fault(f"file {name} is whole, but: {row.error}")
        for start in range(0, inputs, _LARGEST_JOB):
            part = range(start, min(inputs, start + _LARGEST_JOB))
            _fuzz_part(folder / f"part-{start}", part, seed, whole, expected, tally)
    return tally.finish()


def _fuzz_part(
    folder: Path,
    part: range,
    seed: int,
    whole: list[bytes],
    expected: dict[int, tuple[Any, ...]],
    tally: Tally,
) -> None:
    folder.mkdir()
    names = {}
    for i in part:
        draw = random.Random(f"{seed}-image-{i}")
        chosen = draw.randrange(len(whole))
        is_whole = i % _WHOLE_EVERY == 0
        names[f"{i}"] = (chosen, is_whole)
        content = whole[chosen]
        data = content if is_whole else damage_bytes(draw, content, whole)
        (folder / f"{i}").write_bytes(data)
    rows = _rows(folder)
    if rows.keys() != names.keys():
        missing, more = names.keys() - rows.keys(), rows.keys() - names.keys()
        tally.fault(f"rows were lost: {sorted(missing)[:5]}, or came besides: {sorted(more)[:5]}")
    for name, row in rows.items():
        chosen, is_whole = names[name]
        if is_whole and _picture(row) != expected[chosen]:
            tally.fault(f"seed {seed}, image {name}: it is whole and has other pixels or an error")
        size = row.image.height * row.image.width * row.image.nChannels
        if row.error is None and len(row.image.data) != size:
            tally.fault(f"seed {seed}, image {name}: {len(row.image.data)} bytes for {size}")
        if row.error is not None and (not row.error.strip() or len(row.image.data)):
            tally.fault(f"seed {seed}, image {name}: pixels beside the reason, or an empty one")
        tally.outcomes["with a reason" if row.error else TAKEN] += 1
    shutil.rmtree(folder)


def _rows(folder: Path) -> dict[str, Any]:
    return {row.image.origin.rsplit("/", 1)[1]: row for row in readImages(folder).collect()}


def _picture(row: Any) -> tuple[Any, ...]:
    image = row.image
    return (row.error, image.height, image.width, image.nChannels, bytes(image.data))


def _files() -> Iterator[tuple[str, bytes]]:
    yield from ((name, content) for name, content, _ in all_files())
    rgba = Image.fromarray(scene())
    rgb, smooth = rgba.convert("RGB"), Image.fromarray(photo())
    for mode in ("L", "RGB", "CMYK"):
        yield f"jpeg-{mode}", saved(smooth.convert(mode), "JPEG", quality=85)
    yield "jpeg-progressive", saved(smooth, "JPEG", progressive=True)
    yield "jpeg-restarts", saved(smooth, "JPEG", restart_marker_rows=1)
    for mode in ("1", "L", "P", "LA", "RGB", "RGBA"):
        yield f"png-{mode}", saved(rgba.convert(mode), "PNG")
    deep = (scene()[..., 0].astype(np.uint16) << 8) + 77
    yield "png-16", saved(Image.fromarray(deep), "PNG")
    out = io.BytesIO()
    rgb.save(out, "PNG", optimize=True, dpi=(300, 300))
    yield "png-chunks", out.getvalue()
