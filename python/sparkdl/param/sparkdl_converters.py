"""`SparkDLTypeConverters`: converters for params that hold graphs, mappings or parts of Keras."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparkdl._models.keras_configuration import (
    configuration,
    loss_of,
    optimizer_of,
    with_objects,
)
from sparkdl._models.libraries import tensorflow
from sparkdl.errors import SparkDLException
from sparkdl.errors.builtin_errors import WrongTypeException

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from sparkdl.graph.input import TFInputGraph

OUTPUT_MODES = ("vector", "image")
CHANNEL_ORDERS = ("L", "RGB", "BGR")

_TENSOR = re.compile(r"[^:]+:\d+")
_TENSOR_OR_KEY = re.compile(r"[^:]+(:\d+)?")


class SparkDLTypeConverters:
    """Functions that return a param's value as the stages want it, or raise."""

    @staticmethod
    def toTFGraph(value: object) -> tf.Graph:
        """Accept a `tf.Graph`; else a TypeError."""
        return _instance(value, tensorflow().Graph, "a tf.Graph")

    @staticmethod
    def toTFInputGraph(value: object) -> TFInputGraph:
        """Accept a `TFInputGraph`; else a TypeError."""
        from sparkdl.graph.input import TFInputGraph

        graph: TFInputGraph = _instance(value, TFInputGraph, "a sparkdl.TFInputGraph")
        return graph

    @staticmethod
    def asColumnToTensorNameMap(value: object) -> list[tuple[str, str]]:
        """Return sorted pairs of column and input, for a dict or pairs; else a TypeError.

        An input is the name of a tensor or operation, a key of a signature, or a tensor.
        """
        return sorted((_column(c), _tensor_or_key(t)) for c, t in _pairs(value, "{column: input}"))

    @staticmethod
    def asTensorNameToColumnMap(value: object) -> list[tuple[str, str]]:
        """Return sorted pairs of output and column, for a dict or pairs; else a TypeError."""
        pairs = _pairs(value, "{output: column}")
        return sorted((_tensor_or_key(t), _column(c)) for t, c in pairs)

    @staticmethod
    def toTFTensorName(value: object) -> str:
        """Return "operation:index", as it is or as the name of a tensor; else a TypeError."""
        name = value if isinstance(value, str) else getattr(value, "name", None)
        if not isinstance(name, str) or not _TENSOR.fullmatch(name):
            raise WrongTypeException(
                f"Expected a tensor or its name, such as 'scores:0', got {value!r}."
            )
        return name

    @staticmethod
    def buildSupportedItemConverter(supportedList: Sequence[Any]) -> Callable[[Any], Any]:
        """Return a converter that accepts members of a list; else a TypeError that lists them."""

        def converter(value: object) -> Any:
            if value not in supportedList:
                raise WrongTypeException(
                    f"{value!r} is not supported. Expected one of: "
                    f"{', '.join(map(str, supportedList))}."
                )
            return value

        return converter

    @staticmethod
    def toKerasLoss(value: object) -> Any:
        """Accept what Keras knows as a loss, a live one as its configuration; else a ValueError."""
        from sparkdl._models.libraries import keras
        from sparkdl.utils.keras_model import is_valid_loss_function

        if not is_valid_loss_function(value):
            raise SparkDLException(
                _unknown_class("loss", value)
                or f"Keras does not know the loss {value!r}. Expected a name such as "
                "'categorical_crossentropy' or 'mse'."
            )
        losses = keras().losses
        if isinstance(value, Mapping):
            return with_objects(value, loss_of(value))
        return configuration(value, losses.serialize) if isinstance(value, losses.Loss) else value

    @staticmethod
    def toKerasOptimizer(value: object) -> Any:
        """Accept what Keras knows as an optimizer; else a TypeError.

        A live one becomes its configuration, which can be saved and shares no state.
        """
        from sparkdl._models.libraries import keras
        from sparkdl.utils.keras_model import is_valid_optimizer

        if not is_valid_optimizer(value):
            raise WrongTypeException(
                _unknown_class("optimizer", value)
                or f"Keras does not know the optimizer {value!r}. Expected a name such as 'adam' "
                "or 'sgd', or an optimizer such as keras.optimizers.Adam(1e-3)."
            )
        optimizers = keras().optimizers
        if isinstance(value, Mapping):
            return with_objects(value, optimizer_of(value))
        if not isinstance(value, optimizers.Optimizer):
            return value
        _refuse_exceptions_from_decay(value)
        return configuration(value, optimizers.serialize)

    @staticmethod
    def toKerasFitParams(value: object) -> dict[str, Any]:
        """Accept a dict of keywords of Keras' `fit` other than the data; else a ValueError."""
        if not isinstance(value, Mapping) or not all(isinstance(k, str) for k in value):
            raise SparkDLException(
                f"kerasFitParams must be a dict of keywords of keras.Model.fit, got {value!r}."
            )
        if value.keys() & {"x", "y"}:
            raise SparkDLException(
                "kerasFitParams must not have x or y: the data come from inputCol and labelCol."
            )
        fit_params = dict(value)
        weights = fit_params.get("class_weight")
        if isinstance(weights, Mapping):  # the JSON of a saved stage has the classes as text
            fit_params["class_weight"] = {int(k): v for k, v in weights.items()}
        return fit_params

    @staticmethod
    def toChannelOrder(value: object) -> str:
        """Accept "L", "RGB" or "BGR"; else a ValueError."""
        if value not in CHANNEL_ORDERS:
            raise SparkDLException(
                f"Unknown channel order {value!r}. Expected one of: {', '.join(CHANNEL_ORDERS)}."
            )
        return str(value)


