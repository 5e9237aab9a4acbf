"""Links, anchors and pictures of all pages, and that the site has all of them."""

from __future__ import annotations

import re
import runpy
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from conftest import CHECKOUT

import sparkdl

DOCS = CHECKOUT / "docs"
BESIDE = [CHECKOUT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES = [*BESIDE, *sorted(DOCS.glob("*.md"))]
SITE = CHECKOUT / "build" / "site"
_LINK = re.compile(r"\]\(([^)\s:#]*)(?:#([^)\s]*))?\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def prose(page: Path) -> str:
    return _CODE.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that both GitHub and MkDocs give to the headings of a page."""
    return set.union(*({forge(t)} & {site(t)} for t in _HEADING.findall(prose(page))), set())


def plain(heading: str) -> str:
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()


def forge(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", plain(heading)).replace(" ", "-")


def site(heading: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", plain(heading)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_text).strip())


def broken(page: Path) -> Iterator[str]:
    for link, anchor in _LINK.findall(_SPAN.sub("", prose(page))):
        target = page.parent / link if link else page
        if not target.exists():
            yield f"{link}: no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{link}#{anchor}: no heading that GitHub and MkDocs call so"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert list(broken(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# Two words\n")
    page = tmp_path / "a.md"
    page.write_text("[1](b.md#two-words) [2](b.md#two) [3](c.md) `[4](d.md)` ![5](e.png)\n")
    assert [line.partition(":")[0] for line in broken(page)] == ["b.md#two", "c.md", "e.png"]


def test_every_picture_is_shown_somewhere() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [p.name for p in (DOCS / "pictures").iterdir() if p.name not in text] == []


def test_the_site_has_every_page_once() -> None:
    listed = re.findall(r"([\w./-]+\.md)", (SITE / "mkdocs.yml").read_text().partition("\nnav:")[2])
    api = [f"api/{name}.md" for name in ("index", *api_pages())]
    beside = ["index.md", "changelog.md", "contributing.md"]
    assert sorted(listed) == sorted([*beside, *api, *(p.name for p in DOCS.glob("*.md"))])


def test_the_site_has_every_public_name() -> None:
    shown = {name.partition(".")[0] for page in api_pages().values() for name in page.names}
    # Modules whose public names are on pages of their own.
    elsewhere = {"estimators", "training", "transformers", "udf", "version", "__version__"}
    public = {name for name in dir(sparkdl) if not name.startswith("_")}
    assert public - elsewhere == shown


def api_pages() -> dict[str, object]:
    return runpy.run_path(str(SITE / "api.py"))["PAGES"]
