"""Trainings that a seed draws: models, losses, metrics and optimizers, as plain data."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

Case = dict[str, Any]

CLASSES, WIDE = 3, 2
STRUCTURES = ("list", "tuple", "dict", "ordered")
LAYERS = ("tanh", "softplus", "regularized", "normalized", "shared")
# Of an output: its losses and its metrics, [name] or [class, settings].
ENDS: dict[str, tuple[list[Any], list[Any]]] = {
    "binary": (
        [
            ["binary_crossentropy"],
            ["BinaryCrossentropy", {"label_smoothing": 0.1}],
            ["BinaryFocalCrossentropy", {"gamma": 1.5, "apply_class_balancing": True}],
            ["mse"],
            ["squared_hinge"],
        ],
        [
            ["accuracy"],
            ["AUC", {"num_thresholds": 20}],
            ["AUC", {"curve": "PR", "num_thresholds": 10}],
            ["Precision", {"thresholds": [0.3, 0.6]}],
            ["Recall", {"thresholds": [0.45, 0.5, 0.55]}],
            ["TruePositives", {"thresholds": [0.2, 0.5]}],
            ["FalseNegatives", {}],
            ["F1Score", {"average": None, "threshold": 0.5}],
            ["BinaryIoU", {"target_class_ids": [0, 1]}],
            ["PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 20}],
            ["BinaryAccuracy", {"threshold": 0.4}],
            ["BinaryCrossentropy", {"label_smoothing": 0.1}],
            ["Hinge", {}],
            ["SensitivityAtSpecificity", {"specificity": 0.5, "num_thresholds": 20}],
        ],
    ),
    "sparse": (
        [["sparse_categorical_crossentropy"], ["SparseCategoricalCrossentropy", {}]],
        [
            ["accuracy"],
            ["SparseCategoricalAccuracy", {}],
            ["SparseTopKCategoricalAccuracy", {"k": 2}],
            ["MeanIoU", {"num_classes": CLASSES, "sparse_y_pred": False}],
            ["IoU", {"num_classes": CLASSES, "target_class_ids": [1], "sparse_y_pred": False}],
            ["SparseCategoricalCrossentropy", {}],
        ],
    ),
    "one_hot": (
        [
            ["categorical_crossentropy"],
            ["CategoricalCrossentropy", {"label_smoothing": 0.2}],
            ["CategoricalFocalCrossentropy", {"alpha": 0.4}],
            ["categorical_hinge"],
        ],
        [
            ["accuracy"],
            ["F1Score", {"average": None}],
            ["F1Score", {"average": "weighted"}],
            ["FBetaScore", {"average": "macro", "beta": 2.0, "threshold": 0.3}],
            ["TopKCategoricalAccuracy", {"k": 2}],
            ["OneHotIoU", {"num_classes": CLASSES, "target_class_ids": [0, 2]}],
            ["OneHotMeanIoU", {"num_classes": CLASSES}],
            ["AUC", {"multi_label": True, "num_labels": CLASSES, "num_thresholds": 10}],
            ["Precision", {"top_k": 1, "class_id": 1}],
            ["KLDivergence", {}],
            ["CategoricalCrossentropy", {"label_smoothing": 0.1}],
        ],
    ),
    "wide": (
        [
            ["mse"],
            ["mae"],
            ["Huber", {"delta": 0.3}],
            ["log_cosh"],
            ["CosineSimilarity", {"axis": -1}],
            ["mean_squared_logarithmic_error"],
        ],
        [
            ["mae"],
            ["RootMeanSquaredError", {}],
            ["R2Score", {"class_aggregation": None}],
            ["R2Score", {"class_aggregation": "variance_weighted_average"}],
            ["CosineSimilarity", {}],
            ["LogCoshError", {}],
            ["MeanAbsolutePercentageError", {}],
            ["MeanSquaredLogarithmicError", {}],
            ["SeveralErrors", {}],
        ],
    ),
}
# Settings of optimizers; the first of each is what a smaller case has.
RATES = ("small", "decay", "cosine")
OPTIMIZERS: dict[str, list[Mapping[str, Any]]] = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.8, "nesterov": True}],
    "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.8, "epsilon": 1e-5}],
    "AdamW": [{}, {"weight_decay": 0.01}],
    "Adamax": [{}, {"beta_2": 0.99}],
    "Nadam": [{}],
    "RMSprop": [{}, {"centered": True, "momentum": 0.5}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.3}],
    "Adadelta": [{}, {"rho": 0.9}],
    "Adafactor": [{}, {"relative_step": False}],
    "Ftrl": [{}, {"l1_regularization_strength": 0.001, "beta": 0.1}],
    "Lamb": [{}],
    "Lion": [{}, {"beta_1": 0.8}],
    "Muon": [{}],
    "ScheduleFreeAdamW": [{}, {"warmup_steps": 3}],
}
COMMON: list[Mapping[str, Any]] = [
    {},
    {"clipnorm": 0.05},
    {"clipvalue": 0.01},
    {"global_clipnorm": 0.05},
    {"weight_decay": 0.005},
    {"use_ema": True, "ema_momentum": 0.8},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 2},
]
WRAPPERS = ("none", "loss scale", "loss scale that overflows", "several")


@keras.saving.register_keras_serializable("sparkdl_tests")
class SeveralErrors(keras.metrics.Metric):  # type: ignore[misc]
    """A metric whose result is a dict, of a number and of several."""

    def __init__(self, name: str = "several_errors", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.sums = self.add_weight(shape=(WIDE,), initializer="zeros", name="sums")
        self.rows = self.add_weight(shape=(), initializer="zeros", name="rows")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count errors."""
        errors = keras.ops.abs(keras.ops.cast(y_true, y_pred.dtype) - y_pred)
        self.sums.assign_add(keras.ops.sum(errors, 0))
        self.rows.assign_add(keras.ops.cast(keras.ops.shape(y_pred)[0], "float32"))

    def result(self) -> dict[str, Any]:
        """Return errors of all columns together, and of each."""
        each = self.sums / keras.ops.maximum(self.rows, 1)
        return {"all_errors": keras.ops.mean(each), "errors": each}


