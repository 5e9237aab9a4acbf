"""Classes and functions of a program travel with its live models, and files name those they lack.

The classes are local to functions, so that no worker can import them.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.ml.linalg import Vectors

import sparkdl
from sparkdl._models.files.travelling import dumps, loads
from sparkdl.errors import InvalidModelException

ROWS, BATCH = 40, 16


@pytest.fixture(scope="module")
def arrays() -> tuple[Any, Any]:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(ROWS, 3)).astype("float32")
    return x, (x[:, 0] - x[:, 2]).astype("float32")


@pytest.fixture(scope="module")
def frame(spark: Any, arrays: tuple[Any, Any]) -> Any:
    rows = [(Vectors.dense([float(v) for v in a]), float(b)) for a, b in zip(*arrays, strict=True)]
    return spark.createDataFrame(rows, ["x", "y"]).coalesce(1).cache()


def own_classes() -> dict[str, Any]:
    """Return a class or function of each kind that a program defines."""
    import keras

    ops, factor = keras.ops, 0.5

    class Scaled(keras.layers.Layer):
        def __init__(self, by: float) -> None:  # takes nothing of what Keras writes besides
            super().__init__()
            self.by = by

        def call(self, x: Any) -> Any:
            return x * self.by

    @keras.saving.register_keras_serializable("mine")
    class Shifted(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x + factor

    class Sevenths(keras.initializers.Initializer):
        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            return ops.ones(shape, dtype) / 7

    class Pinball(keras.losses.Loss):
        def __init__(self, share: float = 0.5, **more: Any) -> None:
            super().__init__(**more)
            self.share = share

        def call(self, truth: Any, found: Any) -> Any:
            error = ops.reshape(truth, (-1, 1)) - found
            return ops.mean(ops.maximum(self.share * error, (self.share - 1) * error), -1)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "share": self.share}

    class Bias(keras.metrics.Mean):
        def update_state(self, truth: Any, found: Any, sample_weight: Any = None) -> Any:
            return super().update_state(found - truth, sample_weight)

    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.1 * 0.5 ** ops.cast(step, "float32")

        def get_config(self) -> dict[str, Any]:
            return {}

    class Bounded(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, rate: Any) -> None:
            self.assign_sub(variable, ops.tanh(gradient) * ops.cast(rate, gradient.dtype))

    def bent(x: Any) -> Any:
        return ops.tanh(x) * factor

    return {k: v for k, v in locals().items() if k[0].isupper() or k == "bent"} | {"factor": factor}


@pytest.fixture
def own() -> Any:
    import keras

    yield own_classes()
    keras.saving.get_custom_objects().pop("mine>Shifted", None)


def model_of(own: dict[str, Any]) -> Any:
    import keras

    factor = own["factor"]
    y = x = keras.Input((3,), name="x")
    for layer in (
        own["Scaled"](2.0),
        own["Shifted"](),
        keras.layers.Dense(4, own["bent"], kernel_initializer=own["Sevenths"]()),
        keras.layers.Lambda(lambda v: v * factor),
        keras.layers.Dense(1, activation=lambda v: v + factor, kernel_initializer="ones"),
    ):
        y = layer(y)
    return keras.Model(x, y, name="own")


def settings(own: dict[str, Any]) -> dict[str, Any]:
    return {
        "optimizer": own["Bounded"](own["Halving"]()),
        "loss": own["Pinball"](0.3),
        "metrics": [own["Bias"](name="bias"), own["bent_metric"]],
    }


def test_what_a_live_model_is_made_of_and_trained_with_travels_to_the_workers(
    own: Any, frame: Any, arrays: Any
) -> None:
    import keras

    def bent_metric(truth: Any, found: Any) -> Any:
        return keras.ops.abs(own["bent"](keras.ops.reshape(truth, (-1, 1)) - found))

    own["bent_metric"] = bent_metric
    made = sparkdl.KerasEstimator(
        **settings(own),
        model=model_of(own),
        inputCols=["x"],
        labelCols=["y"],
        outputCols=["out"],
        batchSize=BATCH,
        epochs=2,
        shuffle=False,
        numWorkers=2,
        verbose=0,
    )
    fitted = made.fit(frame)
    model = model_of(own)
    model.compile(**settings(own))
    x, y = arrays
    fit = {"batch_size": BATCH, "epochs": 2, "shuffle": False, "verbose": 0}
    expected = model.fit(x, y, **fit).history
    assert set(fitted.history) == set(expected)
    for name, values in expected.items():
        assert fitted.history[name] == pytest.approx(values, rel=1e-4), name
    found = [r.out[0] for r in fitted.transform(frame).select("out").collect()]
    np.testing.assert_allclose(found, model.predict(x, verbose=0)[:, 0], atol=1e-5)


def test_a_saved_estimator_names_the_class_that_it_lacks(
    own: Any, frame: Any, tmp_path: Path
) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,)), own["Scaled"](2.0), keras.layers.Dense(1)])
    made = sparkdl.KerasEstimator(model=model, inputCols=["x"], labelCols=["y"], loss="mse")
    made.write().save(str(tmp_path / "e"))
    loaded = sparkdl.KerasEstimator.load(str(tmp_path / "e"))
    with pytest.raises(InvalidModelException) as error:
        loaded.fit(frame)
    first, second = str(error.value).split("\n")
    assert first.endswith("has the custom class 'Scaled', whose code is not in the file.")
    assert second == "Pass it: custom_objects={'Scaled': Scaled}."


def test_a_saved_loss_names_the_class_that_it_lacks(own: Any, frame: Any, tmp_path: Path) -> None:
    import keras

    sparkdl.KerasEstimator(loss=own["Pinball"]()).write().save(str(tmp_path / "e"))
    with pytest.raises(ValueError, match='param "loss"') as error:  # as of any param
        sparkdl.KerasEstimator.load(str(tmp_path / "e"))
    first, second = str(error.value).split("\n")
    assert "the class 'Pinball' of the loss" in first
    assert "keras.saving.custom_object_scope({'Pinball': Pinball})" in second
    with keras.saving.custom_object_scope({"Pinball": own["Pinball"]}):
        loaded = sparkdl.KerasEstimator.load(str(tmp_path / "e"))
    assert loaded.getLoss().objects == {"Pinball": own["Pinball"]}


def test_what_keras_describes_without_a_name_is_named_too(own: Any, tmp_path: Path) -> None:
    import keras

    dense = keras.layers.Dense(1, kernel_initializer=own["Sevenths"]())
    keras.Sequential([keras.Input((3,)), dense]).save(tmp_path / "m.keras")
    with pytest.raises(InvalidModelException) as error:
        sparkdl.save_bundle(tmp_path / "m.keras", tmp_path / "b")
    assert "has the custom class 'Sevenths'" in str(error.value)
    assert len(str(error.value).split("\n")) == 2
    objects = {"Sevenths": own["Sevenths"]}
    sparkdl.save_bundle(tmp_path / "m.keras", tmp_path / "b", custom_objects=objects)


def test_a_layer_that_keras_cannot_describe_says_what_it_lacks() -> None:
    import keras

    class Held(keras.layers.Layer):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def call(self, x: Any) -> Any:
            return self.inner(x)

    model = keras.Sequential([keras.Input((3,)), Held(keras.layers.Dense(1))])
    with pytest.raises(InvalidModelException, match="Object Held was created .*\n.*get_config"):
        sparkdl.KerasEstimator(model=model)


def test_live_models_in_the_arguments_of_functions_take_their_classes_along(own: Any) -> None:
    model = model_of(own)
    model.compile(loss=own["Pinball"](0.3))
    again = loads(dumps({"model": model}))["model"]
    rows = np.ones((2, 3), "float32")
    np.testing.assert_allclose(again.predict(rows, verbose=0), model.predict(rows, verbose=0))
    assert again.loss.share == 0.3


def test_a_module_that_workers_lack_says_how_they_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "layers_beside.py").write_text("def bent(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)

    data = dumps(importlib.import_module("layers_beside").bent)
    monkeypatch.delitem(sys.modules, "layers_beside")
    sys.path.remove(str(tmp_path))
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="layers_beside.*addPyFile"):
        loads(data)
