#!/usr/bin/env python3
"""Measures a small Keras model on many rows, on Spark by hand and with sparkdl: rows/s.

    python benchmarks/tensors.py
    python benchmarks/tensors.py --rows 200000 --modes aef --repeat 9

See README.md beside this file for what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from imagebench import report
from imagebench.process import run_module, run_task
from tensorbench.task import COLUMNS, MODES, Task

WARMUPS = {"a": 2, "b": 2, "c": 1, "d": 1, "e": 6, "f": 6}  # the JVM goes on compiling
PYTHON_BATCH = 16384  # the fastest for (a); larger and smaller ones are slower


def arguments() -> argparse.Namespace:
    cores = os.cpu_count() or 1
    cache = Path(tempfile.gettempdir()) / f"sparkdl-benchmark-{os.getuid()}"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--rows", type=int, default=2_000_000, help="default 2000000")
    add("--repeat", type=int, default=5, help="timed passes; of (a), (e), (f) 4 times as many")
    add("--modes", default="abcdef", help="letters of the modes (default abcdef)")
    add("--batch", type=int, default=PYTHON_BATCH, help=f"of (a) to (d) (default {PYTHON_BATCH})")
    add("--sparkdl-batch", type=int, default=0, help="of (e), (f); 0 = sparkdl's default")
    add("--slots", type=int, default=cores, help=f"task slots of Spark (default: cores, {cores})")
    add("--driver-memory", default="2g", help="heap of Spark's JVM (default 2g)")
    add("--budget", type=float, default=60, help="seconds of passes per mode (default 60)")
    add("--work", type=Path, default=cache, help=f"for rows and model (default {cache})")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    machine = report.machine()
    folder = options.work / f"rows-{options.rows}"
    if not (folder / "rows.npy").exists():
        print(f"Making {options.rows} rows and the model")
        run_module("tensorbench.make", str(folder), str(options.rows))
    modes = [m for m in options.modes if m in MODES]
    results = {}
    for column in COLUMNS:
        for mode in modes:
            if mode in "ab" and column == "v":
                continue  # the array is the same
            results[f"{mode} {column}"] = run(options, folder, mode, column)
    write(options, machine, results)


def run(options: argparse.Namespace, folder: Path, mode: str, column: str) -> dict[str, Any]:
    """Run one mode and say how fast it was."""
    label = f"{mode}-{column}"
    print(f"({mode}) {MODES[mode]}, {COLUMNS[column]}", flush=True)
    task = Task(
        mode=mode,
        column=column,
        folder=str(folder),
        rows=options.rows,
        batch=options.sparkdl_batch if mode in "ef" else options.batch,
        slots=options.slots,
        warmups=WARMUPS[mode],
        repeat=options.repeat * (4 if mode in "aef" else 1),  # of half a second each
        budget=options.budget,
        driver_memory=options.driver_memory,
    )
    limit = 6 * options.budget + 120
    result = run_task(task, folder, label, limit, runner="tensorbench.run_mode")
    if "error" not in result:
        result["best"] = result["rows"] / min(result["seconds"])
        result["median"] = result["rows"] / median(result["seconds"])
    print(f"    {result.get('error') or format(result['best'], ',.0f') + ' rows/s'}", flush=True)
    return result


def table(results: dict[str, Any]) -> str:
    """Return the table in Markdown."""
    lines = [
        "| mode | column | rows/s best | median | x (a) | x (c) | CPU us/row "
        "| peak memory (GB) | largest difference from (a) |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for key, r in results.items():
        mode, column = key.split()
        start = f"| ({mode}) {MODES[mode]} | {'NumPy' if mode in 'ab' else COLUMNS[column]} | "
        if "error" in r:
            lines.append(f"{start}{r['error']} | | | | | | |")
            continue
        others = [results.get("a x"), results.get(f"c {column}")]
        cells = [
            f"{r['best']:,.0f}",
            f"{r['median']:,.0f}",
            *(f"{r['best'] / o['best']:.2f}" if o and "best" in o else "" for o in others),
            f"{r['cpu_seconds_per_pass'] / r['rows'] * 1e6:.2f}",
            f"{r['peak_bytes'] / 1e9:.2f}",
            "" if r["largest_difference"] is None else f"{r['largest_difference']:.1e}",
        ]
        lines.append(start + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def name(key: str) -> str:
    """Return what a bar of the chart is called."""
    mode, column = key.split()
    where = "" if mode in "ab" else f", {COLUMNS[column]}"
    return f"({mode}) {MODES[mode].replace(', no Spark', '')}{where}"


def write(options: argparse.Namespace, machine: dict[str, Any], results: dict[str, Any]) -> None:
    """Write table, JSON and chart, and print the table."""
    options.out.mkdir(parents=True, exist_ok=True)
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    text = f"{where}; {options.rows:,} rows, MLP of 10-64-64-1.\n\n{table(results)}"
    (options.out / "tensors.md").write_text(text)
    content = {"machine": machine, "rows": options.rows, "results": results}
    (options.out / "tensors.json").write_text(json.dumps(content, indent=1))
    good = {k: r["best"] for k, r in results.items() if "error" not in r}
    bars = {name(key): value for key, value in good.items()}
    coloured = [k[0] in "ef" for k in good]
    title = "MLP 10-64-64-1: rows per second (warm, best)"
    if not report.bars(options.out / "tensors.png", {title: (bars, coloured)}):
        print("No chart: matplotlib is not installed.")
    print(f"\n{text}\nWritten to {options.out}")


if __name__ == "__main__":
    main()
