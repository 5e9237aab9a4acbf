"""The model that trials begin with, as the driver sees it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._models.model_ends import check_called, model_inputs, model_outputs
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    import keras


def load_image_model(
    file: Path, custom_objects: Mapping[str, Any] | None, safe_mode: bool
) -> keras.Model:
    """Load the model on the driver, so that its faults are known before anything runs.

    Raises
    ------
    InvalidModelException
        It is not a model from one input of images to one output.
    """
    from sparkdl._models.files.loading import load_to_train

    model = load_to_train(file, custom_objects, safe_mode)
    check_called(model, "model")
    ends = [[list(e.leaf.shape) for e in found(model)] for found in (model_inputs, model_outputs)]
    if [len(e) for e in ends] != [1, 1] or len(ends[0][0]) != 4:
        raise InvalidModelException(
            f"Cannot train {file.name} on images: expected one input [rows, height, width, "
            f"channels] and one output, got inputs {ends[0]} and outputs {ends[1]}."
        )
    return model
