"""The layers of the package are an order: nothing imports from what stands above it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import sparkdl

ROOT = Path(sparkdl.__file__).parent
# Every package and every module of the floor, from the bottom up. docs/architecture.md says what
# each is for.
ORDER = (
    "errors",
    "_version",
    "_submodules",
    "_notebook",
    "_text_files",
    "_old_names",
    "session",
    "_columns",
    "_places",
    "labels",
    "_models",
    "_models.files",
    "utils",
    "_bundles.description",
    "_bundles.graph",
    "_bundles.other_backend",
    "_bundles",
    "networks",
    "udf",
    "graph",
    "image",
    "plot",
    "param",
    "transformers",
    "tensorframes",
    "_processes",
    "_placement",
    "data",
    "training._loop",
    "training._driver",
    "training._estimator",
    "training",
    "estimators._trials",
    "estimators._classifier",
    "estimators",
    "horovod",
    "__init__",
    "_command_line",
    "__main__",
)


def names_of(file: Path) -> str:
    """Return the module of a file, without the package's own name."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    inner = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
    return ".".join(inner)


MODULES = {names_of(file): file for file in ROOT.rglob("*.py")}
PACKAGES = {names_of(file) for file in ROOT.rglob("*/__init__.py")}


def layer_of(module: str) -> str:
    """Return the package that a module is in, or the module itself on the floor."""
    if module in PACKAGES or "." not in module:
        return module
    return module.rpartition(".")[0]


def imported(file: Path) -> Iterator[str]:
    """Yield the modules of sparkdl that a file imports, also in functions and for types."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name[len("sparkdl.") :] for a in node.names if a.name[:8] == "sparkdl.")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sparkdl":
            base = (node.module or "")[len("sparkdl.") :]
            for alias in node.names:
                module = f"{base}.{alias.name}".strip(".")
                yield module if module in MODULES else base or "__init__"


def test_every_package_and_every_module_of_the_floor_has_a_layer() -> None:
    there = {layer_of(module) for module in MODULES}
    assert there == set(ORDER), "write it into ORDER, and into the table of docs/architecture.md"


def test_nothing_imports_from_a_layer_above_its_own() -> None:
    place = {layer: i for i, layer in enumerate(ORDER)}
    climbing = [
        f"{module} imports {other}"
        for module, file in MODULES.items()
        for other in imported(file)
        if place[layer_of(other)] > place[layer_of(module)]
    ]
    assert climbing == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {module: set(imported(file)) - {module} for module, file in MODULES.items()}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    circles = {module: sorted(others & left.keys()) for module, others in left.items()}
    assert circles == {}, "these import each other, directly or through others"


def first_sentence(module: str) -> str:
    """Return the first sentence of a module's documentation, without its full stop."""
    text = ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))) or ""
    line = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=\.)(?:\s|$)", line)[0].removesuffix(".")


def test_the_table_of_the_architecture_says_what_the_packages_say() -> None:
    page = (ROOT.parent.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("| package or module | what it is |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:3]] for row in table.splitlines()[2:]]
    assert rows == [[f"`{module}`", first_sentence(module)] for module in ORDER]
