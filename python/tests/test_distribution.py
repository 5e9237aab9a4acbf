"""What the distribution says of itself, on its page in PyPI and to those who cite it."""

from __future__ import annotations

import re
import subprocess
import sys
from email import message_from_string
from typing import Any

import pytest
from conftest import CHECKOUT

import sparkdl


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What PyPI would show, of the checkout as it is."""
    folder = tmp_path_factory.mktemp("metadata")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(folder)]
    subprocess.run(command, check=True, cwd=CHECKOUT / "python", capture_output=True)
    return message_from_string((folder / "sparkdl_py.egg-info" / "PKG-INFO").read_text())


def test_the_page_of_the_package_says_what_it_is(metadata: Any) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("sparkdl-py", sparkdl.__version__)
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Author"] == "The sparkdl authors"
    assert {u.split(",")[0] for u in metadata.get_all("Project-URL")} >= {"Source", "Changelog"}
    assert metadata["License-Expression"] == "Apache-2.0"
    links = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())
    assert len(links) > 20
    assert [link for link in links if not link.startswith(("http", "#"))] == []


def test_the_citation_has_this_version() -> None:
    text = (CHECKOUT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {sparkdl.__version__}\n" in text
