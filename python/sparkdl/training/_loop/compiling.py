"""How a model is compiled, which its class may decide."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    import keras

_SCALING = "auto_scale_loss"


def compile_with(model: keras.Model, **settings: Any) -> None:
    """Compile a model with what is set; its own `compile` need not take anything else.

    Raises
    ------
    SettingsException
        A `compile` of its own does not take that, or does not compile the model.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    signature = inspect.signature(model.compile)
    takes_all = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    if takes_all or _SCALING in signature.parameters:
        given[_SCALING] = False  # the optimizer scales, if need be
    try:
        signature.bind(**given)
    except TypeError as e:
        raise SettingsException(
            f"{type(model).__name__}.compile takes {signature}, but training calls it with "
            f"{', '.join(f'{name}=' for name in given)}: {e}. Let it take these and pass them to "
            "super().compile; other settings belong into the constructor."
        ) from e
    model.compile(**given)
    if getattr(model, "optimizer", None) is None:
        raise SettingsException(
            f"{type(model).__name__}.compile leaves the model without an optimizer. Let it call "
            "super().compile with the optimizer, loss and metrics that it is given."
        )
