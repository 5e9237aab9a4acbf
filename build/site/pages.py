"""A hook of MkDocs: pages beside those of docs/, and where links out of docs/ lead."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))
import api

ROOT = Path(__file__).parents[2]
# Files of the checkout that are pages, and what they are called there.
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
_LINK = re.compile(r"(\]\()(?!https?:|mailto:|#)([^)#\s]*)((?:#[^)\s]*)?\))")
_CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
# A list right below a line of text, which is one for GitHub, but not for MkDocs.
_LIST = re.compile(r"^([^-\s#|>].*\n)(?=- |1\. )", re.MULTILINE)
# A link that has the name of its page's file as text.
_FILE_NAME = re.compile(r"\[([^\]\s]+\.md)\](?=\(\1[#)])")
_STYLE = """.md-grid { max-width: 76rem; }
.md-typeset table:not([class]) { font-size: .66rem; }
.md-typeset table:not([class]) th { min-width: 3rem; }
.md-typeset table:not([class]) :is(td, th) { padding: .6em .8em; }
.md-typeset td code { overflow-wrap: normal; word-break: normal; }
.md-typeset .doc-heading code { background: none; padding: 0; }
.md-typeset h2.doc-heading {
  border-top: 1px solid var(--md-default-fg-color--lightest);
  padding-top: 1.2rem;
}
"""
# Where Scaladoc comes.
_NO_SCALADOC = (
    "<!doctype html><title>sparkdl</title><p>Made with build/docs --no-scala: no Scaladoc."
)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not in docs/."""
    made = {"api/index.md": api.overview(), "site.css": _STYLE, "scala/index.html": _NO_SCALADOC}
    made["iframe-worker.js"] = Path(__file__).with_name("iframe-worker.js").read_text("utf-8")
    made |= {f"api/{name}.md": api.text_of(page) for name, page in api.PAGES.items()}
    made |= {page: (ROOT / file).read_text(encoding="utf-8") for file, page in BESIDE.items()}
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Make links fit for the site, in all but code."""
    path = page.file.src_path
    if path.startswith("api/"):
        return markdown
    folder = Path() if path in BESIDE.values() else Path("docs")
    parts = _CODE.split(markdown)
    parts[::2] = [_fit(text, folder, config) for text in parts[::2]]
    return "".join(parts)


def _fit(text: str, folder: Path, config: Any) -> str:
    """Return Markdown of a page in a folder of the checkout as MkDocs wants it."""
    text = _FILE_NAME.sub(lambda m: f"[{_title(ROOT / folder / m[1])}]", _LIST.sub(r"\1\n", text))
    return _LINK.sub(lambda m: m[1] + _target(folder, m[2], config) + m[3], text)


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _target(folder: Path, link: str, config: Any) -> str:
    """Return where a link of a page in a folder of the checkout leads on the site."""
    file = (ROOT / folder / link).resolve().relative_to(ROOT).as_posix()
    if file in BESIDE:
        return BESIDE[file]
    if file.startswith("docs/"):
        return file.removeprefix("docs/")
    kind = "tree" if (ROOT / file).is_dir() else "blob"
    return f"{config['repo_url']}/{kind}/main/{file}"
