"""Large models are trained with fewer copies of what has their size, and learn the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from training_threads import spec_of, trained

from sparkdl.training._driver import dialogue
from sparkdl.training._loop import frugal_adam, step_functions, stepping
from sparkdl.training._loop.frugal_adam import spare_memory
from sparkdl.training._loop.sums import Sums
from sparkdl.training._loop.variables import in_groups, values

L = keras.layers


def network() -> Any:
    layers = [keras.Input((3,)), L.Dense(5, "tanh"), L.BatchNormalization(), L.Dense(1)]
    model = keras.Sequential(layers)
    rng = np.random.default_rng(1)
    for layer in (model.layers[0], model.layers[2]):
        layer.kernel.assign(rng.normal(size=layer.kernel.shape))
    return model


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 3)).astype("float32")
    return x, x.sum(1, keepdims=True)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_functions, "LARGE_BYTES", 0)
    monkeypatch.setattr(frugal_adam, "LEAST_BYTES", 0)
    monkeypatch.setattr(stepping, "_MOST_AVERAGED", 4)
    monkeypatch.setattr(dialogue, "_PIECE", 1000)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_a_large_model_learns_what_keras_learns(optimizer: str, tmp_path: Path) -> None:
    (x, y), plain = data(), network()
    plain.layers[1].trainable = False  # the statistics of half a batch are not those of a batch
    spec = spec_of(plain, x, y, tmp_path, optimizer=optimizer, batch=16, epochs=3)
    fitted, history = trained(spec, (x, y), 2, tmp_path / "w")
    plain.compile(optimizer, "mse")
    done = plain.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(history["loss"], done.history["loss"], rtol=1e-5)
    for own, expected in zip(fitted.weights, plain.weights, strict=True):
        np.testing.assert_allclose(own, expected, atol=1e-5)


@pytest.mark.parametrize("every", [1, 2])
def test_a_large_model_learns_what_a_small_one_learns(
    every: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    x, y = data()
    weights = []
    for folder in ("small", "large"):
        (tmp_path / folder).mkdir()
        spec = spec_of(
            network(), x, y, tmp_path / folder, optimizer="adam", batch=15, sync_every=every
        )
        weights.append(trained(spec, (x, y), 3, tmp_path / folder / "w")[0].get_weights())
        if folder == "small":
            request.getfixturevalue("everything_is_large")
    for small, large in zip(*weights, strict=True):
        np.testing.assert_allclose(small, large, atol=1e-5)


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    "settings", [{}, {"weight_decay": 0.1, "clipnorm": 0.1}, {"use_ema": True}, {"amsgrad": True}]
)
def test_adam_in_place_is_keras_adam(settings: dict[str, Any]) -> None:
    rng = np.random.default_rng(4)
    start, gradients = rng.normal(size=(4, 3)), rng.normal(size=(5, 4, 3)).astype("float32")
    results = []
    for in_place in (False, True):
        variable = keras.Variable(start, dtype="float32")
        optimizer = keras.optimizers.Adam(0.01, **settings)
        optimizer.build([variable])
        if in_place:
            spare_memory(optimizer)
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [variable])
        results.append([np.asarray(v) for v in (variable, *optimizer.variables)])
    for by_keras, own in zip(*results, strict=True):
        np.testing.assert_allclose(own, by_keras, rtol=1e-5, atol=1e-7)


def test_sums_are_read_without_a_copy() -> None:
    sums = Sums([(3, 5), (), (1 << 12,)], "float32")
    parts = sums.parts()
    assert [p.shape for p in parts] == [(3, 5), (), (1 << 12,)]
    assert all(p.ctypes.data % 64 == 0 for p in parts)
    sums.fill([tf.fill(p.shape, float(i)) for i, p in enumerate(parts)], np.array([7.0, 8.0]))
    assert [float(p.max()) for p in sums.parts()] == [0, 1, 2]
    assert sums.flat[-2:].tolist() == [7, 8]
    tensor = sums.tensors()[2]
    sums.flat[:] = 5
    assert float(tensor[0]) == 5, "TensorFlow has the memory itself"


@pytest.mark.usefixtures("everything_is_large")
def test_a_state_is_the_memory_of_the_variables_and_stays_what_it_was() -> None:
    variables = [keras.Variable(np.ones((3, 2))), keras.Variable(0, dtype="int32")]
    state = values(variables)
    assert not any(array.flags.owndata for array in state)
    for variable in variables:
        variable.assign_add(np.ones(variable.shape, variable.dtype))
    assert state[0].tolist() == [[1, 1]] * 3
    assert state[1] == 0
    optimizer = keras.optimizers.Adam()
    optimizer.build(variables[:1])
    spare_memory(optimizer)
    held = values(variables[:1])
    optimizer.apply([tf.ones((3, 2))], variables[:1])
    assert held[0].tolist() == [[2, 2]] * 3


def test_groups_have_so_many_elements_at_most() -> None:
    variables = [keras.Variable(np.zeros(n)) for n in (2, 2, 9, 1, 3)]
    sizes = [[int(v.shape[0]) for v in group] for group in in_groups(variables, 4)]
    assert sizes == [[2, 2], [9], [1, 3]]
