"""Versions stand in one file: the docs say what it says, and nothing else says it again."""

from __future__ import annotations

import re
import runpy
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import setuptools
from conftest import CHECKOUT, PACKAGE_FOLDER
from packaging.requirements import Requirement

from sparkdl.session.supported_versions import SPARK_RANGE, either, ends, supported

FILE = PACKAGE_FOLDER / "sparkdl" / "resources" / "versions.properties"
VERSIONS = {key: supported(key) for key in re.findall(r"(?m)^([\w.]+)=", FILE.read_text())}
ONE = {key: versions[-1] for key, versions in VERSIONS.items()}
JAVA, PYTHON = (either(VERSIONS[key]) for key in ("java", "python"))
SPARK = either([minor for minor in VERSIONS["spark"] if minor.startswith("4.")])


def both(key: str) -> str:
    """Return the oldest and the newest version, between which all are let in."""
    return " to ".join(VERSIONS[key])


SCALA = ONE["scala"].rpartition(".")[0]
(SPARK_3,) = (minor for minor in VERSIONS["spark"] if minor.startswith("3."))
SCALA_3 = either([scala.rpartition(".")[0] for scala in VERSIONS["spark3.scala"]])
GLIBC = f"glibc {ONE['glibc']} or newer"

PAGES = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *(CHECKOUT / "docs").glob("*.md")]
# What each page tells its readers to have.
TOLD = {
    "README.md": [
        GLIBC,
        f"JDK {JAVA}, Python {PYTHON} with",
        f"openjdk-{VERSIONS['java'][0]}-jdk-headless",
        f"| Spark | {SPARK} (pyspark {ONE['spark.python']}), Scala {SCALA}; "
        f"{SPARK_3}, Scala {SCALA_3} |",
        f"| JDK | {JAVA}; {ONE['java.newer']} with Spark {ONE['java.newer.spark']} or newer |",
        f"| Python | {ONE['python.tested']} |",
        f"| TensorFlow in the JVM | {ONE['tensorflow.jvm']} "
        f"(TensorFlow Java {ONE['tensorflow.java']}) |",
        f"| TensorFlow and Keras in Python | {both('tensorflow')}, with Keras {both('keras')} |",
        f"| platform | Linux x86_64, {GLIBC};",
        *(f"| {release} | {VERSIONS['java'][0]} |" for release in VERSIONS["spark.matrix"]),
    ],
    "CONTRIBUTING.md": [GLIBC, f"JDK {JAVA},", f"Python {PYTHON} with"],
    "docs/getting-started.md": [f"Python {PYTHON} and JDK {JAVA} on"],
    "docs/scala.md": [
        f"Scala {SCALA}, Spark {SPARK}, JDK {JAVA}.",
        f'scalaVersion := "{ONE["scala"]}"',
        f'"spark-mllib" % "{ONE["spark.compiled"]}"',
    ],
    "docs/deploying.md": [
        GLIBC,
        f"and JDK {JAVA}.",
        f"Spark must be {SPARK} with Scala {SCALA}, or [{SPARK_3}]",
    ],
    "docs/bundle.md": [f"For TensorFlow {ONE['tensorflow.jvm']},"],
}
# A word before a version in a page, and the lines of the file that the version is in.
NAMED = {
    r"\b(?:JDK|openjdk)[ -](\d+)": ("java", "java.newer"),
    r"\bSpark(?: must be)? ([3-9]\.\d+)": ("spark",),
    r"\bPython (\d\.\d+)": ("python", "python.tested"),
    r"\bKeras (3\.\d+)": ("keras", "keras.python3.10"),
    r"\bTensorFlow (\d\.\d+)": ("tensorflow", "tensorflow.jvm"),
    r"\bTensorFlow Java (\d\.\d+\.\d+)": ("tensorflow.java",),
    r"\bglibc (\d\.\d+)": ("glibc",),
}
OTHER_PROGRAMS = {("tables.md", "Spark 4.0")}  # the one that Iceberg's package is made for


