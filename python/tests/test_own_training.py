"""What a model overrides of Keras' training: honoured with Keras' curve, or refused before."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any

import keras
import numpy as np
import pytest
from training_threads import spec_of, trained

import sparkdl
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.training._estimator.model_checks import activities_are_means
from sparkdl.training._estimator.own_training import check_own_loss, check_own_training
from sparkdl.training._loop.training_spec import build_model

ops = keras.ops
ROWS, BATCH = 75, 32  # shares of 11, 11 and 10 rows, and a last batch of 11


@pytest.fixture(scope="module")
def data() -> tuple[Any, Any]:
    draw = np.random.default_rng(4)
    x = draw.normal(size=(ROWS, 3)).astype("float32")
    return x, (x @ np.array([[1.0], [-2.0], [0.5]])).astype("float32")


class Dense2(keras.Model):
    """A subclassed model, by the shortest way that Keras' tutorials know."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="tanh")
        self.last = keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.last(self.hidden(x))


class OwnLoss(Dense2):
    """As in the documentation of compute_loss, with a tracker of its own instead of Keras'."""

    def __init__(self) -> None:
        super().__init__()
        self.tracked = keras.metrics.Mean(name="loss")

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        loss = ops.mean((y_pred - y) ** 2) + 0.01 * sum(ops.mean(w**2) for w in self.weights[:4])
        self.tracked.update_state(loss)
        return loss

    @property
    def metrics(self) -> list[Any]:
        return [self.tracked]


class AddedLoss(Dense2):
    """Adds a loss, a regularized activity and a number per batch, in call and in a layer."""

    def __init__(self) -> None:
        super().__init__()
        regularized = "l2" if activities_are_means() else None  # of older Kerases: sums
        self.hidden = keras.layers.Dense(4, activation="tanh", activity_regularizer=regularized)
        self.size = keras.metrics.Mean(name="size")

    def call(self, x: Any, training: bool = False) -> Any:
        hidden = self.hidden(x)
        mean = ops.mean(hidden**2)
        self.size.update_state(mean)
        self.add_loss(0.1 * mean if training else 0.2 * mean)
        return self.last(hidden)


