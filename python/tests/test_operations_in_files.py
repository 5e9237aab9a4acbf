"""Operations of Keras 3 (`x + 1`, `keras.ops`) in files; HDF5 keeps their names alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras2_models import assert_same, run

import sparkdl
from sparkdl._models.files.loading import load_to_train
from sparkdl.errors import InvalidModelException

L, ops = keras.layers, keras.ops


def functional(made: Callable[..., Any], *shapes: tuple[int, ...]) -> Any:
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, made(*inputs))


MODELS: dict[str, Callable[[], Any]] = {
    "arithmetic": lambda: functional(lambda x: 1.0 - (x + 1.0) * 2.0, (3,)),
    "of keras.ops alone": lambda: functional(lambda x: ops.relu(L.Dense(2)(x)), (3,)),
    "slices": lambda: functional(lambda x: ops.concatenate([x[:, 1:], x[:, :1]], axis=1), (3,)),
    "arguments": lambda: functional(lambda x: ops.mean(x, axis=1, keepdims=True), (2, 3)),
    "the name of an initializer": lambda: functional(
        lambda x: ops.sum(L.Dense(3, kernel_initializer="identity")(x), axis=1), (3,)
    ),
    "names of layers, both": lambda: functional(
        lambda a, b: L.Maximum()([ops.maximum(a, 0.5), L.Add()([a + b, ops.subtract(a, b)])]),
        (3,),
        (3,),
    ),
    "names of layers, other arguments": lambda: functional(
        lambda x: ops.softmax(ops.reshape(x, (-1, 2, 2)), axis=1), (4,)
    ),
    "nested": lambda: functional(
        lambda x: functional(lambda y: ops.tanh(L.Dense(3)(y)) + y, (3,))(x) * 2.0, (3,)
    ),
}


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("name", MODELS)
def test_operations_load_from_both_formats(name: str, suffix: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    model.save(tmp_path / f"model{suffix}")
    draw = np.random.default_rng(1)
    rows = [draw.normal(size=(4, *i.shape[1:])).astype("float32") for i in model.inputs]
    bundle = sparkdl.save_bundle(tmp_path / f"model{suffix}", tmp_path / "bundle")
    assert_same(run(bundle, rows), [np.asarray(model(rows))], name)


def test_a_model_with_operations_is_trained_from_hdf5(tmp_path: Path) -> None:
    model = MODELS["nested"]()
    model.save(tmp_path / "model.h5")
    rows = np.ones((2, 3), "float32")
    loaded = load_to_train(tmp_path / "model.h5", None, True)
    np.testing.assert_array_equal(loaded(rows), model([rows]))


def test_a_custom_class_with_the_name_of_an_operation_is_the_custom_one(tmp_path: Path) -> None:
    class Relu(L.Layer):
        def call(self, x: Any) -> Any:
            return x * 3.0

    keras.Sequential([keras.Input((2,)), Relu()]).save(tmp_path / "model.h5")
    with pytest.raises(InvalidModelException, match="has the custom class 'Relu'"):
        sparkdl.save_bundle(tmp_path / "model.h5", tmp_path / "b")
    bundle = sparkdl.save_bundle(
        tmp_path / "model.h5", tmp_path / "b", custom_objects={"Relu": Relu}
    )
    rows = np.ones((1, 2), "float32")
    assert_same(run(bundle, [rows]), [rows * 3], "custom")


def test_what_hdf5_does_not_keep_of_an_operation_is_kept_by_a_zip(tmp_path: Path) -> None:
    model = functional(lambda x: x[..., 0], (3,))
    model.save(tmp_path / "model.h5")
    with pytest.raises(
        InvalidModelException, match=r"operations of keras\.ops.*save .* as \.keras"
    ):
        sparkdl.save_bundle(tmp_path / "model.h5", tmp_path / "b")
    model.save(tmp_path / "model.keras")
    sparkdl.save_bundle(tmp_path / "model.keras", tmp_path / "b")
