"""A file is what its bytes say: what is taken, and what is refused as what it is."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras2_models import assert_same, run

import sparkdl
from sparkdl._bundles.description.manifest import read_manifest
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException
from sparkdl.labels import read_labels

TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.rest"
EVENT = b"\x18" + b"\0" * 11 + b"\x09" + b"\1" * 8 + b"\x1a\rbrain.Event:2"


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return content.getvalue()


def array() -> bytes:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is an empty file"),
        (pickle.dumps({"a": 1}), "is a Python pickle.* never opened"),
        (pickle.dumps({"a": 1}, protocol=0), "is a Python pickle"),
        (gzip.compress(b"a", mtime=0), "is a compressed file"),
        (b"\x1c\0\0\0TFL3rest", "is a TensorFlow Lite model"),
        (b"\x08\x07\x12\x07pytorch\x1a\x05", "is an ONNX model"),
        (TORCH, "is a PyTorch file"),
        (zipped("m/data.pkl", "m/version"), "is a PyTorch file"),
        (zipped("x/model.json", "x/graph.pb"), "is a zip of a bundle.*pass it to the stages"),
        (zipped("saved_model.pb"), "is a zip of a SavedModel. Unpack it"),
        (zipped("deep/keras_model.h5", "deep/labels.txt"), "is a zip with a file of Keras in it"),
        (zipped("arr_0.npy"), "is a file of NumPy arrays"),
        (zipped("readme.txt"), "is of no kind that sparkdl knows: it is a zip of .*readme.txt"),
        (zipped("config.json")[:-10], "is a truncated zip"),
        (array(), "is a NumPy array"),
        (b'\x08\0\0\0\0\0\0\0{"a":{}}', "is a safetensors file"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer.*git lfs pull"),
        (EVENT, "is a log of TensorBoard"),
        (b"<!DOCTYPE html>", "is a web page"),
        (b'{"class_name": "Sequential", "config": []}', "is the architecture of a model as JSON"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"model_checkpoint_path: 'x'", "is a part of a TensorFlow checkpoint"),
        (b"\x08\x01\x12\x80\x02", "is the saved_model.pb of a SavedModel.*Pass the directory"),
        (b"\x01\x02\x03", "of no kind that sparkdl knows: it begins with the bytes"),
    ],
)
def test_what_is_not_a_model_says_what_it_is(content: bytes, what: str, tmp_path: Path) -> None:
    for name in ("model.h5", "model.keras", "model.pb", "model"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidModelException, match=what) as error:
            sparkdl.save_bundle(tmp_path / name, tmp_path / "b")
        assert "allow_pickle" not in str(error.value)


def test_a_tensorflow_checkpoint_and_logs_say_what_they_are(tmp_path: Path) -> None:
    tf.train.Checkpoint(x=tf.Variable(1.0)).save(str(tmp_path / "c" / "ckpt"))
    with pytest.raises(InvalidModelException, match="folder of TensorFlow's checkpoints"):
        sparkdl.save_bundle(tmp_path / "c", tmp_path / "b")
    [index] = (tmp_path / "c").glob("*.index")
    with pytest.raises(
        InvalidModelException, match="a part of a TensorFlow checkpoint.*load_weights"
    ):
        sparkdl.save_bundle(index, tmp_path / "b")
    with pytest.raises(
        ModelNotFoundException, match="has ckpt-1.index, a part of a TensorFlow checkpoint"
    ):
        sparkdl.save_bundle(index.with_suffix(""), tmp_path / "b")
    tf.summary.create_file_writer(str(tmp_path / "logs" / "train")).flush()
    with pytest.raises(InvalidModelException, match="a folder of TensorBoard's logs"):
        sparkdl.save_bundle(tmp_path / "logs", tmp_path / "b")


def test_a_folder_of_versions_says_which_folder_to_give(tmp_path: Path) -> None:
    module = tf.Module()
    signature = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec([None])])
    tf.saved_model.save(module, str(tmp_path / "served" / "1"), signatures=signature)
    with pytest.raises(InvalidModelException, match="a folder of SavedModels. Pass one of"):
        sparkdl.save_bundle(tmp_path / "served", tmp_path / "b")
    sparkdl.save_bundle(tmp_path / "served" / "1", tmp_path / "b")


@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_weights_only_and_foreign_hdf5_say_so(ending: str, tmp_path: Path) -> None:
    import tf_keras

    build = keras if ending == ".weights.h5" else tf_keras
    model = build.Sequential([build.Input((2,)), build.layers.Dense(1)])
    model.save_weights(str(tmp_path / f"a{ending}"))
    with pytest.raises(InvalidModelException, match="holds weights only.*load_weights"):
        sparkdl.save_bundle(tmp_path / f"a{ending}", tmp_path / "b")
    with h5py.File(tmp_path / "table.h5", "w") as file:
        file["measures"] = np.zeros(3)
    with pytest.raises(InvalidModelException, match="not one that Keras wrote: it has measures"):
        sparkdl.save_bundle(tmp_path / "table.h5", tmp_path / "b")


@pytest.fixture(scope="module")
def dense() -> Any:
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(300)])


def test_half_a_file_is_named(dense: Any, tmp_path: Path) -> None:
    for name, what in [
        ("m.h5", "a truncated HDF5 file: it has 3000 bytes"),
        ("m.keras", "a truncated zip"),
    ]:
        dense.save(tmp_path / name)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:3000])
        with pytest.raises(InvalidModelException, match=what):
            sparkdl.save_bundle(tmp_path / name, tmp_path / "b")


@pytest.fixture(params=[None, 20_000])
def levels_of_python(request: pytest.FixtureRequest) -> Iterator[None]:
    """Python's own limit, and one that a library has raised, as tf_keras' ResNetRS does."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(request.param or before)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("levels_of_python")