class OwnMetrics(Dense2):
    """Counts by row and by batch in compute_metrics, and names a result in its own way."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = keras.metrics.Mean(name="wide")
        self.largest = keras.metrics.Mean(name="largest")

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        super().compute_metrics(x, y, y_pred, sample_weight)
        self.wide.update_state(ops.abs(y - y_pred))
        self.largest.update_state(ops.mean(ops.abs(x)))
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        return {f"my_{name}": value for name, value in super().get_metrics_result().items()}


class OwnCompile(Dense2):
    def compile(self, optimizer: Any, loss: Any) -> None:
        super().compile(optimizer=optimizer, loss=keras.losses.Huber(0.3), metrics=["mae"])

    def get_compile_config(self) -> Any:  # written into files, and not read
        return {"own": 1}

    def compile_from_config(self, config: Any) -> Any:
        raise AssertionError("params say how a model is compiled")

    def train_on_batch(self, *args: Any, **more: Any) -> Any:
        raise AssertionError("fit of Keras does not call it")

    test_on_batch = predict_on_batch = stateless_compute_loss = train_on_batch


class OwnWeights(Dense2):
    """Trains its last layer only, with a loss among its losses, and is called in its own way."""

    @property
    def trainable_weights(self) -> list[Any]:
        return list(self.last.trainable_weights)

    @property
    def losses(self) -> list[Any]:
        return [*super().losses, 0.1 * ops.sum(self.last.kernel**2)]

    def __call__(self, x: Any, **more: Any) -> Any:
        return super().__call__(2 * x, **more)


class Functional(keras.Model):
    """Made of inputs and outputs, with a loss of its own."""

    def compute_loss(self, *args: Any, training: bool = True, **more: Any) -> Any:
        return 2 * super().compute_loss(*args, training=training, **more)


class Momentum(keras.optimizers.SGD):
    """An optimizer that changes gradients before they are applied."""

    def apply(self, gradients: Any, variables: Any = None) -> Any:
        return super().apply([ops.clip(g, -0.05, 0.05) for g in gradients], variables)


def functional() -> keras.Model:
    x = keras.Input((3,))
    y = keras.layers.Dropout(0.0)(keras.layers.Dense(4, activation="tanh")(x))
    return Functional(x, keras.layers.Dense(1)(y))


CLASSES = [Dense2, OwnLoss, AddedLoss, OwnMetrics, OwnCompile, OwnWeights, Functional]
OWN = {c.__name__: c for c in (*CLASSES, Momentum)}


def made(name: str) -> keras.Model:
    keras.utils.set_random_seed(2)
    if name == "Functional":
        return functional()
    model = OWN[name]()
    model(np.zeros((2, 3), "float32"))
    return model


def settings(name: str) -> dict[str, Any]:
    loss = None if name == "OwnLoss" else "mse"
    return {"optimizer": Momentum(0.1), "loss": loss}


@pytest.mark.parametrize("name", [c.__name__ for c in CLASSES])
def test_what_a_model_overrides_is_honoured_with_the_curve_of_keras(
    name: str, data: Any, tmp_path: Path
) -> None:
    model = made(name)
    config = keras.optimizers.serialize(Momentum(0.1))
    spec = spec_of(
        model,
        *data,
        tmp_path,
        **{**settings(name), "optimizer": config},
        epochs=2,
    )
    spec = replace(spec, custom_objects=OWN)
    model.compile(**settings(name))
    plain = {"batch_size": BATCH, "epochs": 2, "shuffle": False, "verbose": 0}
    expected = model.fit(*data, **plain).history
    for workers in (1, 3):
        fitted, history = trained(spec, data, workers, tmp_path / str(workers))
        for key, values in expected.items():
            assert history[key] == pytest.approx(values, rel=2e-5), (workers, key)
        for found, wanted in zip(fitted.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_each_method_that_a_model_can_override_has_its_answer_in_the_docs() -> None:
    of_keras = [k for k in keras.Model.__mro__ if k.__module__.split(".")[0] == "keras"]
    kinds = (FunctionType, property, classmethod, staticmethod)
    names = {n for k in of_keras for n, v in vars(k).items() if isinstance(v, kinds)}
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text()
    table = page.split("### What a model overrides")[1].split("### ")[0]
    answered = set(re.findall(r"`(\w+)`", table))
    assert {n for n in names if not n.startswith("_")} - answered == set()


@pytest.mark.parametrize("method", ["train_step", "fit", "make_train_function"])
def test_a_loop_of_its_own_is_refused_with_the_way_that_takes_it(method: str) -> None:
    kind = type("Own", (Dense2,), {method: lambda self, *args, **more: {}})
    with pytest.raises(InvalidModelException) as error:
        check_own_training(kind(), validates=False)
    for part in (f"Own overrides {method}", "sparkdl.tf_dataset", "sparkdl.TensorFlowDistributor"):
        assert part in str(error.value)


@pytest.mark.parametrize("method", ["test_step", "evaluate", "make_test_function"])
def test_an_own_validation_is_refused_where_rows_are_for_validation(method: str) -> None:
    model = type("Own", (Dense2,), {method: lambda self, *args, **more: {}})()
    check_own_training(model, validates=False)
    with pytest.raises(InvalidModelException, match=f"{method}.*leave out validationFraction"):
        check_own_training(model, validates=True)


@pytest.mark.parametrize("method", ["predict", "make_predict_function"])
def test_an_own_loop_of_prediction_is_warned_of(method: str) -> None:
    model = type("Own", (Dense2,), {method: lambda self, *args, **more: {}})()
    with pytest.warns(UserWarning, match=f"overrides {method}, which the fitted model does not"):
        check_own_training(model, validates=True)


@pytest.mark.parametrize("method", ["train_step", "call", "make_test_function", "predict"])
def test_a_method_assigned_to_a_model_is_refused_since_its_file_would_lose_it(method: str) -> None:
    model = made("Dense2")
    setattr(model, method, lambda data: {})
    with pytest.raises(InvalidModelException, match=f"{method} of the model 'dense2.*in a class"):
        sparkdl.KerasEstimator(model=model)


def test_a_live_model_of_tf_keras_is_refused_with_the_two_ways_that_train_it() -> None:
    import tf_keras

    model = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(2,))], name="old")
    with pytest.raises(InvalidModelException, match="Cannot train the model 'old'.*tf_keras") as e:
        sparkdl.KerasEstimator(model=model)
    assert "load_weights" in str(e.value)
    assert "TensorFlowDistributor" in str(e.value)


def test_a_compile_that_takes_other_settings_says_which_it_is_given(
    data: Any, tmp_path: Path
) -> None:
    class Two(Dense2):
        def compile(self, first: Any, second: Any) -> None:
            raise AssertionError

    class Nothing(Dense2):
        def compile(self, **more: Any) -> None:
            pass

    for kind, said in ((Two, "Two.compile takes.*optimizer=, loss="), (Nothing, "super...compile")):
        model = kind()
        model(np.zeros((1, 3), "float32"))
        spec = spec_of(model, *data, tmp_path)

        with pytest.raises(SettingsException, match=said):
            build_model(replace(spec, custom_objects={kind.__name__: kind}), spec.model)


def test_losses_and_results_that_do_not_add_up_are_refused(data: Any, tmp_path: Path) -> None:
    class Summed(Dense2):
        def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            return ops.sum((y_pred - y) ** 2)

    class Added(Dense2):
        def call(self, x: Any) -> Any:
            self.add_loss(ops.sum(x**2))
            return super().call(x)

    class Other(Dense2):
        def compute_metrics(self, *args: Any, **more: Any) -> Any:
            return {**super().compute_metrics(*args, **more), "rate": 1.0}

    class Random(Dense2):
        def call(self, x: Any) -> Any:
            self.add_loss(ops.mean(keras.random.normal(ops.shape(x))))
            return super().call(x)

    cases: dict[Any, Any] = {Summed: "not a mean over rows", Added: "not a mean over rows"}
    cases |= {Other: "other results.*: 'rate'", Random: None}
    for kind, message in cases.items():
        model = kind()
        model(np.zeros((1, 3), "float32"))
        own = {kind.__name__: kind}
        spec = replace(spec_of(model, *data, tmp_path), custom_objects=own)
        compiled = build_model(spec, spec.model)
        if message is None:
            check_own_loss(compiled, spec, 2)
            continue
        with pytest.raises(SettingsException, match=message):
            check_own_loss(compiled, spec, 2)
        if kind in (Summed, Added):
            check_own_loss(compiled, spec, 1)


def test_predict_step_is_what_a_bundle_applies(spark: Any) -> None:
    class Doubled(Dense2):
        def predict_step(self, data: Any) -> Any:
            return 2 * super().predict_step(data)

    model = Doubled()
    rows = np.ones((2, 3), "float32")
    model(rows)
    frame = spark.createDataFrame([([1.0, 1.0, 1.0],)], "x array<float>")
    stage = sparkdl.KerasTransformer(inputCol="x", outputCol="out", model=model)
    np.testing.assert_allclose(
        stage.transform(frame).head().out, model.predict(rows, verbose=0)[0], rtol=1e-5
    )
