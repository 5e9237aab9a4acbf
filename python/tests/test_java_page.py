"""The programs of docs/java.md compile, and its projects are XML with this checkout's version."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pyspark
import pytest
from conftest import CHECKOUT

import sparkdl

PAGE = (CHECKOUT / "docs" / "java.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.skipif(not shutil.which("javac"), reason="there is no compiler of Java")
def test_the_programs_compile(tmp_path: Path) -> None:
    names = [re.search(r"class (\w+)", code) for code in blocks("java")]
    files = [tmp_path / f"{name[1]}.java" for name in names if name]
    for file, code in zip(files, blocks("java"), strict=True):
        file.write_text(code)
    jars = [Path(pyspark.__file__).parent / "jars", CHECKOUT / "target" / "jars"]
    path = ":".join(f"{folder}/*" for folder in jars)
    command = ["javac", "-proc:none", "-cp", path, "-d", str(tmp_path), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_project_names_this_version() -> None:
    project, build = (ElementTree.fromstring(text) for text in blocks("xml"))
    versions = {
        d.findtext("{*}artifactId"): d.findtext("{*}version")
        for d in project.iterfind(".//{*}dependency")
    }
    assert versions["sparkdl_2.13"] == sparkdl.version()
    assert build.find(".//goal") is not None