def drawn(seed: int, number: int) -> Case:
    """Return the case that a seed and a number draw."""
    draw = random.Random(f"{seed}/{number}")
    kinds = [draw.choice(list(ENDS)) for _ in range(draw.choice([1, 1, 2, 3]))]
    inputs = [draw.randint(2, 5) for _ in range(draw.choice([1, 1, 2, 3]))]
    batch = draw.choice([5, 8, 13])
    name = draw.choice(list(OPTIMIZERS))
    return {
        "inputs": inputs,
        "input structure": _structure(draw, inputs),
        "outputs": [_drawn_end(draw, kind) for kind in kinds],
        "output structure": _structure(draw, kinds, STRUCTURES[:-1]),  # Keras takes no other loss
        "loss weights": draw.random() < 0.4,
        "layers": [draw.choice(LAYERS) for _ in range(draw.randint(0, 2))],
        "optimizer": name,
        "settings": {**draw.choice(OPTIMIZERS[name]), **draw.choice(COMMON)},
        "rate": draw.choice(RATES),
        "wrapper": draw.choice(("none", *WRAPPERS)),
        "batch": batch,
        "rows": batch * draw.randint(2, 4) + draw.randint(0, batch - 1),
        "epochs": draw.randint(1, 3),
        "weights": draw.random() < 0.3,
        "validation": draw.choice([0, 0.3]),
        "workers": draw.choice([1, 2, 2, 3]),
    }


def _structure(draw: random.Random, ends: Sequence[Any], known: Sequence[str] = STRUCTURES) -> str:
    return draw.choice(known) if len(ends) > 1 else draw.choice(("single", *known))


def _drawn_end(draw: random.Random, kind: str) -> Case:
    losses, metrics = ENDS[kind]
    some = draw.sample(metrics, draw.randint(0, 3))
    return {"kind": kind, "loss": draw.choice(losses), "metrics": some}


def model_of(case: Case) -> Any:
    """Return the model, with weights that do not depend on anything else."""
    keras.utils.set_random_seed(11)
    inputs = [keras.Input((n,), name=f"in_{i}") for i, n in enumerate(case["inputs"])]
    flat = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    for kind in case["layers"]:
        flat = _layered(kind, flat)
    ends = [_end(i, o["kind"])(flat) for i, o in enumerate(case["outputs"])]
    return keras.Model(
        structured(case["input structure"], "in", inputs),
        structured(case["output structure"], "out", ends),
    )


