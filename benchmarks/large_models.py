#!/usr/bin/env python3
"""Measures models of 0.1 to 3 GB: making bundles, first results and resident memory.

    python benchmarks/large_models.py                          # all, about half an hour, 8 GB
    python benchmarks/large_models.py --model VGG19 --ways bundle,local

See README.md beside this file for what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imagebench import report
from imagebench.process import run_task
from largebench.models import MODELS, is_table
from largebench.task import Task

_LIMIT = 900.0
_MOST_OF_A_GRAPH = 2.0  # GB
_NUMBERS = "large-models.json"
WAYS = {
    "bundle": "save_bundle",
    "local": "sparkdl, local[2]",
    "cluster": "sparkdl, two executors of 1 GB (each)",
    "keras": "Keras, one Python process",
    "session": "TensorFlow session, constants in the graph",
    "onnx": "ONNX Runtime, external data",
}
_IN_CHART = {
    "local": "sparkdl, local",
    "cluster": "sparkdl, executor",
    "keras": "Keras",
    "session": "TensorFlow session",
    "onnx": "ONNX Runtime",
}


def arguments() -> argparse.Namespace:
    cache = Path(tempfile.gettempdir()) / f"sparkdl-benchmark-{os.getuid()}" / "large"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", action="append", choices=MODELS, help="repeatable; default: all")
    add("--ways", default=",".join(WAYS), help=f"default {','.join(WAYS)}")
    add("--work", type=Path, default=cache, help=f"for bundles (default {cache})")
    add("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    ways = options.ways.split(",")
    for model in options.model or MODELS:
        found = measure(model, ways, options.work)
        write(options.out, report.machine(), with_earlier(options.out, model, found))


def with_earlier(out: Path, model: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return what was measured now and before, of other models and in other ways."""
    file = out / _NUMBERS
    models = json.loads(file.read_text())["models"] if file.exists() else {}
    models[model] = {**models.get(model, {}), **found}
    return {m: {w: models[m][w] for w in WAYS if w in models[m]} for m in MODELS if m in models}


def measure(model: str, ways: list[str], work: Path) -> dict[str, Any]:
    """Run the ways in turn; later ones use the bundle that the first has made."""
    folder = work / model.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for way in ways:
        why = _left_out(way, model)
        if why is None:
            print(f"{model}: {WAYS[way]}", flush=True)
            task = Task(way=way, model=model, folder=str(folder))
            results[way] = run_task(task, folder, way, _LIMIT, "largebench.run_way")
        else:
            results[way] = {"error": why}
        print(f"    {cells(results[way])}", flush=True)
    return results


def _left_out(way: str, model: str) -> str | None:
    """Return why a way is not measured."""
    if way == "onnx" and not (find_spec("onnx") and find_spec("onnxruntime")):
        return "not installed"
    if way == "onnx" and not is_table(model):
        return "tables only"
    if way == "session" and is_table(model) and float(model.split()[2]) > _MOST_OF_A_GRAPH:
        return "a graph has at most 2 GB"
    return None


def cells(result: dict[str, Any]) -> list[str]:
    """Return seconds, peak and steady memory as text."""
    if "error" in result:
        return [result["error"], "", ""]
    seconds = result.get("seconds", result.get("seconds_to_first"))
    steady = result.get("steady_bytes")
    return [
        f"{seconds:.1f}",
        f"{result['peak_bytes'] / 1e9:.2f}",
        "" if steady is None else f"{steady / 1e9:.2f}",
    ]


def table(model: str, results: dict[str, Any]) -> str:
    """Return the table of one model in Markdown."""
    size = results.get("bundle", {}).get("weights_bytes")
    title = f"### {model}" if size is None else f"### {model}, {size / 1e9:.2f} GB of weights"
    lines = [title, "", "| | seconds | peak (GB) | steady (GB) |", "|---|--:|--:|--:|"]
    lines += [f"| {WAYS[w]} | {' | '.join(cells(r))} |" for w, r in results.items()]
    return "\n".join([*lines, ""])


def write(out: Path, machine: dict[str, Any], results: dict[str, Any]) -> None:
    """Write table, JSON and chart, and print the table."""
    out.mkdir(parents=True, exist_ok=True)
    where = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB."
    text = "\n".join([where, "", *(table(m, r) for m, r in results.items())])
    (out / "large-models.md").write_text(text)
    (out / _NUMBERS).write_text(json.dumps({"machine": machine, "models": results}, indent=1))
    panels = {}
    for model, ways in results.items():
        good = {w: r for w, r in ways.items() if "error" not in r and w != "bundle"}
        if good:
            values = {_IN_CHART[w]: r["peak_bytes"] / 1e9 for w, r in good.items()}
            ours = [w in ("local", "cluster") for w in good]
            panels[f"{model}, peak (GB)"] = (values, ours)
    if not panels or not report.bars(out / "large-models.png", panels, "{:.2f}"):
        print("No chart: nothing was measured, or matplotlib is not installed.")
    print(f"\n{text}\nWritten to {out}")


if __name__ == "__main__":
    main()
