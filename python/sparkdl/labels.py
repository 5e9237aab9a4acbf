"""Names of classes: read from a file or a list, and ImageNet's 1000, which come with sparkdl."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from importlib.resources import files
from numbers import Real
from pathlib import Path
from typing import Any

from sparkdl._places.places import local_copy
from sparkdl._text_files import BLANKS, lines, parse_json, read_text
from sparkdl.errors import SettingsException

Labels = list[tuple[str, str]]

IMAGENET_CLASSES = 1000
_IMAGENET = files("sparkdl") / "resources" / "imagenet_classes.txt"
_NUMBERED = re.compile(r"([0-9]+) +(.*)")


def label_text(label: object) -> str:
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
        A file, by its path or URI, in UTF-8 or UTF-16: Keras' class index
        (``{"0": ["n01440764", "tench"], ...}``), a JSON list, or text with one label per line
        (class and description separated by a tab, if there are two). Numbers in front that count
        the lines from 0 ("0 cats", "1 dogs") are dropped. Or the list itself, of names or of
        (class, description).
    classes : int, optional
        How many there must be.

    Raises
    ------
    SettingsException
        There is no such file, or it has another encoding, format or number of labels.

    Examples
    --------
    >>> read_labels(["cat", ("n02084071", "dog")])
    [('cat', 'cat'), ('n02084071', 'dog')]
    """
    pairs = [_to_pair(item) for item in _items(labels)]
    if classes is not None and len(pairs) != classes:
        where = "the list" if not isinstance(labels, (str, os.PathLike)) else str(labels)
        raise SettingsException(
            f"The labels do not fit the model: {where} has {len(pairs)}, the model predicts "
            f"{classes} classes. Give one label for each class, in the order of the outputs."
        )
    return pairs


def _items(labels: str | Path | Sequence[Any]) -> Sequence[Any]:
    if not isinstance(labels, (str, os.PathLike)):
        return labels
    path = local_copy(labels)
    if path is None or not path.is_file():
        raise SettingsException(f"There is no labels file '{labels}'.")
    try:
        items = _parse(read_text(path))
    except ValueError as e:
        raise SettingsException(f"Cannot read the labels file '{labels}': {e}.") from None
    if not items:
        raise SettingsException(f"Cannot read the labels file '{labels}': it is empty.")
    return items


def _parse(text: str) -> list[Any]:
    if not text.strip(BLANKS).startswith(("{", "[")):
        parts = (line.split("\t", 1) for line in _without_numbers(lines(text)))
        return [[part.strip(BLANKS) for part in line] for line in parts]
    try:
        parsed = parse_json(text)
    except ValueError as e:
        raise ValueError(f"it is not JSON: {e}") from None
    return [
        _check_item(item) for item in (_in_order(parsed) if isinstance(parsed, dict) else parsed)
    ]


def _without_numbers(numbered_lines: list[str]) -> list[str]:
    """Drop the numbers that a classifier trained in the browser has in front of its labels."""
    numbered = [_NUMBERED.fullmatch(line) for line in numbered_lines]
    names = [m[2] for i, m in enumerate(numbered) if m is not None and m[1] == str(i)]
    return names if len(names) == len(numbered_lines) else numbered_lines


def _in_order(index: dict[str, Any]) -> list[Any]:
    for key in index:
        if not re.fullmatch("[0-9]+", key):
            raise ValueError(f"expected numbers of classes as keys, got '{key}'")
    return [index[key] for key in sorted(index, key=int)]


def _check_item(item: object) -> Any:
    parts = item if isinstance(item, list) else [item]
    for part in parts:
        if not isinstance(part, str):
            raise ValueError(f"expected names as text, got {json.dumps(part)}")
    if len(parts) not in (1, 2):
        raise ValueError(f"expected a name, or a class and its description, got {len(parts)} names")
    return item


def _to_pair(item: object) -> tuple[str, str]:
    if isinstance(item, str):
        return item, item
    if isinstance(item, Sequence) and 1 <= len(item) <= 2:
        return str(item[0]), str(item[-1])
    raise SettingsException(f"A label is a name or (class, description), got {item!r}.")


def imagenet_labels() -> Labels:
    """Return the names of ImageNet's 1000 classes, which come with sparkdl.

    >>> imagenet_labels()[281]
    ('n02123045', 'tabby')
    """
    text = _IMAGENET.read_text(encoding="utf-8")
    return [_to_pair(line.split("\t")) for line in text.splitlines()]


def write_labels(folder: Path, labels: Labels) -> None:
    """Write labels.json."""
    text = json.dumps([list(pair) for pair in labels], ensure_ascii=False)
    (folder / "labels.json").write_text(text + "\n", encoding="utf-8")
