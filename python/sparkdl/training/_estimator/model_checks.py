"""What an estimator's params say of a model's inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sparkdl._models.model_ends import End, model_inputs, model_outputs
from sparkdl._models.rnn_states import stateful_layers
from sparkdl._placement.pairing import pair_columns
from sparkdl._placement.training_columns import Field, Fields
from sparkdl.errors import InvalidModelException, SettingsException


def output_columns(estimator: Any, model: Any) -> list[str]:
    """Return the new columns of the fitted model, in the order of its outputs."""
    given: Any = estimator.getOutputCols()
    if not estimator.isSet("outputCols"):
        return list(given)
    return pair_columns("outputCols", given, model_outputs(model), "output")


def check_trainable(model: Any) -> None:
    """Refuse recurrent layers that keep their state from batch to batch.

    Raises
    ------
    InvalidModelException
        There are some: several workers have no batch before the next one, and rows change places.
    """
    found = ", ".join(f"'{layer.name}'" for layer in stateful_layers(model))
    if found:
        raise InvalidModelException(
            f"Cannot train '{model.name}': stateful=True lets {found} begin each batch with the "
            "state in which the last one ended, but workers share batches, so that a row follows "
            "other rows than in Keras. Build the model with stateful=False (weights are the same: "
            "set_weights(model.get_weights())), or train it with TensorFlowDistributor."
        )


def check_lists(estimator: Any, model: Any) -> None:
    """Refuse lists for outputs whose order is not that of Keras.

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


def _is_flat(value: Any) -> bool:
    """Say whether a value is a list by outputs, without the names that outputs have in dicts."""
    if not isinstance(value, (list, tuple)):
        return False
    return not any(isinstance(one, Mapping) and "class_name" not in one for one in value)


def _names(ends: Sequence[End]) -> str:
    return ", ".join(end.name for end in ends)


def _place(end: End) -> int:
    return end.place


def announced(fields: Fields, model: Any) -> list[str]:
    """Return lines that tell which column is whose, for what the model has several of."""
    return [
        *_paired("inputs", model_inputs(model), fields.inputs),
        *_paired("labels", model_outputs(model), fields.labels),
    ]


def _paired(what: str, ends: Sequence[End], fields: Sequence[Field]) -> list[str]:
    if len(fields) < 2:
        return []
    pairs = (f"{end.name} from {f.name}" for end, f in zip(ends, fields, strict=True))
    return [f"{what}: {', '.join(pairs)}"]
