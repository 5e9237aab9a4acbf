"""What users hand to Keras, as types: type checkers do not know the classes of Keras here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias


class Configurable(Protocol):
    """An optimizer, a loss or a metric of Keras: it has a configuration that makes the same again.

    See `keras_configuration`.
    """

    def get_config(self) -> Any: ...


OptimizerLike: TypeAlias = str | Configurable | Mapping[str, Any]
LossLike: TypeAlias = str | Configurable | Callable[..., Any] | Mapping[str, Any]
# One value per output of a model, by place or by name, perhaps nested as the outputs are.
PerOutput: TypeAlias = Sequence[Any] | Mapping[str, Any]
