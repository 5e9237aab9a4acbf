"""How the model in a bundle was trained: its history, or why it has learnt nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sparkdl._manifest import MANIFEST, read_manifest

HISTORY, FAILURE = "history", "failure"


def remember(
    bundle: Path, history: Mapping[str, list[float]] | None = None, failure: str | None = None
) -> None:
    """Write into a bundle how its model was trained, where `Bundle.write` in Scala keeps it."""
    manifest = read_manifest(bundle)
    source = dict(manifest.get("source") or {})
    if history is not None:
        source[HISTORY] = json.dumps(history)
    if failure is not None:
        source[FAILURE] = failure
    manifest["source"] = source
    (bundle / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def recall(bundle: str) -> tuple[dict[str, list[float]], str | None]:
    """Return history and failure of the model in a bundle; no history is an empty one."""
    source = read_manifest(bundle).get("source") or {}
    return json.loads(source.get(HISTORY, "{}")), source.get(FAILURE)
