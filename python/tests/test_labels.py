"""Files of labels as people's editors write them: the table that Scala's LabelsSuite has, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT

from sparkdl._bundles.description.manifest import read_manifest
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.labels import read_labels

TABLE = CHECKOUT / "src" / "test" / "resources" / "label_files.json"
CASES = json.loads(TABLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_a_file_of_labels_is_read_or_refused_with_its_reason(
    case: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "labels"
    file.write_bytes(bytes.fromhex(case["hex"]))
    if "labels" in case:
        assert read_labels(file) == [tuple(pair) for pair in case["labels"]]
        return
    with pytest.raises(SettingsException) as e:
        read_labels(file)
    assert str(e.value).startswith(f"Cannot read the labels file '{file}': {case['error']}")


def test_a_missing_file_of_labels_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(SettingsException, match=f"There is no labels file '{path}'"):
            read_labels(path)


def test_a_manifest_may_have_a_byte_order_mark_and_no_other_encoding(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_bytes(b'\xef\xbb\xbf{"formatVersion": 1, "name": "caf\xc3\xa9"}')
    assert read_manifest(tmp_path)["name"] == "café"
    file.write_bytes(b'{"formatVersion": 1, "name": "caf\xe9"}')
    with pytest.raises(InvalidModelException, match="byte 0xE9 at offset 33 is not UTF-8"):
        read_manifest(tmp_path)