def _unknown_class(what: str, value: object) -> str | None:
    """Return what to do about a configuration whose class this process lacks."""
    if not isinstance(value, Mapping) or "class_name" not in value:
        return None
    name = value["class_name"]
    return (
        f"Keras does not know the class {name!r} of the {what}, whose code is not in its "
        f"configuration.\nRun this in keras.saving.custom_object_scope({{{name!r}: {name}}}), or "
        "decorate the class with keras.saving.register_keras_serializable()."
    )


def _refuse_exceptions_from_decay(optimizer: keras.optimizers.Optimizer) -> None:
    """Refuse an optimizer that exempts some variables, which its configuration does not say."""
    inner = getattr(optimizer, "inner_optimizer", None)
    optimizers = getattr(optimizer, "optimizers", [] if inner is None else [inner])
    for candidate in (optimizer, *optimizers):
        excluded = getattr(candidate, "_exclude_from_weight_decay", None)
        if excluded or getattr(candidate, "_exclude_from_weight_decay_pattern", None):
            raise SparkDLException(
                f"The optimizer {candidate.name} has variables excluded from weight decay, which "
                "its configuration does not say, so workers would decay them. Call "
                "exclude_from_weight_decay(var_names=...) in __init__ of a custom subclass, and "
                "pass that in custom_objects."
            )


def _instance(value: object, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise WrongTypeException(f"Expected {what}, got {type(value).__name__}: {value!r}.")
    return value


def _pairs(value: object, form: str) -> list[tuple[Any, Any]]:
    items = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(items, list) or any(len(tuple(pair)) != 2 for pair in items):
        raise WrongTypeException(f"Expected a dict {form}, got {type(value).__name__}: {value!r}.")
    return [(first, second) for first, second in items]


def _column(value: object) -> str:
    if not isinstance(value, str):
        raise WrongTypeException(f"Expected the name of a column, got {value!r}.")
    return value


def _tensor_or_key(value: object) -> str:
    name = value if isinstance(value, str) else getattr(value, "name", None)
    if not isinstance(name, str) or not _TENSOR_OR_KEY.fullmatch(name):
        raise WrongTypeException(
            "Expected a tensor, the name of a tensor ('x:0') or operation ('x'), or a key of the "
            f"signature, got {value!r}."
        )
    return name
