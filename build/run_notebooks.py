"""Run notebooks, and keep what their cells show in their files; see build/notebooks."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "examples" / "notebooks"
sys.path.insert(0, str(ROOT / "python" / "tests"))

from notebooks import SOURCES, hash_of_sources  # noqa: E402

_TIMING = "execution"  # nbclient notes times in cells, which would differ in every run


def run(file: Path) -> None:
    """Run all cells in a new kernel and write them back with what they have shown."""
    began = time.monotonic()
    notebook = nbformat.read(file, as_version=4)
    with tempfile.TemporaryDirectory() as folder:  # where a notebook writes is its own affair
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop(_TIMING, None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    notebook.metadata[SOURCES] = hash_of_sources(notebook)
    nbformat.write(notebook, file)
    print(f"{file.name}: {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    names = sys.argv[1:] or sorted(file.stem for file in FOLDER.glob("*.ipynb"))
    for name in names:
        run(FOLDER / f"{name}.ipynb")


if __name__ == "__main__":
    main()
