#!/usr/bin/env python3
"""Measures how a 12-megapixel photo becomes the 224x224 pixels that a model takes.

    python benchmarks/large_photos.py [--images DIR] [--repeat 5]

libjpeg can decode at 1/2, 1/4 or 1/8 of the size, for less work. sparkdl does so with area
averaging as long as at least twice the model's size is left. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from imagebench import report
from imagebench.photos import converted, links, picture_files, write_photos
from imagebench.process import run_module, run_task
from imagebench.task import Task

SIZE = 224
WAYS = {
    "tensorflow": "TensorFlow in Python, full size, area",
    "pillow": "Pillow, full size, BOX",
    "structs": "sparkdl readImages, full size in rows, area",
    "full": "sparkdl, full size, bilinear (SCALE_DEFAULT)",
    "scaled": "sparkdl, 1/4 while decoding, area (default)",
    "pillow_webp": "Pillow, lossy WebP, BOX",
    "webp": "sparkdl, lossy WebP, area (default)",
    "pillow_tiff": "Pillow, TIFF (LZW), BOX",
    "tiff": "sparkdl, TIFF (LZW), area (default)",
}
FORMATS = {"webp": (".webp", {"quality": 90}), "tiff": (".tif", {"compression": "tiff_lzw"})}


def arguments() -> argparse.Namespace:
    cache = Path(tempfile.gettempdir()) / f"sparkdl-benchmark-{os.getuid()}"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--images", type=Path, help="folder with JPEG files; default: 16 of 4000x3000 from seeds")
    add("--repeat", type=int, default=5, help="timed passes (default 5)")
    add("--budget", type=float, default=40, help="seconds of passes per way (default 40)")
    add("--driver-memory", default="2g", help="heap of Spark's JVM (default 2g)")
    add("--work", type=Path, default=cache, help=f"for images and results (default {cache})")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    source = options.images
    if source is None:
        source = options.work / "photos-4000x3000"
        print("Images: 16 JPEG files of 4000x3000", flush=True)
        write_photos(source, 16, 4000, 3000)
    large = options.work / "large"
    links(picture_files(source), large)
    for kind, (suffix, settings) in FORMATS.items():
        converted(picture_files(large), options.work / f"large-{kind}", suffix, **settings)
    bundle = options.work / "pixels"
    run_module("imagebench.large", str(bundle), str(SIZE))
    folder = options.work / "runs" / "large"
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for way, name in WAYS.items():
        print(name, flush=True)
        task = make_task(options, way, bundle, folder)
        results[way] = run_task(task, folder, way, limit=6 * options.budget)
    pixels = {w: np.load(folder / f"{w}.npy") for w, r in results.items() if "error" not in r}
    write(options.out, results, pixels)


def folder_of(options: argparse.Namespace, way: str) -> Path:
    kind = way.removeprefix("pillow_")
    return options.work / (f"large-{kind}" if kind in FORMATS else "large")


def make_task(options: argparse.Namespace, way: str, bundle: Path, folder: Path) -> Task:
    return Task(
        mode=way,
        model="pixels",
        bundle=str(bundle),
        keras_file="",
        size=SIZE,
        images=str(folder_of(options, way)),
        batch=4,
        slots=1,
        warmups=8,
        repeat=options.repeat,
        budget=options.budget,
        driver_memory=options.driver_memory,
        features=str(folder / f"{way}.npy"),
    )


def write(out: Path, results: dict[str, Any], pixels: dict[str, np.ndarray]) -> None:
    """Write table and JSON, and print the table."""
    lines = [
        "| one thread | ms per photo | CPU ms per photo | peak memory (GB) "
        "| mean difference from the first, levels of 255 |",
        "|---|--:|--:|--:|--:|",
    ]
    for way, r in results.items():
        if "error" in r:
            lines.append(f"| {WAYS[way]} | {r['error']} | | | |")
            continue
        difference = float(np.abs(pixels[way] - next(iter(pixels.values()))).mean())
        r["milliseconds"] = 1e3 / report.speeds(r)[0]
        r["mean_difference"] = difference
        lines.append(
            f"| {WAYS[way]} | {r['milliseconds']:.0f} "
            f"| {r['cpu_seconds_per_pass'] / r['images'] * 1e3:.0f} "
            f"| {r['peak_bytes'] / 1e9:.2f} | {difference:.2f} |"
        )
    text = "\n".join([*lines, ""])
    out.mkdir(parents=True, exist_ok=True)
    (out / "large_photos.md").write_text(text)
    content = {"machine": report.machine(), "ways": results}
    (out / "large_photos.json").write_text(json.dumps(content, indent=1))
    print(f"\n{text}\nWritten to {out}")


if __name__ == "__main__":
    main()
