"""Print one line, "N passed, N failed[, N skipped]", from the JUnit reports of both languages.

Usage: count_tests.py TARGET_FOLDER NUMBER_OF_FAILED_STEPS
"""

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(target: Path, failed_steps: int) -> None:
    passed = failed = skipped = 0
    for report in [*target.glob("test-reports/*.xml"), *target.glob("pytest.xml")]:
        for case in ElementTree.parse(report).iter("testcase"):
            outcomes = {child.tag for child in case}
            if outcomes & {"failure", "error"}:
                failed += 1
            elif "skipped" in outcomes:
                skipped += 1
            else:
                passed += 1
    # A step can fail without a test that does: a compiler, a formatter, a JVM that died.
    if failed_steps and not failed:
        failed = failed_steps
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


main(Path(sys.argv[1]), int(sys.argv[2]))
