"""Packages depend one way: each on those below it only, also in what functions import."""

from __future__ import annotations

import ast
from pathlib import Path

import sparkdl

ROOT = Path(sparkdl.__file__).parent
# From the bottom up. docs/architecture.md says what lives where.
ORDER = ("transformers", "_processes", "_placement", "data", "training", "estimators")


def imported(file: Path) -> set[str]:
    """Return the packages of sparkdl that a file imports from."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    names = [n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module]
    return {n.split(".")[1] for n in names if n.startswith("sparkdl.")}


def test_packages_import_from_those_below_them_only() -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports from {above}"
        for place, package in enumerate(ORDER)
        for file in sorted((ROOT / package).rglob("*.py"))
        for above in imported(file) & set(ORDER[place + 1 :])
    ]
    assert wrong == []


def test_the_order_has_packages_that_are_there() -> None:
    assert all((ROOT / package / "__init__.py").is_file() for package in ORDER)
