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


def exchanged(folder: Path, names: list[str]) -> str:
    """Say whether the pipelines of all combinations predict here what they predict at home."""
    file = folder / "predictions.json"
    if not file.is_file():
        return "failed"
    here = json.loads(file.read_text())
    wrong = []
    for name in here:
        home = folder.parent / name / "predictions.json"
        known = json.loads(home.read_text()).get(name) if home.is_file() else None
        if known is not None and not same(here[name], known):
            wrong.append(name)
    if wrong:
        return f"failed: {', '.join(wrong)}"
    others = len(here) - (folder.name in here)
    return f"{others} of {len(names) - 1} others" + ", the same predictions" * (others > 0)


def row(folder: Path, names: list[str]) -> str:
    spark, java, python, libraries = NAME.fullmatch(folder.name).groups()
    found = [spark, java, python, libraries.replace("-", ", ")]
    quick = folder / "quickstart.txt"  # written last
    if quick.is_file():
        day = datetime.fromtimestamp(quick.stat().st_mtime, timezone.utc).date()
        contract = (folder / "contract.txt").read_text().strip()
        found += [contract, quick.read_text().strip(), exchanged(folder, names), str(day)]
    else:
        found += ["not run", "not run", "not run", ""]
    return f"| {' | '.join(found)} |\n"


def main(results: Path, readme: Path, spark3_packages: str) -> None:
    names = sorted((results / "combinations").read_text().split())
    older = ", ".join(package.replace("==", " ") for package in spark3_packages.split())
    table = (
        f"With Spark 3, {older}:\n\n"
        "| Spark | JDK | Python | TensorFlow, Keras, numpy, pandas | contract tests | quick start "
        "| pipelines saved by combinations | day |\n"
        "|---|---|---|---|---|---|---|---|\n" + "".join(row(results / n, names) for n in names)
    )
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    readme.write_text(f"{before}{BEGIN}{table}{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(table)
    sys.exit("failed" in table.replace(" 0 failed", ""))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
