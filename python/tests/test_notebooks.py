"""The notebooks of examples/notebooks run, and show what their cells gave."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT
from notebooks import SOURCES, hash_of_sources, source_of

FILES = sorted((CHECKOUT / "examples" / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text(encoding="utf-8"))


def cells_of_code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def text_of(output: Any) -> dict[str, Any]:
    data = output.get("data", {})
    return {kind: value for kind, value in data.items() if not kind.startswith("image/")}


def test_all_cells_run(
    notebook: Any, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: Any, spark: Any
) -> None:
    texts = list(map(source_of, cells_of_code(notebook)))
    if any("MobileNetV2" in text for text in texts):
        cache = request.getfixturevalue("model_cache")
        spark.conf.set("spark.sparkdl.models.dir", str(cache))
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for number, text in enumerate(texts):
        exec(compile(text, f"cell {number}", "exec"), namespace)
    spark.catalog.clearCache()
    spark.conf.unset("spark.sparkdl.models.dir")


def test_what_is_shown_is_what_these_cells_gave(notebook: Any) -> None:
    assert notebook["metadata"][SOURCES] == hash_of_sources(notebook), "run build/notebooks"
    outputs = [output for cell in cells_of_code(notebook) for output in cell["outputs"]]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert kinds & {"image/png", "text/html"}, "nothing to look at"
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    texts = [[o.get("text"), text_of(o)] for o in outputs]
    assert re.findall(r"(?<![\w:/<.])/\w+/", json.dumps(texts)) == [], "paths of one machine"
