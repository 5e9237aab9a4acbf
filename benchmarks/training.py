#!/usr/bin/env python3
"""Measures training: plain Keras, and KerasEstimator with one and two workers on the same cores.

    python benchmarks/training.py
    python benchmarks/training.py --networks mlp --epochs 10

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
from trainbench import scaling
from trainbench.networks import NETWORKS, Network
from trainbench.task import MODES, Task

_TIMED = ("keras", "one", "two", "strategy")
_OURS = ("one", "two")


def arguments() -> argparse.Namespace:
    cores = os.cpu_count() or 1
    cache = Path(tempfile.gettempdir()) / f"sparkdl-benchmark-{os.getuid()}"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--networks", default="cnn,mlp", help="default cnn,mlp")
    add("--epochs", type=int, default=5, help="timed epochs; one more warms up (default 5)")
    add("--repeat", type=int, default=2, help="runs of each mode, in turn (default 2)")
    add("--cores", type=int, default=cores, help=f"default: all ({cores})")
    add("--driver-memory", default="2g", help="heap of Spark's JVM (default 2g)")
    add("--limit", type=float, default=600, help="seconds of one run (default 600)")
    add("--work", type=Path, default=cache, help=f"for logs (default {cache})")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    machine = report.machine()
    names = options.networks.split(",")
    results = {name: network_results(options, name) for name in names}
    write(options, machine, results)


def network_results(options: argparse.Namespace, name: str) -> dict[str, Any]:
    """Run the modes in turn, so that other work on the machine disturbs all of them alike."""
    found: dict[str, Any] = {}
    for _ in range(options.repeat):
        for mode in _TIMED:
            one = run(options, mode, name)
            known = found.setdefault(mode, one)
            if known is not one:
                for times in ("seconds", "cpu_seconds"):
                    known[times] = known.get(times, []) + one.get(times, [])
    found["pieces"] = run(options, "pieces", name)
    return found


def run(options: argparse.Namespace, mode: str, name: str) -> dict[str, Any]:
    """Run one mode once."""
    print(f"{NETWORKS[name].title}: {MODES[mode]}", flush=True)
    task = Task(mode, name, options.epochs, options.cores, options.driver_memory)
    options.work.mkdir(parents=True, exist_ok=True)
    label = f"training-{mode}-{name}"
    result = run_task(task, options.work, label, options.limit, runner="trainbench.run_mode")
    if "error" in result:
        print(f"    {result['error']} ({result['log']})", flush=True)
    return result


def speed_table(network: Network, results: dict[str, Any]) -> str:
    """Return speeds in Markdown."""
    lines = [
        f"{network.title}, {network.rows:,} rows, batches of {network.batch}:",
        "",
        "| | examples/s, best epoch | median | x Keras (median) | ms per step | CPU ms per step "
        "| last loss | peak memory (GB) |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    plain = results["keras"]
    for mode in _TIMED:
        r = results[mode]
        if not r.get("seconds"):
            lines.append(f"| {MODES[mode]} | {r.get('error')} | | | | | | |")
            continue
        middle = median(r["seconds"])
        cells = [
            f"{network.rows / min(r['seconds']):,.0f}",
            f"{network.rows / middle:,.0f}",
            f"{median(plain['seconds']) / middle:.2f}" if plain.get("seconds") else "",
            f"{1e3 * middle / network.steps:.2f}",
            f"{1e3 * median(cpu) / network.steps:.2f}" if (cpu := r.get("cpu_seconds")) else "",
            f"{r['losses'][-1]:.4f}",
            f"{r['peak_bytes'] / 1e9:.2f}",
        ]
        lines.append(f"| {MODES[mode]} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def pieces_table(network: Network, found: dict[str, Any]) -> str:
    """Return the shares of a step in Markdown."""
    if "error" in found:
        return f"The pieces of a step: {found['error']}\n"
    lines = [
        f"{network.title}, the pieces of a step (medians, ms):",
        "",
        "| workers | gradients | reduction | update | share that is not gradients |",
        "|--:|--:|--:|--:|--:|",
    ]
    for workers, p in found["workers"].items():
        times = [p[k] for k in ("gradients", "reduction", "update")]
        others = (times[1] + times[2]) / sum(times)
        cells = [*(f"{1e3 * t:.2f}" for t in times), f"{others:.3f}"]
        lines.append(f"| {workers} | " + " | ".join(cells) + " |")
    empty = 1e3 * found["job_seconds"]
    lines += ["", f"A Spark job that does nothing takes {empty:.1f} ms here.", ""]
    return "\n".join(lines)


def panels(results: dict[str, Any]) -> dict[str, tuple[dict[str, float], list[bool]]]:
    """Return the bars of the picture, one panel per network."""
    found = {}
    for name, modes in results.items():
        good = {m: median(modes[m]["seconds"]) for m in _TIMED if modes[m].get("seconds")}
        bars = {MODES[m]: NETWORKS[name].rows / seconds for m, seconds in good.items()}
        found[f"{NETWORKS[name].title}: examples per second"] = bars, [m in _OURS for m in good]
    return found


def write(options: argparse.Namespace, machine: dict[str, Any], results: dict[str, Any]) -> None:
    """Write tables and JSON, and print the tables."""
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    parts = [f"{where}; {options.cores} cores used.\n"]
    for name, found in results.items():
        parts += [speed_table(NETWORKS[name], found), pieces_table(NETWORKS[name], found["pieces"])]
    measured = next((r["pieces"] for r in results.values() if "costs" in r["pieces"]), None)
    if measured is not None:
        parts += ["Computed for more workers:\n", scaling.table(scaling.costs(measured["costs"]))]
    text = "\n".join(parts)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "training.md").write_text(text)
    content = {"machine": machine, "results": results}
    (options.out / "training.json").write_text(json.dumps(content, indent=1))
    print(f"\n{text}\nWritten to {options.out}")
    if not report.bars(options.out / "training.png", panels(results)):
        print("No picture: install matplotlib.")


if __name__ == "__main__":
    main()
