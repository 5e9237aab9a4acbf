"""Write what build/matrix has found into README.md, as a table.

Usage: matrix_table.py RESULTS README SPARK3_PACKAGES

SPARK3_PACKAGES are those that Spark 3 has in other versions, as pip names them.
The exit status is 1 if anything has failed.
"""

import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

BEGIN, END = "<!-- build/matrix writes this -->\n", "<!-- to here -->\n"
NAME = re.compile(r"spark-(.+)-jdk-(.+)-python-(.+?)-(.+)")
CLOSE = 1e-6  # of probabilities


def same(one: list, other: list) -> bool:
    return len(one) == len(other) and all(
        a[:2] == b[:2] and max(abs(x - y) for x, y in zip(a[2], b[2], strict=True)) < CLOSE
        for a, b in zip(one, other, strict=True)
    )


def exchanged(folder: Path, folders: list[Path]) -> str:
    """Say whether the pipelines of all folders predict here what they predict at home."""
    file = folder / "predictions.json"
    if not file.is_file():
        return "failed"
    here = json.loads(file.read_text())
    wrong = []
    for other in folders:
        home = other / "predictions.json"
        known = json.loads(home.read_text()).get(other.name) if home.is_file() else None
        if known is not None and not same(here.get(other.name, []), known):
            wrong.append(other.name)
    return (
        f"failed: {', '.join(wrong)}" if wrong else f"{len(here)} pipelines, the same predictions"
    )


def row(folder: Path, folders: list[Path]) -> str:
    spark, java, python, libraries = NAME.fullmatch(folder.name).groups()
    libraries = libraries.replace("-", ", ")
    contract = (folder / "contract.txt").read_text().strip()
    quick = (folder / "quickstart.txt").read_text().strip()
    return (
        f"| {spark} | {java} | {python} | {libraries} | {contract} | {quick} "
        f"| {exchanged(folder, folders)} |\n"
    )


def main(results: Path, readme: Path, spark3_packages: str) -> None:
    folders = sorted(f for f in results.iterdir() if NAME.fullmatch(f.name))
    day = datetime.now(timezone.utc).date()
    older = ", ".join(package.replace("==", " ") for package in spark3_packages.split())
    table = (
        f"Of {day}; Spark 3 with {older}:\n\n"
        "| Spark | JDK | Python | TensorFlow, Keras, numpy, pandas | contract tests | quick start "
        "| pipelines saved by each combination |\n"
        "|---|---|---|---|---|---|---|\n" + "".join(row(f, folders) for f in folders)
    )
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    readme.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(table)
    sys.exit("failed" in table.replace(" 0 failed", ""))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