def _layered(kind: str, x: Any) -> Any:
    dense = keras.layers.Dense
    if kind == "regularized":
        return dense(4, "tanh", kernel_regularizer="l2", activity_regularizer="l1")(x)
    if kind == "normalized":
        return keras.layers.LayerNormalization()(dense(4)(x))
    if kind == "shared":
        wide, twice = dense(4, "tanh")(x), dense(4, "tanh")
        return twice(twice(wide))
    return dense(4, kind)(x)


def _end(i: int, kind: str) -> Any:
    units = {"binary": 1, "wide": WIDE}.get(kind, CLASSES)
    activation = {"binary": "sigmoid", "wide": None}.get(kind, "softmax")
    return keras.layers.Dense(units, activation, name=f"out_{i}")


def structured(kind: str, prefix: str, values: Sequence[Any]) -> Any:
    """Return values in a structure."""
    named = {f"{prefix}_{i}": v for i, v in enumerate(values)}
    if kind == "single":
        return values[0]
    if kind in ("dict", "ordered"):
        return named if kind == "dict" else OrderedDict(named)
    return tuple(values) if kind == "tuple" else list(values)


def optimizer_of(case: Case) -> Any:
    """Return a new optimizer."""
    one = _optimizer(case["optimizer"], case["settings"], case["rate"])
    wrapped = keras.optimizers.LossScaleOptimizer
    if case["wrapper"] == "loss scale":
        return wrapped(one, initial_scale=64.0, dynamic_growth_steps=3)
    if case["wrapper"] == "loss scale that overflows":  # float32 has no number of 2 ** 130
        return wrapped(one, initial_scale=2.0**127, dynamic_growth_steps=2)
    if case["wrapper"] == "several":
        mapped = {".*bias": keras.optimizers.SGD(0.05, momentum=0.5)}
        return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(one, mapped))
    return one


def _optimizer(name: str, settings: Mapping[str, Any], rate: str) -> Any:
    schedules = keras.optimizers.schedules
    rates = {
        "small": 0.01,
        "decay": schedules.ExponentialDecay(0.02, 3, 0.7),
        "cosine": schedules.CosineDecay(0.001, 4, warmup_target=0.02, warmup_steps=2),
    }
    return getattr(keras.optimizers, name)(learning_rate=rates[rate], **settings)


def losses_of(case: Case) -> Any:
    """Return losses as `compile` takes them."""
    return _per_output(case, [_made(keras.losses, o["loss"]) for o in case["outputs"]])


def metrics_of(case: Case) -> Any:
    """Return new metrics as `compile` takes them."""
    metrics = [[_made(keras.metrics, m) for m in o["metrics"]] for o in case["outputs"]]
    return metrics[0] if case["output structure"] == "single" else _per_output(case, metrics)


def loss_weights_of(case: Case) -> Any:
    """Return factors of losses, or None."""
    if not case["loss weights"] or case["output structure"] == "single":
        return None
    return _per_output(case, [1.0 / (i + 1) for i in range(len(case["outputs"]))])


def _per_output(case: Case, values: list[Any]) -> Any:
    kind = case["output structure"]
    if kind in ("dict", "ordered"):
        return structured("dict", "out", values)
    return values[0] if kind == "single" else values


def _made(module: Any, what: list[Any]) -> Any:
    if len(what) == 1:
        return what[0]
    name, settings = what
    return SeveralErrors() if name == "SeveralErrors" else getattr(module, name)(**settings)


def rows_of(case: Case) -> tuple[list[Any], list[Any], Any]:
    """Return inputs, labels as columns have them, and weights or None."""
    draw, rows = np.random.default_rng(3), case["rows"]
    inputs = [draw.normal(size=(rows, n)).astype("float32") for n in case["inputs"]]
    labels = [_labels(draw, o["kind"], rows) for o in case["outputs"]]
    weights = draw.uniform(0, 2, rows).astype("float32") if case["weights"] else None
    return inputs, labels, weights


def _labels(draw: Any, kind: str, rows: int) -> Any:
    if kind == "wide":
        return draw.uniform(0.1, 1, (rows, WIDE))
    return draw.integers(0, 2 if kind == "binary" else CLASSES, rows).astype("float64")


def for_keras(kind: str, labels: Any) -> Any:
    """Return labels as Keras' own `fit` wants them."""
    if kind == "sparse":
        return labels.astype("int32")
    if kind == "one_hot":
        return np.eye(CLASSES, dtype="float32")[labels.astype(int)]
    return labels.astype("float32").reshape(len(labels), -1)
