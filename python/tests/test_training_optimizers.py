"""Optimizers and other configurations: Keras may read them as often as it likes."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from training_threads import spec_of, trained

from sparkdl.errors import SparkDLException
from sparkdl.estimators._classifier.head import new_optimizer
from sparkdl.param import SparkDLTypeConverters
from sparkdl.training._loop.optimizer import make_optimizer, with_rate
from sparkdl.training._loop.training_spec import build_model

schedules = keras.optimizers.schedules


@keras.saving.register_keras_serializable("sparkdl_tests")
class GreedyLoss(keras.losses.Loss):  # type: ignore[misc]
    """A loss that takes what it reads out of its configuration."""

    def __init__(self, factor: float = 1.0, **settings: Any) -> None:
        super().__init__(**settings)
        self.factor = factor

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return squared errors."""
        return self.factor * keras.ops.mean(keras.ops.square(y_true - y_pred), -1)

    def get_config(self) -> dict[str, Any]:
        """Return all."""
        return {**super().get_config(), "factor": self.factor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make one."""
        return cls(config.pop("factor"), **config)


@keras.saving.register_keras_serializable("sparkdl_tests")
class GreedyMetric(keras.metrics.MeanAbsoluteError):  # type: ignore[misc]
    """The same for metrics."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make one."""
        return cls(name=config.pop("name"))


def data() -> tuple[Any, Any]:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(50, 3)).astype("float32")
    return x, x.sum(1, keepdims=True)


def network(policy: str = "float32") -> Any:
    keras.utils.set_random_seed(2)
    layers = keras.layers
    ends = layers.Dense(1, dtype="float32")
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh", dtype=policy), ends])


def scaled(inner: Any, **settings: Any) -> Any:
    return keras.optimizers.LossScaleOptimizer(inner, **settings)


def several() -> Any:
    biases = {".*bias": keras.optimizers.SGD(0.2)}
    inner = keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.1), biases)
    return keras.optimizers.MultiOptimizer(inner)


MAKERS: dict[str, Any] = {
    "loss scale": lambda: scaled(keras.optimizers.SGD(0.1, momentum=0.5)),
    "growing scale": lambda: scaled(keras.optimizers.Adam(0.05), dynamic_growth_steps=2),
    "scale of a schedule": lambda: scaled(
        keras.optimizers.SGD(schedules.ExponentialDecay(0.1, 2, 0.5), clipnorm=0.5)
    ),
    "scale of averages": lambda: scaled(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8)),
    "several": several,
    "no name in Keras' table": lambda: keras.optimizers.Lamb(0.05),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("workers", [1, 2])
def test_optimizers_that_hold_others_follow_keras(name: str, workers: int, tmp_path: Path) -> None:
    model, (x, y) = network(), data()
    spec = spec_of(
        model,
        x,
        y,
        tmp_path,
        optimizer=SparkDLTypeConverters.toKerasOptimizer(MAKERS[name]()),
        epochs=3,
        batch=8,
    )
    before = deepcopy(spec.optimizer)
    calls = [keras.callbacks.EarlyStopping("loss", patience=3)]
    fitted, history = trained(spec, (x, y), workers, tmp_path / "w", calls)
    assert spec.optimizer == before
    model.compile(MAKERS[name](), "mse")
    done = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    assert history["loss"] == pytest.approx(done.history["loss"], rel=1e-4)
    for a, b in zip(model.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, atol=1e-5)


def test_a_configuration_stays_as_it_is_whoever_reads_it(tmp_path: Path) -> None:
    lamb = keras.optimizers.serialize(keras.optimizers.Lamb())
    assert SparkDLTypeConverters.toKerasOptimizer(lamb) is lamb  # as of a saved estimator
    optimizer = keras.optimizers.serialize(MAKERS["loss scale"]())
    loss = keras.saving.serialize_keras_object(GreedyLoss(2.0))
    metric = keras.saving.serialize_keras_object(GreedyMetric(name="m"))
    kept = deepcopy((optimizer, loss, metric))
    model, (x, y) = network(), data()
    assert SparkDLTypeConverters.toKerasOptimizer(optimizer) is optimizer
    assert SparkDLTypeConverters.toKerasLoss(loss) == loss
    spec = spec_of(model, x, y, tmp_path, optimizer=optimizer, loss=loss, metrics=[metric])
    for _ in range(2):
        build_model(spec, spec.model)
        make_optimizer(optimizer, model)
        new_optimizer(SimpleNamespace(getOptimizer=lambda: optimizer), 0.5)
    assert (optimizer, loss, metric) == kept


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_in_mixed_precision_has_its_loss_scaled_as_under_keras_policy(
    workers: int, tmp_path: Path
) -> None:
    x, y = data()
    before = keras.mixed_precision.global_policy()
    model = network("mixed_float16")
    spec = spec_of(model, x, y, tmp_path, optimizer="sgd", epochs=2, batch=8)
    fitted, history = trained(spec, (x, y), workers, tmp_path / "w")
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        plain = network("mixed_float16")
        plain.compile("sgd", "mse")
        done = plain.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        other = build_model(spec, spec.model).optimizer  # where the driver has the policy
    finally:
        keras.mixed_precision.set_global_policy(before)
    kind = keras.optimizers.LossScaleOptimizer
    assert [type(o) for o in (plain.optimizer, fitted.optimizer, other)] == [kind] * 3
    assert history["loss"] == pytest.approx(done.history["loss"], rel=5e-3)  # of float16


def test_a_learning_rate_takes_the_place_of_one_that_is_held_within() -> None:
    schedule = schedules.ExponentialDecay(0.1, 2, 0.5)
    for optimizer in (keras.optimizers.Adam(schedule), scaled(keras.optimizers.Adam(schedule))):
        slower = with_rate(optimizer, 0.25)
        assert type(slower) is type(optimizer)
        assert float(slower.learning_rate) == 0.25


def test_what_the_configuration_of_an_optimizer_omits_is_refused() -> None:
    for wrapped in (lambda one: one, scaled):
        adam = keras.optimizers.AdamW(0.1)
        adam.exclude_from_weight_decay(var_names=["bias"])
        with pytest.raises(SparkDLException, match=r"adam_?w\S* has variables excluded from"):
            SparkDLTypeConverters.toKerasOptimizer(wrapped(adam))
