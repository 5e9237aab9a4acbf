"""How the model in a bundle was trained, and the model as Keras has it, to go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import MANIFEST, read_manifest, sha256

if TYPE_CHECKING:
    import keras

HISTORY, FAILURE = "history", "failure"
_KERAS, _KERAS_FILE = "keras", "model.keras"


def remember(
    bundle: Path,
    history: Mapping[str, list[Any]] | None = None,
    failure: str | None = None,
    about: Mapping[str, Any] | None = None,
    model: keras.Model | None = None,
) -> None:
    """Write into a bundle how its model was trained, where `Bundle.write` in Scala keeps it.

    Parameters
    ----------
    bundle : Path
        A bundle of this machine.
    history : mapping of str to list, optional
        Losses and metrics per epoch, as Keras' `History.history`: numbers, or lists of numbers.
    failure : str, optional
        Why training failed.
    about : mapping, optional
        Further facts for people, such as the number of rows; they are shown with the model.
    model : keras.Model, optional
        The trained model, which is saved beside the graph: the graph has constants only, so that
        nobody could go on training from it.
    """
    manifest = read_manifest(bundle)
    source = {**(manifest.get("source") or {}), **{k: str(v) for k, v in (about or {}).items()}}
    if history is not None:
        source[HISTORY] = json.dumps(history)
    if failure is not None:
        source[FAILURE] = failure
    manifest["source"] = source
    if model is not None:
        manifest[_KERAS] = _KERAS_FILE
        manifest["files"][_KERAS_FILE] = _save(model, bundle / _KERAS_FILE)
    (bundle / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _save(model: keras.Model, file: Path) -> str:
    from sparkdl._models.kept_calls import call_kept
    from sparkdl._models.libraries import keras

    with call_kept(model):
        keras().saving.save_model(model, file)
    return sha256(file)


def recall(bundle: str) -> tuple[dict[str, list[Any]], str | None]:
    """Return history and failure of the model in a bundle; no history is an empty one."""
    source = facts(bundle)
    return json.loads(source.get(HISTORY, "{}")), source.get(FAILURE)


def facts(bundle: str | Path) -> dict[str, str]:
    """Return all that a bundle says about where its model came from."""
    return dict(read_manifest(bundle).get("source") or {})


def keras_file(bundle: str | Path) -> Path | None:
    """Return the file of the model as Keras has it, None if the bundle has none."""
    name = read_manifest(bundle).get(_KERAS)
    return None if name is None else Path(bundle) / str(name)