def test_a_configuration_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    nested = '{"config":' * 1200 + "{}" + "}" * 1200
    for config in ("[" * 200_000, nested):
        with zipfile.ZipFile(tmp_path / "deep.keras", "w") as file:
            file.writestr("config.json", config)
            file.writestr("metadata.json", '{"keras_version": "3.8.0"}')
            file.writestr("model.weights.h5", b"")
        with pytest.raises(InvalidModelException, match="nested too deeply"):
            sparkdl.save_bundle(tmp_path / "deep.keras", tmp_path / "bundle")
        with h5py.File(tmp_path / "deep.h5", "w") as hdf5:
            hdf5.attrs["keras_version"] = "2.15.0"
            hdf5.attrs.create("model_config", config[:30_000])
        with pytest.raises(InvalidModelException, match="nested too deeply"):
            sparkdl.save_bundle(tmp_path / "deep.h5", tmp_path / "bundle")
        (tmp_path / "bundle").mkdir(exist_ok=True)
        (tmp_path / "bundle" / "model.json").write_text(config)
        with pytest.raises(InvalidModelException, match="nested over 300 levels"):
            read_manifest(tmp_path / "bundle")
        (tmp_path / "labels.json").write_text(config)
        with pytest.raises(SettingsException, match="nested over 300 levels"):
            read_labels(tmp_path / "labels.json")


def test_arrays_that_are_pickles_are_never_opened(dense: Any, tmp_path: Path) -> None:
    dense.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        config, about = archive.read("config.json"), archive.read("metadata.json")
    arrays = io.BytesIO()
    np.savez(arrays, **{"layers/dense": np.array({"0": 1}, dtype=object)})
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", json.dumps({**json.loads(about)}))
        archive.writestr("model.weights.npz", arrays.getvalue())
    with pytest.raises(InvalidModelException, match="arrays that are pickled objects") as error:
        sparkdl.save_bundle(tmp_path / "m.keras", tmp_path / "b")
    assert "allow_pickle" not in str(error.value)


def test_a_missing_custom_class_of_keras_3_is_two_lines(tmp_path: Path) -> None:
    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    keras.Sequential([keras.Input((2,)), Own()]).save(tmp_path / "m.keras")
    with pytest.raises(InvalidModelException) as error:
        sparkdl.save_bundle(tmp_path / "m.keras", tmp_path / "b")
    assert str(error.value).split("\n") == [
        f"{tmp_path / 'm.keras'} has the custom class 'Own', whose code is not in the file.",
        "Pass it: custom_objects={'Own': Own}.",
    ]


def test_a_graph_is_read_with_any_name_and_as_text(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder("float32", [None], name="x")
        tf.multiply(x, 2.0, name="y")
    tf.io.write_graph(graph, str(tmp_path), "graph.pbtxt", as_text=True)
    tf.io.write_graph(graph, str(tmp_path), "frozen", as_text=False)
    tf.io.write_graph(graph, str(tmp_path), "frozen.h5", as_text=False)
    for name in ("graph.pbtxt", "frozen", "frozen.h5"):
        bundle = sparkdl.save_bundle(tmp_path / name, tmp_path / "b", overwrite=True)
        assert_same(run(bundle, [np.float32([1, 2])]), [np.float32([2, 4])], name)
    text = (tmp_path / "graph.pbtxt").read_text()
    (tmp_path / "graph.pbtxt").write_text(text[: len(text) // 2])
    with pytest.raises(InvalidModelException, match="cannot be read to its end"):
        sparkdl.save_bundle(tmp_path / "graph.pbtxt", tmp_path / "b", overwrite=True)
