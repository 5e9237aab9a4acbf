"""The projects of docs/java.md are XML with this checkout's version."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from conftest import CHECKOUT

import sparkdl

PAGE = (CHECKOUT / "docs" / "java.md").read_text(encoding="utf-8")


def test_the_project_names_this_version() -> None:
    projects = re.findall(r"```xml\n(.*?)```", PAGE, re.DOTALL)
    project, build = (ElementTree.fromstring(text) for text in projects)
    versions = {
        d.findtext("{*}artifactId"): d.findtext("{*}version")
        for d in project.iterfind(".//{*}dependency")
    }
    assert versions["sparkdl_2.13"] == sparkdl.version()
    assert build.find(".//goal") is not None
