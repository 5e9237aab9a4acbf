"""The file of the model that is to be trained, and other files of this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparkdl._paths import KERAS_FILES, new_folder
from sparkdl.errors import InvalidModelException


def stored_model(model: Any) -> str:
    """Write a live model to a file of Keras, which is removed when this process ends."""
    from sparkdl._lazy import keras

    file = new_folder("given") / "model.keras"
    keras().saving.save_model(model, file)
    return str(file)


def keras_model(estimator: Any) -> Any:
    """Load the model on the driver, so that what is wrong with it is known before anything runs."""
    from sparkdl._keras_source import load_keras_file

    file = Path(estimator.getModelFile()).expanduser()
    if file.suffix not in KERAS_FILES or not file.is_file():
        raise InvalidModelException(
            f"Cannot train {file}: expected a file of Keras ({', '.join(KERAS_FILES)}) on the "
            "driver's machine, or a live model (model=...). The weights of bundles and SavedModels "
            "are constants."
        )
    model = load_keras_file(file, estimator.custom_objects, estimator.safe_mode)
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.inputs[0].shape) != 4:
        ends = [list(t.shape) for t in model.inputs], [list(t.shape) for t in model.outputs]
        raise InvalidModelException(
            f"Cannot train {file.name} on images: expected one input [rows, height, width, "
            f"channels] and one output, got inputs {ends[0]} and outputs {ends[1]}."
        )
    return model
