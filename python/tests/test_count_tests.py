"""The last line of build/test tells what ran, and counts as passed only what passed."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "build" / "count_tests.py"
SCALA = "[info] Tests: succeeded {}, failed {}, canceled {}, ignored {}, pending {}\n"
PYTHON = (
    "<testsuites><testsuite><testcase/><testcase/><testcase><skipped/></testcase>{}"
    "</testsuite></testsuites>"
)


def last_line(target: Path, failed_steps: int = 0) -> str:
    command = [sys.executable, str(SCRIPT), str(target), str(failed_steps)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_canceled_ignored_and_pending_tests_are_skipped_not_passed(tmp_path):
    (tmp_path / "sbt-test.log").write_text(SCALA.format(59, 0, 4, 2, 1))
    (tmp_path / "pytest.xml").write_text(PYTHON.format(""))
    assert last_line(tmp_path) == "61 passed, 0 failed, 8 skipped"


def test_failures_of_both_languages_and_aborted_suites_add_up(tmp_path):
    aborted = "[info] Suites: completed 3, aborted 1\n"
    (tmp_path / "sbt-test.log").write_text(aborted + SCALA.format(5, 2, 0, 0, 0))
    (tmp_path / "pytest.xml").write_text(PYTHON.format("<testcase><failure/></testcase>"))
    (tmp_path / "pytest-spark.xml").write_text(PYTHON.format(""))
    assert last_line(tmp_path, 2) == "9 passed, 4 failed, 2 skipped"


def test_a_step_that_fails_before_any_test_is_a_failure(tmp_path):
    assert last_line(tmp_path, 1) == "0 passed, 1 failed"
