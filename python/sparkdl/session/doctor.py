"""`sparkdl.doctor()`: checks whether everything that sparkdl needs is there."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from sparkdl._version import __version__
from sparkdl.session.other_packages import elsewhere

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes
    ----------
    place : str
        "python", "session", "driver on HOST" or "executor N on HOST".
    topic, value : str
        What was checked, and what was found.
    remedy : str
        How to fix it; empty when there is nothing to fix.
    """

    place: str
    topic: str
    value: str
    remedy: str = ""

    def __str__(self) -> str:
        problem = f"  PROBLEM: {self.remedy}" if self.remedy else ""
        return f"{self.topic}: {self.value}{problem}"


@dataclass(frozen=True)
class Report:
    """What `doctor` found; `str(report)` is the printed text."""

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> list[Finding]:
        """What has to be fixed."""
        return [f for f in self.findings if f.remedy]

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to fix."""
        return not self.problems

    def __str__(self) -> str:
        lines: list[str] = []
        for place in dict.fromkeys(f.place for f in self.findings):
            lines += [place, *(f"  {f}" for f in self.findings if f.place == place)]
        count = len(self.problems)
        lines.append(
            f"{count} problem(s); see the lines marked PROBLEM." if count else "No problems."
        )
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return one line, because a console shows it below the report."""
        count = len(self.problems)
        return f"<Report: {len(self.findings)} findings, {count or 'no'} problem(s)>"


def doctor(spark: SparkSession | None = None) -> Report:
    """Examine Python, the session, the driver and every executor; print and return the report.

    Runs one short Spark job, which loads TensorFlow's native library wherever it is not loaded.

    Parameters
    ----------
    spark : SparkSession, optional
        Default: the active session; when there is none, `sparkdl.start()` makes one.

    Returns
    -------
    Report
        With `.problems`, `.healthy` and `.findings`.

    Examples
    --------
    >>> sparkdl.doctor().healthy  # doctest: +SKIP
    True
    """
    from sparkdl.session.jvm_door import door
    from sparkdl.session.spark_session import start

    session = spark or start()
    rows = door(session).doctor(session._jsparkSession)
    jvm = [Finding(*(str(text) for text in row)) for row in rows]
    report = Report((*_python_findings(), *jvm))
    print(report)
    return report


def _python_findings() -> list[Finding]:
    python = Finding("python", "Python", f"{platform.python_version()} ({sys.executable})")
    packages = [_package(name) for name in ("pyspark", "numpy")]
    keras = [_package(name, _NO_KERAS) for name in ("tensorflow", "keras", "tf_keras")]
    others = [Finding("python", "another sparkdl", *other) for other in elsewhere()]
    return [python, Finding("python", "sparkdl", __version__), *others, *packages, *keras]


_NO_KERAS = (
    "needed only to convert and train models, and to trace functions: pip install "
    "'sparkdl-py[tensorflow]'"
)


def _package(name: str, optional: str = "") -> Finding:
    try:
        return Finding("python", name, metadata.version(name))
    except metadata.PackageNotFoundError:
        if optional:
            return Finding("python", name, f"not installed, {optional}")
        return Finding("python", name, "not installed", f"pip install {name}")
