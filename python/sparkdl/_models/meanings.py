"""What the outputs of a Keras model say of a row: a number, or how probable classes are.

The loss decides, where the model is compiled; else the last activation, where it is one of classes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sparkdl._models.each_output import for_each_output
from sparkdl._models.model_ends import End, output_ends, structure_of

# The entry of a bundle's source, and the values, which `org.sparkdl.model.Meanings` reads.
PREDICTS = "predicts"
NUMBER, NUMBERS, INDEPENDENT = "number", "numbers", "independent"
PROBABILITY, PROBABILITIES = "probability", "probabilities"
LOGIT, LOGITS = "logit", "logits"

_BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
_OF_CLASSES = (
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "sparse_categorical_crossentropy",
)
_OF_NUMBERS = (
    *("mean_squared_error", "mse", "mean_absolute_error", "mae", "huber", "log_cosh", "logcosh"),
    *("mean_absolute_percentage_error", "mape", "mean_squared_logarithmic_error", "msle"),
    "poisson",
)
# What gives the numbers that it is given, perhaps in another shape or type.
_PASSING = ("Flatten", "Reshape", "Identity", "Dropout")


_REMEMBERED: WeakKeyDictionary[object, dict[str, str]] = WeakKeyDictionary()


def remember(model: object, known: Mapping[str, str]) -> None:
    """Let `meanings` return what is known of a model that was read again without its losses."""
    _REMEMBERED[model] = dict(known)


def meanings(model: object, layers: Sequence[str] | None) -> dict[str, str]:
    """Return what each output says of a row, by its name; nothing of those that nobody knows.

    Parameters
    ----------
    model : keras.Model
    layers : sequence of str
        What the model calls its outputs, as for `output_ends`.
    """
    from keras import tree

    if model in _REMEMBERED:
        return _REMEMBERED[model]
    structure = structure_of(model, "output")
    if structure is None:
        return {}
    ends = output_ends(structure, tree, layers)
    losses = for_each_output(getattr(model, "loss", None), ends)
    found = {end.name: _meaning(end, loss) for end, loss in zip(ends, losses, strict=True)}
    return {name: meaning for name, meaning in found.items() if meaning is not None}


def _meaning(end: End, loss: object) -> str | None:
    shape = tuple(end.leaf.shape)[1:]
    if len(shape) > 1 or None in shape:
        return None
    single = shape in ((), (1,))
    return _by_loss(loss, single) or _by_activation(last_activation(end.leaf), single)


def _by_loss(loss: object, single: bool) -> str | None:
    name = _loss_name(loss)
    if name in _OF_NUMBERS:
        return NUMBER if single else NUMBERS
    if name in _BINARY:
        of_one = LOGIT if _from_logits(loss) else PROBABILITY
        return of_one if single else INDEPENDENT
    if name in _OF_CLASSES and not single:
        return LOGITS if _from_logits(loss) else PROBABILITIES
    return None


def _by_activation(name: str | None, single: bool) -> str | None:
    if name == "sigmoid":
        return PROBABILITY if single else INDEPENDENT
    return PROBABILITIES if name == "softmax" and not single else None


def _loss_name(loss: object) -> str:
    """Return the name of a loss of Keras as functions have it; "" for any other."""
    text = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    if not isinstance(loss, str) and "keras" not in str(getattr(loss, "__module__", "")):
        return ""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(text)).lower()


def _from_logits(loss: Any) -> bool:
    configuration = loss.get_config() if hasattr(loss, "get_config") else {}
    return bool(configuration.get("from_logits", False))


def last_activation(tensor: Any) -> str | None:
    """Return the name of the activation that gives a symbolic tensor of Keras; None if none does.

    >>> import keras
    >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    >>> last_activation(network.outputs[0])
    'softmax'
    """
    history = getattr(tensor, "_keras_history", None)
    layer = getattr(history, "operation", None) or getattr(history, "layer", None)
    if layer is None or history is None:
        return None
    inner = getattr(layer, "outputs", None)
    if inner:  # a model in the model
        return last_activation(inner[history.tensor_index])
    if type(layer).__name__ in ("Softmax", "Sigmoid"):
        return type(layer).__name__.lower()
    name = getattr(getattr(layer, "activation", None), "__name__", None)
    passes = type(layer).__name__ in _PASSING or (
        type(layer).__name__ == "Activation" and name == "linear"
    )
    return last_activation(_input_of(layer, history)) if passes else name


def _input_of(layer: Any, history: Any) -> Any:
    """Return what a layer was given when it made a tensor: Keras' nodes, or those of tf_keras."""
    node = layer._inbound_nodes[history.node_index]
    given = getattr(node, "keras_inputs", None) or node.input_tensors
    return given[0] if given else None
