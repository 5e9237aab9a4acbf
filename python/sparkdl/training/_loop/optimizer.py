"""The optimizer that Keras makes of a param, for the model that it is to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkdl._models.keras_arguments import OptimizerLike
from sparkdl._models.keras_configuration import optimizer_of

if TYPE_CHECKING:
    import keras


def make_optimizer(value: OptimizerLike, model: keras.Model) -> keras.optimizers.Optimizer:
    """Return the optimizer of a name or a configuration, which is not changed.

    Parameters
    ----------
    value : str or dict
    model : keras.Model
        If it computes in float16, the optimizer scales the loss, as `compile` has it under the
        policy mixed_float16: files of Keras keep the policies of layers, and not the model's.
        Compile with `auto_scale_loss=False`.
    """
    import keras

    optimizer = optimizer_of(value)
    scales = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if scales or not _computes_in_float16(model):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")


def with_rate(optimizer: keras.optimizers.Optimizer, rate: float) -> keras.optimizers.Optimizer:
    """Return a new optimizer with this learning rate instead of its own, or of its schedule."""
    config = optimizer.get_config()
    holder = config["inner_optimizer"]["config"] if "inner_optimizer" in config else config
    holder["learning_rate"] = rate
    return type(optimizer).from_config(config)


def _computes_in_float16(model: keras.Model) -> bool:
    policies = (getattr(layer, "dtype_policy", None) for layer in model._flatten_layers())
    return any(getattr(p, "name", None) == "mixed_float16" for p in policies)
