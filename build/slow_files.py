"""Print the files of Python tests that take longer than ten seconds, the slowest first.

Usage: slow_files.py target/pytest.xml > python/tests/slow_files.txt
(after a whole `build/test`; `build/test --quick` leaves them out)
"""

import sys
from collections import Counter
from xml.etree import ElementTree

SECONDS = 10


def main(report: str) -> None:
    taken: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        module = case.get("classname", "")
        if module.startswith("tests."):
            taken[module.split(".")[1]] += float(case.get("time", 0))
    for name, seconds in taken.most_common():
        if seconds > SECONDS:
            print(name)


if __name__ == "__main__":
    main(sys.argv[1])
