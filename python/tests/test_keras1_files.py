"""Files as Keras 1 wrote them: tf_keras' HDF5 with the configuration, names and shapes of 2016.

Nothing writes them any more. What Keras 1 wrote: the layers of a Sequential as a list, other
arguments, no version (before 1.0.8), arrays called `dense_1_W` in a group without a version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tf_keras
from keras2_models import L, Tripled, assert_same, expected, run

import sparkdl
from sparkdl.errors import InvalidModelException

SHAPE = {"batch_input_shape": [None, 6, 6, 3], "input_dtype": "float32"}


def keras_1(
    file: Path, layers: list[tuple[str, dict[str, Any], list[Any]]], version: str | None
) -> Path:
    """Write a Sequential model: for each layer its class, arguments and arrays."""
    with h5py.File(file, "w") as h5:
        config = [{"class_name": kind, "config": arguments} for kind, arguments, _ in layers]
        model = {"class_name": "Sequential", "config": config}
        h5.attrs["model_config"] = json.dumps(model).encode()
        if version is not None:
            h5.attrs["keras_version"] = version.encode()
        weights = h5.create_group("model_weights")
        weights.attrs["layer_names"] = [arguments["name"].encode() for _, arguments, _ in layers]
        for _, arguments, arrays in layers:
            group = weights.create_group(arguments["name"])
            names = [f"{arguments['name']}_{letter}" for letter in "Wb"[: len(arrays)]]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, arrays, strict=True):
                group.create_dataset(name, data=array)
    return file


@pytest.mark.parametrize("version", [None, "1.0.8", "1.2.2"])
def test_layers_whose_arguments_have_stayed_the_same_load(
    version: str | None, tmp_path: Path
) -> None:
    layers = [
        ("ZeroPadding2D", {"name": "pad", "padding": [1, 1], "batch_input_shape": [None, 6, 6, 3]}),
        ("Activation", {"name": "tanh", "activation": "tanh", "trainable": True}),
        ("UpSampling2D", {"name": "up", "size": [2, 2]}),
        ("Flatten", {"name": "flat", "trainable": True}),
        ("RepeatVector", {"name": "repeat", "n": 2}),
    ]
    file = keras_1(tmp_path / "model.h5", [(*layer, []) for layer in layers], version)
    same = tf_keras.Sequential(
        [
            L.ZeroPadding2D(1, input_shape=(6, 6, 3)),
            L.Activation("tanh"),
            L.UpSampling2D(),
            L.Flatten(),
            L.RepeatVector(2),
        ]
    )
    rows = [np.random.default_rng(0).normal(size=(3, 6, 6, 3)).astype("float32")]
    bundle = sparkdl.save_bundle(file, tmp_path / "b")
    assert_same(run(bundle, rows), expected(same, rows), str(version))


def test_the_arrays_of_keras_1_are_found_by_their_order(tmp_path: Path) -> None:
    kernel = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    bias = np.float32([1, 2, 3])
    dense = {"name": "dense_1", "units": 3, "batch_input_shape": [None, 4]}
    file = keras_1(tmp_path / "model.h5", [("Dense", dense, [kernel, bias])], "1.2.2")
    rows = [np.float32([[1, 2, 3, 4]])]
    bundle = sparkdl.save_bundle(file, tmp_path / "b")
    assert_same(run(bundle, rows), [rows[0] @ kernel + bias], "dense_1_W, dense_1_b")


CONVOLUTION = {
    "name": "convolution2d_1",
    "nb_filter": 2,
    "nb_row": 3,
    "nb_col": 3,
    "init": "glorot_uniform",
    "border_mode": "valid",
    "subsample": [1, 1],
    "dim_ordering": "tf",
    **SHAPE,
}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("Convolution2D", CONVOLUTION),
        ("Dense", {"name": "dense_1", "output_dim": 3, "batch_input_shape": [None, 4]}),
        ("Dropout", {"name": "dropout_1", "p": 0.5, "batch_input_shape": [None, 4]}),
        ("Merge", {"name": "merge_1", "mode": "sum", "batch_input_shape": [None, 4]}),
        ("MaxoutDense", {"name": "m", "output_dim": 3, "batch_input_shape": [None, 4]}),
    ],
)
def test_what_has_changed_since_names_the_version_and_the_two_ways(
    kind: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    file = keras_1(tmp_path / "model.h5", [(kind, arguments, [])], "1.2.2")
    with pytest.raises(InvalidModelException) as error:
        sparkdl.save_bundle(file, tmp_path / "b")
    text = str(error.value)
    assert "was written by Keras 1.2.2, whose layers had other names" in text
    assert "Load the file with a Keras of 2.0 to 2.3" in text
    assert "build the model in tf_keras, call load_weights on this file" in text


def test_the_way_by_load_weights_gives_the_numbers(tmp_path: Path) -> None:
    kernel = np.random.default_rng(2).normal(size=(3, 3, 3, 2)).astype("float32")
    arrays = [kernel, np.float32([1, 2])]
    file = keras_1(tmp_path / "model.h5", [("Convolution2D", CONVOLUTION, arrays)], None)
    model = tf_keras.Sequential([L.Conv2D(2, 3, input_shape=(6, 6, 3))])
    model.load_weights(file)
    rows = [np.random.default_rng(3).normal(size=(2, 6, 6, 3)).astype("float32")]
    same = tf_keras.Sequential([L.Conv2D(2, 3, input_shape=(6, 6, 3))])
    same.set_weights(arrays)
    bundle = sparkdl.save_bundle(model, tmp_path / "b")
    assert_same(run(bundle, rows), expected(same, rows), "load_weights")


def test_a_custom_class_in_a_file_of_keras_1_is_named(tmp_path: Path) -> None:
    layer = ("Tripled", {"name": "tripled_1", "batch_input_shape": [None, 4]}, [])
    file = keras_1(tmp_path / "model.h5", [layer], "1.2.2")
    with pytest.raises(InvalidModelException, match="has the custom class 'Tripled'"):
        sparkdl.save_bundle(file, tmp_path / "b")
    bundle = sparkdl.save_bundle(file, tmp_path / "b", custom_objects={"Tripled": Tripled})
    rows = [np.ones((1, 4), "float32")]
    assert_same(run(bundle, rows), [rows[0] * 3], "custom")
