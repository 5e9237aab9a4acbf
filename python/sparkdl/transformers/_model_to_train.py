"""The file of the model that is to be trained, and other files of this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sparkdl._models.files.content import is_of_keras, kind_of
from sparkdl._models.files.plain_dicts import with_plain_dicts
from sparkdl._places.held_folders import hold_new
from sparkdl._places.places import local_copy, place_of
from sparkdl._places.temporary_folders import new_folder
from sparkdl.errors import InvalidModelException, SettingsException

if TYPE_CHECKING:
    from keras import Model


class HasModelFile(Protocol):
    """An estimator with the path of a model to train."""

    def getModelFile(self) -> str: ...


class TakesModel(Protocol):
    """An estimator that takes a live model, or a file with what loading it needs."""

    custom_objects: Mapping[str, Any] | None
    safe_mode: bool


def stored_model(model: Model) -> str:
    """Write a live model to a file of Keras, which is removed when nothing refers to it any more.

    Raises
    ------
    InvalidModelException
        It is a model of tf_keras, which sparkdl does not train.
    SettingsException
        Keras runs on another backend than TensorFlow.
    """
    from sparkdl._models.libraries import keras_to_train
    from sparkdl._models.live_keras import is_tf_keras, versions

    if is_tf_keras(model):
        from sparkdl._models.files.loading import cannot_train

        [version] = versions(model).values()
        raise InvalidModelException(
            cannot_train(f"the model {model.name!r}", f"{version} (tf_keras)")
        )
    file = new_folder("given") / "model.keras"
    keras_to_train().saving.save_model(with_plain_dicts(model), file)
    return hold_new(file)


def take_model(
    estimator: TakesModel, keywords: dict[str, Any], store: Callable[[Any], str] = stored_model
) -> dict[str, Any]:
    """Return the keywords that are params; the file of a live model becomes modelFile.

    The estimator keeps `custom_objects` and `safe_mode`, which are code and consent to it.

    Raises
    ------
    SettingsException
        Both a model and a file are set.
    """
    params = dict(keywords)
    model = params.pop("model", None)
    estimator.custom_objects = params.pop("custom_objects", estimator.custom_objects)
    estimator.safe_mode = bool(params.pop("safe_mode", estimator.safe_mode))
    if model is not None:
        if params.get("modelFile") is not None:
            raise SettingsException(
                "model and modelFile are both set: pass a live model or the path of one."
            )
        params["modelFile"] = store(model)
    return params


def keras_file(estimator: HasModelFile) -> Path:
    """Return the file of Keras that is to be trained.

    Raises
    ------
    InvalidModelException
        It is not one, or not there.
    SettingsException
        Keras runs on another backend than TensorFlow.
    """
    from sparkdl._models.libraries import keras_to_train

    keras_to_train()
    why = "The weights of bundles and SavedModels are constants."
    return expect_keras_file(estimator.getModelFile(), "train", why)


def expect_keras_file(path: str, action: str, why: str = "") -> Path:
    """Return the local path of a file of Keras.

    Raises
    ------
    InvalidModelException
        It is not one, or not there; "Cannot <action> it", and what it is instead.
    """
    file = local_copy(path)
    if file is None or not is_of_keras(file):
        actual = "there is nothing" if file is None else f"it is {kind_of(file).what}"
        raise InvalidModelException(
            f"Cannot {action} {place_of(path)}: expected a file of Keras (.keras, .h5), or a live "
            f"model (model=...), but {actual}. {why}".rstrip()
        )
    return file
