"""What is to be trained, and how: all that workers need to know, and how they make the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._models.each_output import each
from sparkdl._models.files.missing_objects import missing_object
from sparkdl._models.keras_arguments import LossLike, OptimizerLike, PerOutput
from sparkdl._models.keras_configuration import loss_of, metric_of
from sparkdl._placement.placement import Layout
from sparkdl.errors import SettingsException
from sparkdl.training._loop.compiling import compile_with
from sparkdl.training._loop.optimizer import make_optimizer

if TYPE_CHECKING:
    import keras

_MEANS = ("sum_over_batch_size", "mean")
_OF_WHOLE_BATCHES = ("dice", "tversky", "circle")


@dataclass(frozen=True)
class Spec:
    """A training.

    Attributes
    ----------
    model : Path
        The file of Keras, on the driver's machine; workers ask the driver for it.
    optimizer, loss, loss_weights, metrics : object
        As Keras' `compile` takes them, or their configurations.
    batch : int
        Rows of a global batch.
    seed : int
        Of the order of the rows, and of dropout.
    sync_every : int
        Steps that workers take alone before their weights are averaged; 1: gradients are summed.
    by_length : bool
        Whether a batch is of rows of like length.
    checkpoint_steps : int
        Steps between the states that are sent to the driver within an epoch; 0: none are.
    """

    model: Path
    custom_objects: Mapping[str, Any]
    safe_mode: bool
    optimizer: OptimizerLike
    loss: LossLike | PerOutput | None
    metrics: PerOutput | None
    batch: int
    epochs: int
    shuffle: bool
    seed: int
    sync_every: int
    checkpoint_steps: int
    layout: Layout
    loss_weights: PerOutput | None = None
    by_length: bool = False


def build_model(spec: Spec, file: Path) -> keras.Model:
    """Return the model of a training, as a worker makes it: loaded from a file and compiled."""
    import keras

    from sparkdl._models.files.loading import load_to_train

    with keras.saving.custom_object_scope(dict(spec.custom_objects)):
        model = load_to_train(file, spec.custom_objects, spec.safe_mode)
    return compile_model(spec, model)


def compile_model(spec: Spec, model: keras.Model) -> keras.Model:
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


def _compile(model: keras.Model, spec: Spec) -> LossLike | PerOutput | None:
    """Compile a model; return its losses."""
    try:
        losses: LossLike | PerOutput | None
        losses = each(spec.loss, loss_of)
        compile_with(
            model,
            optimizer=make_optimizer(spec.optimizer, model),
            loss=losses,
            loss_weights=spec.loss_weights,
            metrics=each(spec.metrics, metric_of),
        )
    except SettingsException:
        raise
    except (TypeError, ValueError) as e:
        raise SettingsException(_explain(e)) from e
    return losses


def _explain(error: Exception) -> str:
    unknown = missing_object(str(error))
    if unknown is None:
        return f"Keras cannot make the optimizer, a loss or a metric: {error}"
    kind, name = unknown[0], unknown[1].split(">")[-1]
    return (
        f"The optimizer, a loss or a metric has the custom {kind} {name!r}, whose code is not in "
        f"its configuration.\nPass it: custom_objects={{{name!r}: {name}}}."
    )


def check_shares(spec: Spec, count: int) -> None:
    """Check that the losses of several workers' shares add up to that of a batch.

    Raises
    ------
    SettingsException
        A loss of Keras takes all rows of a batch together.
    """
    import keras

    def check(value: LossLike) -> None:
        loss = loss_of(value)
        name = getattr(loss, "__name__", type(loss).__name__)
        axis = getattr(loss, "axis", None)
        by_row = axis is not None and 0 not in np.atleast_1d(axis)
        whole = name.lower() in _OF_WHOLE_BATCHES and not (by_row and name != "Circle")
        if whole and loss.__module__.startswith("keras."):
            raise SettingsException(
                f"Loss {name} takes all rows of a batch together, and the losses of {count} "
                "workers' shares do not add up to it. Set numWorkers=1, or give Dice and Tversky "
                "an axis without 0, such as keras.losses.Dice(axis=(1, 2, 3))."
            )

    if count > 1:
        with keras.saving.custom_object_scope(dict(spec.custom_objects)):
            each(spec.loss, check)


def _check_reduction(loss: LossLike) -> None:
    reduction = getattr(loss, "reduction", _MEANS[0])
    if reduction not in _MEANS:
        raise SettingsException(
            f"Loss {getattr(loss, 'name', loss)} has reduction {reduction!r}. The loss of a global "
            "batch is the mean over its rows, which workers compute together; use reduction "
            "'sum_over_batch_size', Keras' default."
        )
