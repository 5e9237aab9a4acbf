"""What an estimator's params say of a model's inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sparkdl._models.model_ends import End, model_inputs, model_outputs
from sparkdl._models.rnn_states import stateful_layers
from sparkdl._placement.pairing import pair_columns
from sparkdl._placement.training_columns import Field, Fields
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.training._estimator.keras_estimator_params import KerasEstimatorParams

if TYPE_CHECKING:
    import keras


def output_columns(estimator: KerasEstimatorParams, model: keras.Model) -> list[str]:
    """Return the new columns of the fitted model, in the order of its outputs."""
    columns = estimator.getOutputCols()
    if not estimator.isSet("outputCols"):
        return list(columns)
    return pair_columns("outputCols", columns, model_outputs(model), "output")


def check_trainable(model: keras.Model) -> None:
    """Refuse recurrent layers that keep their state from batch to batch.

    Raises
    ------
    InvalidModelException
        There are some: workers share batches, so a row would not follow the same rows as in Keras.
    """
    layers = ", ".join(f"'{layer.name}'" for layer in stateful_layers(model))
    if layers:
        raise InvalidModelException(
            f"Cannot train '{model.name}': stateful=True lets {layers} begin each batch with the "
            "state in which the last one ended, but workers share batches, so that a row follows "
            "other rows than in Keras. Build the model with stateful=False (weights are the same: "
            "set_weights(model.get_weights())), or train it with TensorFlowDistributor."
        )


def check_activities(model: keras.Model, workers: int) -> None:
    """Refuse losses of activities that do not add up over workers.

    Raises
    ------
    SettingsException
        There are some, and this Keras takes their sum over a batch instead of the mean.
    """
    layers = [one for one in model._flatten_layers() if one.activity_regularizer is not None]
    if workers > 1 and layers and not activities_are_means():
        raise SettingsException(
            f"activity_regularizer of '{layers[0].name}' is a sum over all rows of a batch in this "
            f"version of Keras, and the losses of {workers} workers' shares do not add up to it. "
            "Set numWorkers=1, or install the newest Keras, which takes the mean over rows."
        )


def activities_are_means() -> bool:
    """Say whether Keras divides the losses of activities by the rows of the batch."""
    import keras

    layer = keras.layers.ActivityRegularization(l1=1.0)
    layer(np.ones([2, 1], "float32"))
    return float(layer.losses[0]) == 1


def check_lists(estimator: KerasEstimatorParams, model: keras.Model) -> None:
    """Refuse lists for outputs in an order that Keras would change.

    Raises
    ------
    SettingsException
        loss, lossWeights or metrics is a list, and Keras would sort the keys of the outputs.
    """
    ends = model_outputs(model)
    places = [end.place for end in ends]
    if places == sorted(places):
        return
    for param in ("loss", "lossWeights", "metrics"):
        if _is_flat(estimator.getOrDefault(param)):
            raise SettingsException(
                f"{param} is a list, but the outputs of the model are in a dict: their order is "
                f"{_names(ends)} in labelCols, and {_names(sorted(ends, key=_place))} where Keras "
                f"takes a list. Give {param} as a dict, by name."
            )


def _is_flat(value: object) -> bool:
    """Say whether a value is a list with one element per output, without their names."""
    if not isinstance(value, (list, tuple)):
        return False
    return not any(isinstance(one, Mapping) and "class_name" not in one for one in value)


def _names(ends: Sequence[End]) -> str:
    return ", ".join(end.name for end in ends)


def _place(end: End) -> int:
    return end.place


def describe_pairing(fields: Fields, model: keras.Model) -> list[str]:
    """Return lines that say which column belongs to which end, where there are several."""
    return [
        *_pairs("inputs", model_inputs(model), fields.inputs),
        *_pairs("labels", model_outputs(model), fields.labels),
    ]


def _pairs(what: str, ends: Sequence[End], fields: Sequence[Field]) -> list[str]:
    if len(fields) < 2:
        return []
    pairs = (f"{end.name} from {f.name}" for end, f in zip(ends, fields, strict=True))
    return [f"{what}: {', '.join(pairs)}"]
