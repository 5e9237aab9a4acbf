"""The file of the model that is to be trained, and other files of this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparkdl._fitting.plain_dicts import with_plain_dicts
from sparkdl._paths import KERAS_FILES, new_folder
from sparkdl.errors import InvalidModelException, SettingsException


def stored_model(model: Any) -> str:
    """Write a live model to a file of Keras, which is removed when this process ends."""
    from sparkdl._lazy import keras

    file = new_folder("given") / "model.keras"
    keras().saving.save_model(with_plain_dicts(model), file)
    return str(file)


def take_model(
    estimator: Any, given: dict[str, Any], store: Callable[[Any], str] = stored_model
) -> dict[str, Any]:
    """Return what was given without what is no param: the model, whose file becomes modelFile.

    The estimator keeps `custom_objects` and `safe_mode`, which are code and its consent.

    Raises
    ------
    SettingsException
        A model and a file are both given.
    """
    params = dict(given)
    model = params.pop("model", None)
    estimator.custom_objects = params.pop("custom_objects", estimator.custom_objects)
    estimator.safe_mode = bool(params.pop("safe_mode", estimator.safe_mode))
    if model is not None:
        if params.get("modelFile") is not None:
            raise SettingsException(
                "model and modelFile are both given: give a live model or the path of one."
            )
        params["modelFile"] = store(model)
    return params


def keras_file(estimator: Any) -> Path:
    """Return the file of Keras that is to be trained.

    Raises
    ------
    InvalidModelException
        It is none, or not there.
    """
    file = Path(estimator.getModelFile()).expanduser()
    if file.suffix not in KERAS_FILES or not file.is_file():
        raise InvalidModelException(
            f"Cannot train {file}: expected a file of Keras ({', '.join(KERAS_FILES)}) on the "
            "driver's machine, or a live model (model=...). The weights of bundles and SavedModels "
            "are constants."
        )
    return file


def keras_model(estimator: Any) -> Any:
    """Load the model on the driver, so that what is wrong with it is known before anything runs."""
    from sparkdl._keras_source import load_keras_file

    file = keras_file(estimator)
    model = load_keras_file(file, estimator.custom_objects, estimator.safe_mode)
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.inputs[0].shape) != 4:
        ends = [list(t.shape) for t in model.inputs], [list(t.shape) for t in model.outputs]
        raise InvalidModelException(
            f"Cannot train {file.name} on images: expected one input [rows, height, width, "
            f"channels] and one output, got inputs {ends[0]} and outputs {ends[1]}."
        )
    return model
