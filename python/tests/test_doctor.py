"""The doctor: what it reports, and that the shell command gives the same."""

from __future__ import annotations

from importlib import metadata

import pytest

import sparkdl
from sparkdl.session import doctor
from sparkdl.session.supported_versions import supported


def test_reports_python_the_session_and_the_driver(spark, capsys):
    report = sparkdl.doctor(spark)
    text = capsys.readouterr().out
    assert text.strip() == str(report)
    places = {f.place.split(" on ")[0] for f in report.findings}
    assert places == {"python", "session", "driver"}
    topics = {f.topic: f.value for f in report.findings}
    assert topics["Spark"] == spark.version
    assert topics["JDK"].startswith(tuple(supported("java") + supported("java.newer")))
    assert topics["TensorFlow"].startswith(supported("tensorflow.jvm")[0])
    assert topics["pyspark"] == metadata.version("pyspark")
    assert report.healthy, text
    assert text.strip().endswith("No problems.")
    assert repr(report) == f"<Report: {len(report.findings)} findings, no problem(s)>"


def test_a_problem_is_marked_with_its_remedy(spark):
    spark.conf.set("spark.sparkdl.precision", "half")
    try:
        report = sparkdl.doctor(spark)
    finally:
        spark.conf.unset("spark.sparkdl.precision")
    assert [p.topic for p in report.problems] == ["spark.sparkdl.precision"]
    assert "PROBLEM: Setting spark.sparkdl.precision = 'half': expected 'float32'" in str(report)


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", missing)
    findings = {f.topic: f for f in doctor._python_findings()}
    assert findings["numpy"].remedy == "pip install numpy"
    assert "sparkdl-py[tensorflow]" in findings["keras"].value
    assert not findings["keras"].remedy
