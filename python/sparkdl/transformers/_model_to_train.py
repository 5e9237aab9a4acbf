"""The file of the model that is to be trained, and other files of this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sparkdl._models.files.content import is_of_keras, kind_of
from sparkdl._models.files.plain_dicts import with_plain_dicts
from sparkdl._models.model_ends import structure_of
from sparkdl._places.held_folders import hold_new
from sparkdl._places.places import local_copy, place_of
from sparkdl._places.temporary_folders import new_folder
from sparkdl.errors import InvalidModelException, SettingsException

if TYPE_CHECKING:
    from keras import Model


class TakesModel(Protocol):
    """An estimator that takes a live model, or a file with what loading it needs."""

    custom_objects: Mapping[str, Any] | None
    safe_mode: bool

    def getModelFile(self) -> str: ...

    def isSet(self, param: str) -> bool: ...


@dataclass(frozen=True)
class Loading:
    """What Keras needs to load a model, besides its file.

    Attributes
    ----------
    custom_objects : dict
        Classes and functions by name.
    safe_mode : bool
        Whether code that is pickled in the file is refused.
    """

    custom_objects: Mapping[str, Any]
    safe_mode: bool


# Methods that decide how a model is trained and applied.
_OF_TRAINING = (
    "call",
    "compile",
    "compute_loss",
    "compute_metrics",
    "evaluate",
    "fit",
    "get_metrics_result",
    "make_predict_function",
    "make_test_function",
    "make_train_function",
    "predict",
    "predict_step",
    "reset_metrics",
    "test_step",
    "train_step",
)
# The files of live models that this process has written: what they are made of by name, which is
# code of the program itself. A file elsewhere has none of it, so a saved estimator does not either.
_live_objects: dict[str, Mapping[str, Any]] = {}


def loading_of(estimator: TakesModel) -> Loading:
    """Return what an estimator's model takes: of a live one its own classes, and the user's."""
    path = estimator.getModelFile() if estimator.isSet("modelFile") else ""
    given = estimator.custom_objects or {}
    if path not in _live_objects:
        return Loading(given, estimator.safe_mode)
    return Loading({**_live_objects[path], **given}, safe_mode=False)


def stored_model(model: Model) -> str:
    """Write a live model to a file of Keras, which is removed when nothing refers to it any more.

    Raises
    ------
    InvalidModelException
        It is a model of tf_keras, which sparkdl does not train.
    SettingsException
        Keras runs on another backend than TensorFlow.
    """
    from sparkdl._models.files.custom_objects import save_with_objects
    from sparkdl._models.libraries import keras_to_train
    from sparkdl._models.live_keras import is_tf_keras, versions

    if is_tf_keras(model):
        from sparkdl._models.files.loading import cannot_train

        [version] = versions(model).values()
        raise InvalidModelException(
            cannot_train(f"the model {model.name!r}", f"{version} (tf_keras)")
        )
    keras_to_train()
    _refuse_own_methods(model)
    file = new_folder("given") / "model.keras"
    try:
        structure_of(model, "output")  # builds the layers of a subclassed model that are not yet
        _live_objects[str(file)] = save_with_objects(with_plain_dicts(model), file)
    except NotImplementedError as e:  # of Keras; it goes on for a page
        raise InvalidModelException(
            f"Cannot take the model {model.name!r} along: {_first_line(e)}\nGive that class a "
            "get_config() that returns the arguments of its constructor by name."
        ) from e
    return hold_new(file)


def _refuse_own_methods(model: Model) -> None:
    own = sorted(set(_OF_TRAINING) & vars(model).keys())
    if own:
        raise InvalidModelException(
            f"Cannot take along the {', '.join(own)} of the model {model.name!r}: it was assigned "
            "to the model itself, and files of Keras have classes. Override it in a class that "
            "extends keras.Model."
        )


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split()).split(". ")[0].rstrip(".,") + "."


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


def keras_file(estimator: TakesModel) -> Path:
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
