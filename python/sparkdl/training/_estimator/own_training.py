"""What the class of a model overrides of Keras' training: respected, or refused before training.

`compute_loss`, `compute_metrics`, `metrics`, `reset_metrics`, `get_metrics_result`, `compile`,
`call`, `add_loss` and the methods of optimizers are called as Keras calls them, and `predict_step`
is what the fitted model applies. Nobody calls `stateless_compute_loss` (that is for JAX),
`train_on_batch` and its kin (`fit` does not either), nor `get_compile_config` and
`compile_from_config`, since the params say how the model is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._models.overridden import overrides
from sparkdl._placement.local_arrays import Rows
from sparkdl._placement.placement import TRAINING
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.errors.user_warnings import warn
from sparkdl.training._loop.training_spec import Spec

if TYPE_CHECKING:
    import keras

    from sparkdl.training._loop.step_functions import Steps

_TRAINING = ("train_step", "make_train_function", "fit")
_VALIDATION = ("test_step", "make_test_function", "evaluate")
_PREDICTION = ("make_predict_function", "predict")
_TOLERANCE = 1e-3


def check_own_training(model: keras.Model, validates: bool) -> None:
    """Refuse what workers do not call; warn of what the fitted model does not.

    Raises
    ------
    InvalidModelException
        The model has its own step or loop of training, or of validation if it is validated.
    """
    for method in (*_TRAINING, *(_VALIDATION if validates else ())):
        if overrides(model, method):
            raise InvalidModelException(_refusal(model, method, method in _VALIDATION))
    for method in _PREDICTION:
        if overrides(model, method):
            warn(
                f"{type(model).__name__} overrides {method}, which the fitted model does not call: "
                "it applies call, or predict_step where that is overridden."
            )


def _refusal(model: keras.Model, method: str, validating: bool) -> str:
    without = "leave out validationFraction and validationCol, or " if validating else ""
    return (
        f"{type(model).__name__} overrides {method}, which KerasEstimator would not call: workers "
        "compute the gradients of their shares of a batch and sum them. To train the model its own "
        f"way, {without}call its fit on sparkdl.tf_dataset(df, ...), on one machine, or in a "
        "function for sparkdl.TensorFlowDistributor, on several. (compute_loss, compute_metrics "
        "and add_loss are respected.)"
    )


def check_own_loss(model: keras.Model, spec: Spec, workers: int) -> None:
    """Refuse losses and metrics of the model's own that do not add up over workers.

    Raises
    ------
    SettingsException
        A loss is not the mean over rows, or a result is not that of a metric.
    """
    if not _has_own_parts(model):
        return
    from sparkdl.training._loop.step_functions import Steps

    fields = spec.layout.fields
    rows = Rows(Path(), spec.layout, TRAINING, 0, model, spec.loss)
    steps = Steps(model, rows, len(fields.labels), fields.weight is not None)
    if workers > 1:
        _check_mean(model, steps, _made_up(rows, len(fields.inputs)), workers)


def _has_own_parts(model: keras.Model) -> bool:
    return any(type(layer).__module__.split(".")[0] != "keras" for layer in model._flatten_layers())


def _check_mean(
    model: keras.Model, steps: Steps, arrays: Sequence[NDArray[Any]], workers: int
) -> None:
    """Compare the loss of two rows with the losses of each, unless it is random."""
    whole, again = steps.loss(arrays), steps.loss(arrays)
    mean = sum(steps.loss([a[i : i + 1] for a in arrays]) for i in (0, 1)) / 2
    if not np.isfinite([whole, mean]).all() or whole != again:
        return
    if not np.isclose(whole, mean, rtol=_TOLERANCE, atol=_TOLERANCE**2):
        raise SettingsException(
            f"The loss of {type(model).__name__} (compute_loss, add_loss) is not a mean over rows: "
            f"it is {whole:.4g} for two rows and {mean:.4g} on average for each of them, and the "
            f"losses of {workers} workers' shares do not add up to it. Use keras.ops.mean over the "
            "rows instead of a sum, or set numWorkers=1."
        )


def _made_up(rows: Rows, inputs: int) -> list[NDArray[Any]]:
    """Return two rows: random floats and ones to the inputs, zeros as labels, weights of one."""
    draw = np.random.default_rng(0)

    def two(place: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        if place < inputs and dtype != "string":
            normal = draw.normal(size=(2, *shape))
            return normal.astype(dtype) if "float" in dtype else np.ones((2, *shape), dtype)
        return np.zeros((2, *shape), "S1" if dtype == "string" else dtype)

    kinds = zip(rows.examples(), rows.kinds(), strict=True)
    return [two(i, shape, dtype) for i, (shape, (_, dtype)) in enumerate(kinds)]
