"""Files of live models, with the classes and functions of the program that loading them takes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._models.files.keras_file import read_keras_file
from sparkdl._models.kept_calls import call_kept
from sparkdl._models.libraries import keras
from sparkdl._models.live_keras import save_keras
from sparkdl._models.program_objects import (
    known_objects,
    named_lambdas,
    objects_of,
    parts_of,
    selected,
)

if TYPE_CHECKING:
    from keras import Model


def save_with_objects(
    model: Model, file: Path, save: Callable[[Model, Path], None] = save_keras
) -> dict[str, Any]:
    """Write a live model as a .keras file; return the custom objects that loading it takes."""
    parts = parts_of(model)
    with named_lambdas(parts) as lambdas, call_kept(model):
        save(model, file)
    config = read_keras_file(file).config
    return {**objects_of(parts, config), **selected(lambdas, config)}


def objects_of_file(file: Path, custom_objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the custom objects that a file takes: the user's, and those that are registered."""
    if not file.is_file():
        return dict(custom_objects)
    config = read_keras_file(file).config
    modules = [keras(), *filter(None, [sys.modules.get("tf_keras")])]
    known = {n: o for module in modules for n, o in known_objects(module, config).items()}
    return {**custom_objects, **known}
