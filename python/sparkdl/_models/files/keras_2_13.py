"""Zips of Keras 2.12 and 2.13, whose arrays are at other paths than those of later versions.

These versions walked through a model's attributes in another order, and numbered a layer that they
met again. So tf_keras finds the arrays of a model, but not those of a model within it: "Layer
'block_10_expand' expected 1 variables, but received 0".
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sparkdl._models.files.keras_file import KerasFile

_WEIGHTS = "model.weights.h5"
_DEPENDENCIES = "_layer_checkpoint_dependencies"  # what these versions walk through, and later skip


def wrote(path: Path) -> bool:
    """Say whether the arrays of a zip are where Keras 2.12 and 2.13 put them."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        if _WEIGHTS not in archive.namelist():
            return False
        with archive.open(_WEIGHTS) as arrays, h5py.File(arrays, "r") as file:
            return _DEPENDENCIES in file


def load(file: KerasFile, custom_objects: Mapping[str, Any], safe_mode: bool) -> Any:
    """Build the model from its configuration, and give each layer its arrays by their path."""
    from tf_keras.src.saving import saving_lib, serialization_lib

    with zipfile.ZipFile(file.path) as archive, serialization_lib.ObjectSharingScope():
        config = {**json.loads(archive.read("config.json")), "compile_config": None}
        model = serialization_lib.deserialize_keras_object(
            config, dict(custom_objects), safe_mode=safe_mode
        )
        weights = saving_lib.H5IOStore(_WEIGHTS, archive=archive)
        assets = None
        if any(name.startswith("assets/") for name in archive.namelist()):
            assets = saving_lib.DiskIOStore("assets", archive=archive, mode="r")
        _WeightPlacer(weights, assets).place(model, "")
    return model


class _WeightPlacer:
    """Walks through a model as Keras 2.13 did."""

    def __init__(self, weights: Any, assets: Any) -> None:
        self._weights = weights
        self._assets = assets
        self._seen: set[int] = set()

    def place(self, part: object, path: str) -> None:
        if id(part) in self._seen:
            return
        self._seen.add(id(part))
        if hasattr(part, "load_own_variables"):
            part.load_own_variables(self._weights.get(path))
        if self._assets is not None and hasattr(part, "load_assets"):
            part.load_assets(self._assets.get(path))
        for name, child in _attributes(part):
            self._place_child(child, f"{path}/{name}" if path else name)

    def _place_child(self, child: object, path: str) -> None:
        if _has_arrays(child):
            self.place(child, path)
        elif isinstance(child, dict):
            self._place_all(list(child.values()), path)
        elif isinstance(child, (list, tuple, set)):
            self._place_all(list(child), path)

    def _place_all(self, children: list[Any], path: str) -> None:
        from tf_keras.src.utils.generic_utils import to_snake_case

        used: dict[str, int] = {}
        for child in filter(_has_arrays, children):
            name = to_snake_case(type(child).__name__)
            used[name] = used.get(name, -1) + 1
            self.place(child, f"{path}/{name}_{used[name]}" if used[name] else f"{path}/{name}")


def _has_arrays(value: object) -> bool:
    from tf_keras.src.saving.saving_lib import _is_keras_trackable

    return bool(_is_keras_trackable(value))


def _attributes(part: object) -> Iterator[tuple[str, Any]]:
    from tf_keras.src.saving.saving_lib import ATTR_SKIPLIST

    for name in dir(part):
        if name.startswith("__") or (name in ATTR_SKIPLIST and name != _DEPENDENCIES):
            continue
        try:
            value = getattr(part, name)
        except Exception:  # properties that are not there yet
            continue
        yield name, value
