"""Whether the predictions that an estimator's params name can be made of its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparkdl._models.live_keras import output_layers
from sparkdl._models.meanings import INDEPENDENT, NUMBER, NUMBERS, meanings
from sparkdl._models.model_ends import End, model_outputs
from sparkdl.errors import SettingsException
from sparkdl.param.predictions import COLUMNS
from sparkdl.training._estimator.keras_estimator_params import KerasEstimatorParams

if TYPE_CHECKING:
    import keras

_WHY = {
    NUMBERS: "it has several numbers per row that are no classes",
    INDEPENDENT: "any number of its classes may be right for a row, and not one of them",
    None: "nothing says what its numbers mean",
}


def predicted_output(estimator: KerasEstimatorParams, ends: Sequence[End]) -> End | None:
    """Return the output that predictions are made of: the one that is named, or the only one."""
    if estimator.isSet("predictionOutput"):
        name = estimator.getPredictionOutput()
        return next((end for end in ends if end.name == name), None)
    return ends[0] if len(ends) == 1 else None


def check_predictions(estimator: KerasEstimatorParams, model: keras.Model) -> None:
    """Refuse what the fitted model would refuse, before it is trained.

    Raises
    ------
    SettingsException
        No output is meant, or it does not give what the columns need.
    """
    wanted = [c for c in COLUMNS if estimator.isSet(c) and estimator.getOrDefault(c)]
    if not wanted:
        return
    ends = model_outputs(model)
    end = predicted_output(estimator, ends)
    if end is None:
        raise SettingsException(
            f"{wanted[0]} needs one output: set predictionOutput to one of "
            f"{', '.join(e.name for e in ends)}."
        )
    meaning = meanings(model, output_layers(model)).get(end.name, _of_shape(end))
    of_classes = [c for c in wanted if c != "predictionCol"]
    if meaning in _WHY:
        raise SettingsException(
            f"Output '{end.name}' gives no {wanted[0]}: {_WHY[meaning]}. Set outputCols instead, "
            "or train with a loss for a number or for classes."
        )
    if meaning == NUMBER and of_classes:
        raise SettingsException(
            f"Output '{end.name}' is a number and says nothing of classes, which {of_classes[0]} "
            f"needs. Leave {of_classes[0]} unset, or train with a loss for classes."
        )


def _of_shape(end: End) -> str | None:
    return NUMBER if tuple(end.leaf.shape)[1:] in ((), (1,)) else None
