#!/usr/bin/env python3
"""Measures TensorFrames' operations beside Spark's own ways, NumPy and pandas_udf.

    python benchmarks/blocks.py
    python benchmarks/blocks.py --works kmeans --rows 200000 --repeat 9

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

from blockbench.task import BASE, OURS, WORKS, Task
from imagebench import report
from imagebench.process import run_task

ROWS = {"kmeans": 1_000_000, "elementwise": 10_000_000, "aggregate": 5_000_000}
TITLES = {
    "kmeans": "K-means: million points and rounds per second",
    "elementwise": "3 x^2 + sin(x) + 1: million rows per second",
    "aggregate": "Sum and minimum by 100,000 keys: million rows per second",
}


def arguments() -> argparse.Namespace:
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--works", default=",".join(WORKS), help="separated by commas (default: all)")
    add("--rows", type=int, default=0, help="default 1, 10 and 5 million")
    add("--iterations", type=int, default=10, help="rounds of K-means in a pass (default 10)")
    add("--warmups", type=int, default=3, help="passes before (default 3)")
    add("--repeat", type=int, default=7, help="timed passes (default 7)")
    add("--slots", type=int, default=cores, help=f"task slots of Spark (default: cores, {cores})")
    add("--driver-memory", default="4g", help="heap of Spark's JVM (default 4g)")
    add("--budget", type=float, default=60, help="seconds of passes per way (default 60)")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    machine = report.machine()
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="sparkdl-benchmark-") as folder:
        for work in options.works.split(","):
            results[work] = {way: run(options, Path(folder), work, way) for way in WORKS[work]}
    write(options, machine, results)


def run(options: argparse.Namespace, folder: Path, work: str, way: str) -> dict[str, Any]:
    """Run one way and say how fast it was."""
    print(f"{work}: {WORKS[work][way][0]}", flush=True)
    task = Task(
        work=work,
        way=way,
        folder=str(folder),
        rows=options.rows or ROWS[work],
        iterations=options.iterations,
        slots=options.slots,
        warmups=options.warmups,
        repeat=options.repeat,
        budget=options.budget,
        driver_memory=options.driver_memory,
    )
    limit = 6 * options.budget + 120
    result = run_task(task, folder, f"{work}-{way}", limit, runner="blockbench.run_way")
    if "error" not in result:
        done = task.rows * (options.iterations if work == "kmeans" else 1)
        result.update(
            rows=task.rows,
            best=done / min(result["seconds"]),
            median=done / median(result["seconds"]),
        )
    print(
        f"    {result.get('error') or format(result['best'], ',.0f') + ' per second'}", flush=True
    )
    return result


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the tables in Markdown."""
    lines: list[str] = []
    for work, ways in results.items():
        base = ways.get(BASE[work], {})
        lines += [f"### {TITLES[work]}", ""]
        lines += [
            f"| way | best | median | x {WORKS[work][BASE[work]][0]} (best) | passes: CPU s "
            "| peak memory (GB) | largest difference | feed, run, read: ns/row |",
            "|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        lines += [f"| {WORKS[work][way][0]} | {cells(r, base)} |" for way, r in ways.items()]
        lines.append("")
    return "\n".join(lines)


def cells(result: dict[str, Any], base: dict[str, Any]) -> str:
    """Return the cells of a line behind its name."""
    if "error" in result:
        return f"{result['error']} | | | | | |"
    times = result.get("nanoseconds_per_row", {})
    return " | ".join(
        [
            f"{result['best'] / 1e6:.2f}",
            f"{result['median'] / 1e6:.2f}",
            f"{result['best'] / base['best']:.2f}" if "best" in base else "",
            f"{result['cpu_seconds_per_pass']:.2f}",
            f"{result['peak_bytes'] / 1e9:.2f}",
            "" if result["difference"] is None else f"{result['difference']:.1e}",
            ", ".join(f"{v:.0f}" for v in times.values()),
        ]
    )


def write(
    options: argparse.Namespace, machine: dict[str, Any], results: dict[str, dict[str, Any]]
) -> None:
    """Write table, JSON and chart, and print the table."""
    options.out.mkdir(parents=True, exist_ok=True)
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    text = f"{where}.\n\n{table(results)}"
    (options.out / "blocks.md").write_text(text)
    content = {"machine": machine, "iterations": options.iterations, "results": results}
    (options.out / "blocks.json").write_text(json.dumps(content, indent=1))
    panels = {}
    for work, ways in results.items():
        good = {way: r["best"] / 1e6 for way, r in ways.items() if "error" not in r}
        bars = {WORKS[work][way][0]: value for way, value in good.items()}
        panels[TITLES[work]] = (bars, [way in OURS for way in good])
    if not report.bars(options.out / "blocks.png", panels, "{:,.2f}"):
        print("No chart: matplotlib is not installed.")
    print(f"\n{text}\nWritten to {options.out}")


if __name__ == "__main__":
    main()