@pytest.mark.parametrize("page", TOLD)
def test_a_page_tells_its_readers_to_have_the_versions_of_the_file(page: str) -> None:
    text = " ".join((CHECKOUT / page).read_text(encoding="utf-8").split())
    assert [told for told in TOLD[page] if told not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_no_other_version(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").split())
    others = [
        (page.name, found[0])
        for pattern, keys in NAMED.items()
        for found in re.finditer(pattern, text)
        if not any(found[1] in VERSIONS[key] for key in keys)
    ]
    assert set(others) <= OTHER_PROGRAMS


# Where versions would be written if not in the file: all but tests and pages.
SOURCES = [
    *(
        CHECKOUT / name
        for name in ("build.sbt", ".ci/run", "python/setup.py", "python/pyproject.toml")
    ),
    *(
        f
        for f in (CHECKOUT / "build").rglob("*")
        if f.is_file() and f.suffix != ".pyc" and not f.name.startswith("requirements")
    ),
    *(f for f in (CHECKOUT / "project").iterdir() if f.suffix in (".scala", ".sbt")),
    # Not where versions differ.
    *(f for f in (CHECKOUT / "src/main/scala").rglob("*.scala") if f.parent.name != "versions"),
    *(f for f in (PACKAGE_FOLDER / "sparkdl").rglob("*.py") if f.name != "spark_api.py"),
]
ALLOWED = {
    ("project/TestLake.scala", "4.1.0"),  # Delta's own version, which is like Spark's
    ("project/LinkCheck.scala", "4.0"),  # whose modules are others
    ("python/setup.py", "3.11"),  # of Python, for which MLflow's dependencies are there
    ("python/pyproject.toml", "3.10"),  # cannot be read from elsewhere; compared below
    ("python/sparkdl/_bundles/graph/verification.py", "3.11"),  # of Keras, whose Flatten works
    ("src/main/scala/org/sparkdl/tensor/CellReader.scala", "Java 17"),  # what that one lacks
}


def written_again(source: Path) -> Iterator[str]:
    text = source.read_text(encoding="utf-8")
    numbers = {v for versions in VERSIONS.values() for v in versions if "." in v}
    any_number = "|".join(map(re.escape, sorted(numbers, key=len, reverse=True)))
    # Not where a number goes on, and not in a name such as the example of a doctest, nor of a
    # section of a standard.
    yield from re.findall(
        rf"(?<![\w.])(?<!section )(?<!sections )(?:{any_number})(?!\.?\w)", _without_examples(text)
    )
    yield from re.findall(r"\b(?:JDK|Java|openjdk|jdk)[ -]?\d\d\b", text)
    yield from re.findall(r"(?:Spark|pyspark)\W{1,4}4\.\d+", _without_examples(text))


def _without_examples(text: str) -> str:
    return re.sub(r"(?m)^ +>>> .*\n.*", "", text)


def test_no_version_of_the_file_is_written_again() -> None:
    again = {
        (str(source.relative_to(CHECKOUT)), number)
        for source in SOURCES
        if source.is_file()
        for number in written_again(source)
    }
    assert sorted(again - ALLOWED) == [], f"take them from {FILE.name}"


def test_each_minor_version_of_spark_has_its_source_folder() -> None:
    folders = sorted(f.name for f in (CHECKOUT / "src" / "main").glob("scala-spark-*"))
    assert folders == [f"scala-spark-{minor}" for minor in VERSIONS["spark"]]


def test_the_tools_check_for_the_oldest_python() -> None:
    settings = (PACKAGE_FOLDER / "pyproject.toml").read_text().splitlines()
    oldest = VERSIONS["python"][0]
    assert f'python_version = "{oldest}"' in settings
    assert f'target-version = "py{oldest.replace(".", "")}"' in settings


def metadata_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what a folder's setup.py gives pip."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **keywords: given.update(keywords))
    runpy.run_path(str(folder / "setup.py"))
    return given


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return metadata_of(PACKAGE_FOLDER, monkeypatch)


def test_pip_takes_what_the_tests_ran_with(metadata: dict[str, Any]) -> None:
    pins = requirements()
    extras = {
        name: wanted for name, wanted in metadata["extras_require"].items() if name != "spark3"
    }
    wanted = [*metadata["install_requires"], *chain(*extras.values())]
    for minor in VERSIONS["python"]:
        python = {"python_version": minor}
        pinned = {p.name: str(p.specifier)[2:] for p in pins if _applies(p, python)}
        ours = [r for r in map(Requirement, wanted) if _applies(r, python)]
        assert [str(r) for r in ours if not r.specifier.contains(pinned[r.name])] == []


def test_pip_takes_what_the_tests_on_spark_3_ran_with(metadata: dict[str, Any]) -> None:
    (spark,) = (release for release in VERSIONS["spark.matrix"] if release.startswith("3."))
    pinned = {p.name: str(p.specifier)[2:] for p in requirements() if _applies(p, {})}
    pinned |= dict(pin.split("==") for pin in [f"pyspark=={spark}", *VERSIONS["spark3.packages"]])
    ours = map(Requirement, metadata["extras_require"]["spark3"])
    assert [str(r) for r in ours if not r.specifier.contains(pinned[r.name])] == []


def requirements() -> list[Requirement]:
    lines = (CHECKOUT / "build" / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if "==" in line]


def _applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


def test_pip_takes_the_pythons_and_the_sparks_of_the_file(metadata: dict[str, Any]) -> None:
    first, end = ends(VERSIONS["python"])
    assert metadata["python_requires"] == f">={first},<{end}"
    first, end = SPARK_RANGE
    assert f"pyspark>={first},<{end}" in metadata["install_requires"]
    assert [c.rpartition(" ")[2] for c in metadata["classifiers"] if ":: 3." in c] == VERSIONS[
        "python"
    ]


def test_an_sdist_has_all_that_its_setup_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "sparkdl"
    for name in ("resources/versions.properties", "session/supported_versions.py"):
        (package / name).parent.mkdir(parents=True)
        shutil.copy(PACKAGE_FOLDER / "sparkdl" / name, package / name)
    shutil.copy(PACKAGE_FOLDER / "setup.py", tmp_path)
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: sparkdl\nVersion: 7.8.9\n")
    given = metadata_of(tmp_path, monkeypatch)
    assert given["version"] == "7.8.9"
    assert given["python_requires"].startswith(f">={VERSIONS['python'][0]},")
