#!/usr/bin/env python3
"""Measures image features on Spark, by hand and with sparkdl: images/s, start and memory.

    python benchmarks/images.py                            # ResNet50 and MobileNetV2, all modes
    python benchmarks/images.py --model InceptionV3 --modes ace --images DIR

See README.md beside this file for what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from imagebench import report
from imagebench.photos import links, picture_files, write_photos
from imagebench.process import run_module, run_task
from imagebench.task import MODES, Task

JVM_WARMUPS = 12
PYTHON_WARMUPS = 2


def arguments() -> argparse.Namespace:
    cores = os.cpu_count() or 1
    cache = Path(tempfile.gettempdir()) / f"sparkdl-benchmark-{os.getuid()}"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", action="append", help="repeatable; default ResNet50 and MobileNetV2")
    add("--images", type=Path, help="folder with JPEG files; default: 256 made from a seed")
    add("--limit", type=int, help="use only the first so many files")
    add("--repeat", type=int, default=5, help="timed passes (default 5)")
    add("--modes", default="abcdef", help="letters of the modes (default abcdef)")
    add("--batch", type=int, default=32, help="images per run in (a) to (d) (default 32)")
    add("--sparkdl-batch", type=int, default=0, help="the same in (e), (f); 0 = sparkdl's default")
    add("--slots", type=int, default=cores, help=f"task slots of Spark (default: cores, {cores})")
    add("--no-slots", action="store_true", help="skip the memory of (e) with 1 and 4 slots")
    add("--driver-memory", default="2g", help="heap of Spark's JVM in all modes (default 2g)")
    add("--budget", type=float, default=50, help="seconds of passes per mode (default 50)")
    add("--work", type=Path, default=cache, help=f"for images and weights (default {cache})")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    modes = [m for m in options.modes if m in MODES]
    machine = report.machine()
    if "f" in modes and "avx512_bf16" not in machine["features"]:
        modes.remove("f")
        print("(f) is left out: this CPU has no AVX512_BF16.")
    start = time.perf_counter()
    folder = images(options)
    paths = picture_files(folder)
    size = sum(os.path.getsize(p) for p in paths) / len(paths)
    print(f"{len(paths)} JPEG files of {size / 1e3:.0f} kB on average")
    measured, slots = {}, {}
    for model in options.model or ["ResNet50", "MobileNetV2"]:
        bench = Bench(options, model, folder)
        measured[model] = bench.compare(modes)
        if "e" in modes and not options.no_slots:
            slots[model] = bench.by_slots()
    minutes = (time.perf_counter() - start) / 60
    write(options, machine, measured, slots, f"{len(paths)} images, {minutes:.1f} minutes")


def images(options: argparse.Namespace) -> Path:
    """Return a folder with exactly the JPEG files to measure."""
    source = options.images
    if source is None:
        source = options.work / "photos-500x375"
        print("Images: 256 JPEG files of 500x375")
        write_photos(source, 256, 500, 375)
    folder = options.work / "images"
    links(picture_files(source)[: options.limit], folder)
    return folder


class Bench:
    """The modes on one model."""

    def __init__(self, options: argparse.Namespace, model: str, images: Path) -> None:
        self.options, self.model, self.images = options, model, images
        self.weights = options.work / model
        if not (self.weights / "size.json").exists():
            print(f"{model}: making weights from a seed")
            run_module("imagebench.export", model, str(self.weights))
        self.size = json.loads((self.weights / "size.json").read_text())
        self.folder = options.work / "runs" / model
        self.folder.mkdir(parents=True, exist_ok=True)

    def compare(self, modes: list[str]) -> dict[str, Any]:
        """Run the modes in turn."""
        results = {m: self._run(m, m, self.options.slots) for m in modes}
        report.add_ratios(results)
        report.add_differences(results, {m: self._features(m) for m in modes})
        return results

    def by_slots(self) -> dict[str, Any]:
        """Run (e) with one and with four task slots, for the memory."""
        return {str(n): self._run("e", f"e-{n}-slots", n, warmups=3, repeat=2) for n in (1, 4)}

    def _features(self, label: str) -> Path:
        return self.folder / f"{label}.npy"

    def _run(
        self,
        mode: str,
        label: str,
        slots: int,
        warmups: int | None = None,
        repeat: int | None = None,
    ) -> dict[str, Any]:
        o = self.options
        print(f"{self.model} ({label}) {MODES[mode]}", flush=True)
        jvm = mode in "ef"
        task = Task(
            mode=mode,
            model=self.model,
            bundle=str(self.weights / "bundle"),
            keras_file=str(self.weights / "model.keras"),
            size=self.size,
            images=str(self.images),
            batch=o.sparkdl_batch if jvm else o.batch,
            slots=slots,
            warmups=warmups or (JVM_WARMUPS if jvm else PYTHON_WARMUPS),
            repeat=repeat or o.repeat,
            budget=o.budget,
            driver_memory=o.driver_memory,
            features=str(self._features(label)),
        )
        result = run_task(task, self.folder, label, limit=4 * o.budget + 120)
        print(f"    {summary(result)}", flush=True)
        return result


def summary(result: dict[str, Any]) -> str:
    if "error" in result:
        return result["error"]
    best, middle = report.speeds(result)
    return (
        f"{best:.1f} images/s (median {middle:.1f}), "
        f"first result {result['seconds_to_first']:.1f} s, "
        f"peak memory {result['peak_bytes'] / 1e9:.2f} GB in {result['processes']} processes"
    )


def write(
    options: argparse.Namespace,
    machine: dict[str, Any],
    measured: dict[str, Any],
    slots: dict[str, Any],
    size: str,
) -> None:
    """Write table, JSON and chart, and print the table."""
    options.out.mkdir(parents=True, exist_ok=True)
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; {size}."
    tables = [report.table(model, results) for model, results in measured.items()]
    tables += [report.slots_table(model, results) for model, results in slots.items()]
    text = "\n".join([where, "", *tables])
    (options.out / "images.md").write_text(text)
    content = {"machine": machine, "models": measured, "slots": slots}
    (options.out / "images.json").write_text(json.dumps(content, indent=1))
    if not report.chart(options.out / "images.png", measured):
        print("No chart: matplotlib is not installed.")
    print(f"\n{text}\nWritten to {options.out}")


if __name__ == "__main__":
    main()
