"""From measurements to the table, the JSON file and the chart."""

from __future__ import annotations

import platform
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from imagebench.task import MODES


def speeds(result: dict[str, Any]) -> tuple[float, float]:
    """Return images per second, best and median."""
    seconds = result["seconds"]
    return result["images"] / min(seconds), result["images"] / median(seconds)


def add_ratios(results: dict[str, Any]) -> None:
    """Add to each mode of one model its speed, and that of others in relation to it."""
    good = {mode: r for mode, r in results.items() if "error" not in r}
    for r in good.values():
        r["best"], r["median"] = speeds(r)
    for r in good.values():
        r["best_relative_to"] = {m: r["best"] / o["best"] for m, o in good.items()}


def add_differences(results: dict[str, Any], features: dict[str, Path]) -> None:
    """Add how far each mode's features are from those of (a), or of the first mode there is."""
    good = [m for m in features if "error" not in results[m]]
    if not good:
        return
    reference = np.load(features[good[0]]).astype(np.float64)
    for mode in good:
        compared = compare(np.load(features[mode]).astype(np.float64), reference)
        results[mode]["features"] = {"compared_with": good[0], **compared}
    if "e" in good and "f" in good:
        exact = np.load(features["e"]).astype(np.float64)
        compared = compare(np.load(features["f"]).astype(np.float64), exact)
        results["f"]["features_against_e"] = compared


def compare(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Return the least cosine similarity of an image, and the largest relative difference.

    Relative to the largest value of all.
    """
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    cosine = (found * expected).sum(1) / np.maximum(lengths, 1e-300)
    difference = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-300)
    return {"min_cosine": float(cosine.min()), "max_relative_difference": float(difference)}


def table(model: str, results: dict[str, Any]) -> str:
    """Return the table of one model in Markdown."""
    lines = [
        f"### {model}",
        "",
        "| mode | images/s best | median | x (a) | x (c) | x (d) | CPU ms/image "
        "| first result (s) | peak memory (GB) | cosine with (a) |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for mode, r in results.items():
        name = f"({mode}) {MODES[mode]}"
        if "error" in r:
            lines.append(f"| {name} | {r['error']} | | | | | | | | |")
            continue
        ratios = [r["best_relative_to"].get(m) for m in "acd"]
        cells = [
            f"{r['best']:.1f}",
            f"{r['median']:.1f}",
            *("" if x is None else f"{x:.2f}" for x in ratios),
            f"{r['cpu_seconds_per_pass'] / r['images'] * 1e3:.1f}",
            f"{r['seconds_to_first']:.1f}",
            f"{r['peak_bytes'] / 1e9:.2f}",
            f"{r['features']['min_cosine']:.6f}",
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def slots_table(model: str, slots: dict[str, Any]) -> str:
    """Return one line per number of task slots."""
    lines = [f"{model}, (e) by number of task slots:", ""]
    lines += ["| slots | peak memory (GB) | images/s |", "|--:|--:|--:|"]
    for n, r in slots.items():
        if "error" in r:
            lines.append(f"| {n} | {r['error']} | |")
        else:
            lines.append(f"| {n} | {r['peak_bytes'] / 1e9:.2f} | {speeds(r)[0]:.1f} |")
    return "\n".join([*lines, ""])


def machine() -> dict[str, Any]:
    """Describe the machine as far as it matters."""
    import os

    text = Path("/proc/cpuinfo").read_text()
    field = {
        k.strip(): v.strip()
        for k, _, v in (line.partition(":") for line in text.splitlines() if ":" in line)
    }
    flags = set(field.get("flags", "").split())
    return {
        "cpu": field.get("model name", platform.processor()),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "features": sorted(flags & {"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"}),
        "python": platform.python_version(),
        "load_before": [round(x, 1) for x in os.getloadavg()],
    }


def chart(path: Path, all_results: dict[str, dict[str, Any]]) -> bool:
    """Draw images per second as bars, one panel per model; False without matplotlib."""
    panels = {}
    for model, results in all_results.items():
        good = {m: r for m, r in results.items() if "error" not in r}
        values = {f"({m}) {MODES[m].replace(', no Spark', '')}": r["best"] for m, r in good.items()}
        title = f"{model}: images per second (warm, best)"
        panels[title] = (values, [m in "ef" for m in good])
    return bars(path, panels)


def bars(
    path: Path, panels: dict[str, tuple[dict[str, float], list[bool]]], number: str = "{:,.0f}"
) -> bool:
    """Draw bars, one panel per title, some of them in sparkdl's colour; False without matplotlib.

    Parameters
    ----------
    path : Path
        Of the PNG.
    panels : dict
        From the title to the bars by name, and which of them are sparkdl's.
    number : str
        Format of the numbers at the bars.
    """
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    longest = max(len(values) for values, _ in panels.values())
    label = max(len(name) for values, _ in panels.values() for name in values)
    size = ((3.2 + 0.065 * label) * len(panels), max(3.2, 0.36 * longest + 0.6))
    figure, places = pyplot.subplots(1, len(panels), figsize=size, squeeze=False)
    for panel, (title, (values, ours)) in zip(places[0], panels.items(), strict=True):
        colours = ["#d1661f" if own else "#7a8794" for own in ours]
        drawn = panel.barh(list(values), list(values.values()), color=colours)
        panel.bar_label(drawn, fmt=number, padding=3, fontsize=8)
        panel.invert_yaxis()
        panel.set_title(title, fontsize=10, loc="right")  # where there is room for a long one
        panel.spines[["top", "right", "bottom"]].set_visible(False)
        panel.set_xticks([])  # the bars have their numbers
        panel.margins(x=0.25)
        panel.tick_params(labelsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    return True
