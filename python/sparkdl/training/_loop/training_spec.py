"""What is to be trained, and how: all that workers are told, and the model that they make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparkdl._models.keras_configuration import readable
from sparkdl._placement.each_output import each
from sparkdl._placement.placement import Layout
from sparkdl.errors import SettingsException
from sparkdl.training._loop.optimizer import made_optimizer

_SUMMED = ("sum_over_batch_size", "mean")
_OF_WHOLE_BATCHES = ("dice", "tversky", "circle")


@dataclass(frozen=True)
class Spec:
    """A training.

    Attributes
    ----------
    model : bytes
        The file of Keras, which ends in `suffix`.
    optimizer, loss, loss_weights, metrics : object
        As Keras' `compile` takes them, or their configurations.
    batch : int
        Rows of a global batch.
    seed : int
        Of the order of the rows, and of dropout.
    sync_every : int
        Steps that workers take alone before their weights are averaged; 1: gradients are summed.
    checkpoint_steps : int
        Steps between states that are sent to the driver within an epoch; 0: none are.
    """

    model: bytes
    suffix: str
    custom_objects: Mapping[str, Any]
    safe_mode: bool
    optimizer: Any
    loss: Any
    metrics: Any
    batch: int
    epochs: int
    shuffle: bool
    seed: int
    sync_every: int
    checkpoint_steps: int
    layout: Layout
    loss_weights: Any = None


def built(spec: Spec, folder: Path) -> Any:
    """Return the model of a training, as a worker makes it: loaded and compiled."""
    import keras

    from sparkdl._models.files.loading import load_to_train

    file = folder / f"model{spec.suffix}"
    file.write_bytes(spec.model)
    with keras.saving.custom_object_scope(dict(spec.custom_objects)):
        model = load_to_train(file, spec.custom_objects, spec.safe_mode)
    return compiled(spec, model)


def compiled(spec: Spec, model: Any) -> Any:
    """Compile a model that was loaded; return it with the variables of its optimizer.

    Raises
    ------
    SettingsException
        Keras cannot compile the model, or a loss is not the mean over rows.
    """
    import keras

    with keras.saving.custom_object_scope(dict(spec.custom_objects)):
        losses = _compile(model, spec)
    each(losses, _check_reduction)
    model.optimizer.build(model.trainable_variables)
    return model


def _compile(model: Any, spec: Spec) -> Any:
    """Compile a model; return its losses."""
    import keras

    try:
        losses = each(spec.loss, lambda loss: keras.losses.get(readable(loss)))
        model.compile(
            optimizer=made_optimizer(spec.optimizer, model),
            loss=losses,
            loss_weights=spec.loss_weights,
            metrics=each(spec.metrics, _metric),
            auto_scale_loss=False,  # the optimizer does, if it is to
        )
    except (TypeError, ValueError) as e:
        raise SettingsException(
            f"Keras cannot make the optimizer, a loss or a metric: {e} Classes of your own must be "
            "in custom_objects, by name."
        ) from e
    return losses


def _metric(value: Any) -> Any:
    """Return a metric of its configuration; names stay, for Keras looks at the loss to tell."""
    import keras

    return keras.metrics.deserialize(readable(value)) if isinstance(value, Mapping) else value


def check_shares(spec: Spec, count: int) -> None:
    """Check that the losses of several workers' shares add up to that of a batch.

    Raises
    ------
    SettingsException
        A loss of Keras takes all rows of a batch together.
    """
    import keras

    def check(value: Any) -> None:
        loss = keras.losses.get(readable(value))
        name = getattr(loss, "__name__", type(loss).__name__)
        axis = getattr(loss, "axis", None)
        apart = axis is not None and 0 not in np.atleast_1d(axis)
        whole = name.lower() in _OF_WHOLE_BATCHES and not (apart and name != "Circle")
        if whole and loss.__module__.startswith("keras."):
            raise SettingsException(
                f"Loss {name} takes all rows of a batch together, and the shares of {count} "
                "workers do not add up to it. Set numWorkers=1, or, of Dice and Tversky, an axis "
                "without 0, such as keras.losses.Dice(axis=(1, 2, 3))."
            )

    if count > 1:
        with keras.saving.custom_object_scope(dict(spec.custom_objects)):
            each(spec.loss, check)


def _check_reduction(loss: Any) -> None:
    reduction = getattr(loss, "reduction", _SUMMED[0])
    if reduction not in _SUMMED:
        raise SettingsException(
            f"Loss {getattr(loss, 'name', loss)} has reduction {reduction!r}. The loss of a global "
            "batch is the mean over its rows, which workers compute together; use reduction "
            "'sum_over_batch_size', Keras' default."
        )
