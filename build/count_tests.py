"""Print one line, "N passed, N failed[, N skipped]": the sum over both languages.

Usage: count_tests.py TARGET_FOLDER NUMBER_OF_FAILED_STEPS

Scala's numbers come from ScalaTest's closing line, for sbt's JUnit reports do not tell a canceled
test (an assumption that did not hold, such as data that is missing) from one that passed.
"""

import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

_CLOSING = re.compile(
    r"Tests: succeeded (\d+), failed (\d+), canceled (\d+), ignored (\d+), pending (\d+)"
)
_ABORTED = re.compile(r"Suites: completed \d+, aborted (\d+)")


def scala(log: Path) -> Counter[str]:
    text = log.read_text(errors="replace") if log.is_file() else ""
    total: Counter[str] = Counter()
    for numbers in _CLOSING.findall(text):
        succeeded, failed, *not_run = map(int, numbers)
        total += Counter(passed=succeeded, failed=failed, skipped=sum(not_run))
    return total + Counter(failed=sum(map(int, _ABORTED.findall(text))))


def python(report: Path) -> Counter[str]:
    cases = ElementTree.parse(report).iter("testcase")
    return Counter(_outcome({child.tag for child in case}) for case in cases)


def _outcome(tags: set[str]) -> str:
    if tags & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in tags else "passed"


def main(target: Path, failed_steps: int) -> None:
    total = scala(target / "sbt-test.log")
    for report in target.glob("pytest*.xml"):
        total += python(report)
    # A step can fail without a test that does: a compiler, a formatter, a JVM that died.
    failed = total["failed"] or failed_steps
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {failed} failed{skipped}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
