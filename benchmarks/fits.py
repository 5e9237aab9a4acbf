#!/usr/bin/env python3
"""Measures how long small fits take: the first of a session, later ones, a grid, many rows.

And how many steps a second are taken on sequences of unequal length.

    python benchmarks/fits.py

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
from imagebench.process import run_task
from trainbench.fits import FITS, FitsTask
from trainbench.sequences import BATCH, LONGEST, ROWS, SHORTEST, WAYS


def arguments() -> argparse.Namespace:
    cores = os.cpu_count() or 1
    cache = Path(tempfile.gettempdir()) / f"sparkdl-benchmark-{os.getuid()}"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--repeat", type=int, default=3, help="sessions, each in its own process (default 3)")
    add("--only", choices=("fits", "sequences"), help="default: both")
    add("--cores", type=int, default=cores, help=f"and workers; default: all ({cores})")
    add("--driver-memory", default="2g", help="heap of Spark's JVM (default 2g)")
    add("--limit", type=float, default=600, help="seconds of one session (default 600)")
    add("--work", type=Path, default=cache, help=f"for logs (default {cache})")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def sessions(options: argparse.Namespace, what: str) -> list[dict[str, Any]]:
    """Return the seconds of each fit, or of the epochs of each way, in each session."""
    options.work.mkdir(parents=True, exist_ok=True)
    task = FitsTask(options.cores, options.driver_memory)
    found = []
    for number in range(options.repeat):
        label, module = f"{what}-{number}", f"trainbench.{what}"
        one = run_task(task, options.work, label, options.limit, module)
        if "error" in one:
            raise SystemExit(f"{one['error']} ({one['log']})")
        found.append(one["seconds"])
    return found


def table(found: list[dict[str, float]]) -> str:
    """Return the table in Markdown: the fastest session of each, since others only disturb."""
    least = {name: min(one[name] for one in found) for name in FITS}
    lines = ["| | seconds, best | most | x the second fit |", "|---|--:|--:|--:|"]
    for name, title in FITS.items():
        most = max(one[name] for one in found)
        ratio = least[name] / least["second"]
        lines.append(f"| {title} | {least[name]:.1f} | {most:.1f} | {ratio:.1f} |")
    return "\n".join([*lines, ""])


def table_of_sequences(found: list[dict[str, list[float]]]) -> str:
    """Return the table of steps per second in Markdown, of the fastest epoch and the median."""
    steps = ROWS // BATCH
    speeds = {way: sorted(steps / s for one in found for s in one[way]) for way in WAYS}
    title = f"sequences of {SHORTEST} to {LONGEST} steps"
    lines = [f"| {title} | steps/s, best | median | x the first |", "|---|--:|--:|--:|"]
    for way, name in WAYS.items():
        ratio = median(speeds[way]) / median(speeds["mixed"])
        best = f"{speeds[way][-1]:.1f} | {median(speeds[way]):.1f}"
        lines.append(f"| {name} | {best} | {ratio:.2f} |")
    return "\n".join([*lines, ""])


def write(options: argparse.Namespace, what: str, found: list[dict[str, Any]], text: str) -> None:
    """Write and print a table, and write its JSON."""
    machine: dict[str, Any] = report.machine()
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    text = f"{where}; {options.cores} workers, {len(found)} session(s).\n\n{text}"
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{what}.md").write_text(text)
    content = {"machine": machine, "sessions": found}
    (options.out / f"{what}.json").write_text(json.dumps(content, indent=1))
    print(f"\n{text}\nWritten to {options.out}")


def draw(options: argparse.Namespace, found: list[dict[str, float]]) -> None:
    bars = {title: min(one[name] for one in found) for name, title in FITS.items()}
    panel = {"Seconds of fits": (bars, [True] * len(bars))}
    if not report.bars(options.out / "fits.png", panel, "{:,.1f}"):
        print("No picture: install matplotlib.")


def main() -> None:
    options = arguments()
    if options.only != "sequences":
        found = sessions(options, "fits")
        write(options, "fits", found, table(found))
        draw(options, found)
    if options.only != "fits":
        found = sessions(options, "sequences")
        write(options, "sequences", found, table_of_sequences(found))


if __name__ == "__main__":
    main()
