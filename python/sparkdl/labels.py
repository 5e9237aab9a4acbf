"""Names of classes: read from a file or a list, or from Keras' index of ImageNet's 1000."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from sparkdl._download import quick_network
from sparkdl.errors import SettingsException

Labels = list[tuple[str, str]]

IMAGENET_CLASSES = 1000
_ENVIRONMENT = "SPARKDL_IMAGENET_LABELS"
_URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
_MD5 = "c2c37ea517e94d9795004a39431a14cb"


def label_text(label: Any) -> str:
    """Return a label as text, the same whatever type of number it was.

    >>> label_text(3.0), label_text(True), label_text(7.5), label_text("Tulpe")
    ('3', '1', '7.5', 'Tulpe')
    """
    if not isinstance(label, Real):
        return str(label)
    number = float(label)
    return str(int(number)) if number.is_integer() else str(number)


def read_labels(labels: str | Path | Sequence[Any], classes: int | None = None) -> Labels:
    """Return (class, description) for each class, in the order of the model's outputs.

    Parameters
    ----------
    labels : str, Path or sequence
        A file: Keras' class index (``{"0": ["n01440764", "tench"], ...}``), a JSON list, or text
        with one label per line (class and description separated by a tab, if there are two).
        Or the list itself: of names, or of (class, description).
    classes : int, optional
        How many there must be.

    Examples
    --------
    >>> read_labels(["cat", ("n02084071", "dog")])
    [('cat', 'cat'), ('n02084071', 'dog')]
    """
    found = [_pair(item) for item in _items(labels)]
    if classes is not None and len(found) != classes:
        where = "the list" if not isinstance(labels, (str, Path)) else str(labels)
        raise SettingsException(
            f"The labels do not fit the model: {where} has {len(found)}, the model predicts "
            f"{classes} classes. Give one label for each class, in the order of the outputs."
        )
    return found


def _items(labels: str | Path | Sequence[Any]) -> Sequence[Any]:
    if not isinstance(labels, (str, Path)):
        return labels
    path = Path(labels).expanduser()
    if not path.is_file():
        raise SettingsException(f"There is no labels file {path}.")
    text = path.read_text(encoding="utf-8")
    if not text.lstrip().startswith(("{", "[")):
        return [line.split("\t", 1) for line in text.splitlines() if line.strip()]
    parsed = json.loads(text)
    if isinstance(parsed, dict):
        return [parsed[k] for k in sorted(parsed, key=int)]
    return list(parsed)


def _pair(item: Any) -> tuple[str, str]:
    if isinstance(item, str):
        return item, item
    if isinstance(item, Sequence) and 1 <= len(item) <= 2:
        return str(item[0]), str(item[-1])
    raise SettingsException(f"A label is a name or (class, description), got {item!r}.")


def imagenet_labels() -> Labels | None:
    """Return ImageNet's labels if they can be had, else None.

    From the file that the environment variable SPARKDL_IMAGENET_LABELS names, else through Keras,
    which keeps its class index in its own cache and downloads it once.
    """
    given = os.environ.get(_ENVIRONMENT)
    if given:
        return read_labels(given, IMAGENET_CLASSES)
    import keras

    try:
        with quick_network():
            path = keras.utils.get_file(
                "imagenet_class_index.json", _URL, cache_subdir="models", file_hash=_MD5
            )
    except Exception:  # Keras raises a bare Exception when it is offline
        return None
    return read_labels(path, IMAGENET_CLASSES)


def write_labels(folder: Path, labels: Labels) -> None:
    """Write labels.json."""
    text = json.dumps([list(pair) for pair in labels], ensure_ascii=False)
    (folder / "labels.json").write_text(text + "\n", encoding="utf-8")
