"""What is printed: the wrong predictions, and the result."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyspark.sql import DataFrame

MOST_LINES = 20


def wrong_predictions(predicted: DataFrame, classes: list[str]) -> str:
    """Return a table of the wrong predictions, the surest first."""
    wrong = predicted.where("label <> prediction").orderBy("sure", ascending=False).collect()
    if not wrong:
        return "\nNo wrong predictions.\n"
    lines = [("image", "is", "predicted", "probability")]
    lines += [
        (
            file_name(r.path),
            classes[int(r.label)],
            classes[int(r.prediction)],
            f"{r.sure:.2f}",
        )
        for r in wrong[:MOST_LINES]
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    table = ["  ".join(c.ljust(w) for c, w in zip(li, widths, strict=True)) for li in lines]
    more = [f"... and {len(wrong) - MOST_LINES} more"] if len(wrong) > MOST_LINES else []
    return "\n".join(["", "Wrong predictions:", *("  " + t.rstrip() for t in table + more), ""])


def summary(
    accuracy: float, tested: int, held_out: int, same: bool, saved: Path, drawn: Path
) -> str:
    """Return the last lines."""
    lines = [f"accuracy   {accuracy:.3f} on {tested} images that were held out"]
    if tested < held_out:
        lines.append(f"left out   {held_out - tested} of the test images, which cannot be decoded")
    again = "predicts the same after loading" if same else "predicts OTHERWISE after loading"
    lines += [f"pipeline   {shown(saved)} ({again})", f"picture    {shown(drawn)}"]
    return "\n" + "\n".join(lines) + "\n"


def file_name(path: str) -> str:
    """Return folder and name of a file."""
    return "/".join(unquote(urlsplit(path).path).split("/")[-2:])


def shown(path: Path) -> str:
    """Return a path as one types it from the current directory."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
