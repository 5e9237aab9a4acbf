"""The tables of the page "I have a model file": each row is a file that is made and given."""

from __future__ import annotations

import gzip
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from test_keras1_files import keras_1
from test_model_files import EVENT, TORCH, zipped

import sparkdl
from sparkdl.errors import InvalidModelException

PAGE = Path(__file__).parents[2] / "docs" / "model-files.md"
KERNEL = np.float32([[1, 2], [3, 4], [5, 6]])
v1 = tf.compat.v1


def table(head: str) -> list[list[str]]:
    """Return the rows of the table of the page with this head; an empty cell is the one above."""
    lines = PAGE.read_text(encoding="utf-8").split(head)[1].splitlines()[2:]
    rows: list[list[str]] = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [c.strip() for c in line.replace(r"\|", "").strip("|").split("|")]
        rows.append([c or rows[-1][i] for i, c in enumerate(cells)])
    return rows


def dense(library: Any) -> Any:
    """Return a model with one layer, whose output is `x @ KERNEL`."""
    inputs = library.Input((3,), name="x")
    model = library.Model(inputs, library.layers.Dense(2, use_bias=False, name="y")(inputs))
    model.set_weights([KERNEL])
    return model


def saved(library: Any, name: str, **how: Any) -> Callable[[Path], Any]:
    def save(folder: Path) -> Path:
        dense(library).save(folder / name, **how)
        return folder / name

    return save


def of_keras_1(folder: Path) -> Path:
    arguments = {"name": "y", "units": 2, "use_bias": False, "batch_input_shape": [None, 3]}
    return keras_1(folder / "model.h5", [("Dense", arguments, [KERNEL])], None)


def of_tensorflow_1(folder: Path) -> Path:
    with tf.Graph().as_default(), v1.Session() as session:
        x, y = _multiplied()
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(folder / "saved"), {"x": x}, {"y": y})
    return folder / "saved"


def exported(folder: Path) -> Path:
    dense(keras).export(folder / "saved")
    return folder / "saved"


def graph(text: bool) -> Callable[[Path], Any]:
    def write(folder: Path) -> Path:
        with tf.Graph().as_default() as made:
            x = v1.placeholder("float32", [None, 3], name="x")
            tf.matmul(x, KERNEL, name="y")
        name = "graph.pbtxt" if text else "graph.pb"
        tf.io.write_graph(made, str(folder), name, as_text=text)
        return folder / name

    return write


def bundle(folder: Path) -> Path:
    return Path(sparkdl.save_bundle(dense(keras), folder / "bundle"))


def zipped_bundle(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder / "packed"), "zip", bundle(folder)))


def checkpoint(folder: Path) -> Any:
    with tf.Graph().as_default(), v1.Session() as session:
        _multiplied()
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "states" / "model"))
    return sparkdl.TFInputGraph.fromCheckpoint(folder / "states", ["x:0"], ["y:0"])


def _multiplied() -> tuple[Any, Any]:
    x = v1.placeholder("float32", [None, 3], name="x")
    return x, tf.matmul(x, v1.Variable(KERNEL), name="y")


# By the words with which the first two cells begin.
READ: dict[tuple[str, str], list[Callable[[Path], Any]]] = {
    ("`.keras`", "Keras 3"): [saved(keras, "model.keras")],
    ("`.keras`", "Keras 2.12"): [saved(tf_keras, "model.keras")],
    ("HDF5", "Keras 3"): [saved(keras, "model.h5")],
    ("HDF5", "Keras 2,"): [
        saved(tf_keras, "model.h5"),
        saved(tf_keras, "model.keras", save_format="h5"),
    ],
    ("HDF5", "Keras 1"): [of_keras_1],
    ("directory with `saved_model.pb`", "TensorFlow 1 and 2"): [
        of_tensorflow_1,
        saved(tf_keras, "saved", save_format="tf"),
        exported,
    ],
    ("`.pb` or `.pbtxt`", "TensorFlow 1"): [graph(text=False), graph(text=True)],
    ("bundle, also zipped", "sparkdl"): [bundle, zipped_bundle],
    ("folder of checkpoints", "TensorFlow 1"): [checkpoint],
}
MAKERS = [(*key, maker) for key, makers in READ.items() for maker in makers]


@pytest.mark.parametrize(("file", "writer", "maker"), MAKERS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_each_kind_of_file_gives_its_numbers(
    file: str, writer: str, maker: Callable[[Path], Any], tmp_path: Path, spark: Any
) -> None:
    given = maker(tmp_path)
    rows = spark.sql("SELECT array(1f, 2f, 3f) AS a")
    if isinstance(given, Path):
        stage: Any = sparkdl.KerasTransformer(inputCol="a", outputCol="p", modelFile=given)
    else:
        stage = sparkdl.TFTransformer(
            tfInputGraph=given, inputMapping={"a": "x:0"}, outputMapping={"y:0": "p"}
        )
    found = list(stage.transform(rows).head().p)
    np.testing.assert_allclose(found, np.float32([1, 2, 3]) @ KERNEL, err_msg=f"{file}, {writer}")


POINTER = b"version https://git-lfs.github.com/spec/v1\noid"


def _weights(folder: Path) -> Path:
    dense(keras).save_weights(folder / "a.weights.h5")
    return folder / "a.weights.h5"


def _states(folder: Path) -> Path:
    tf.train.Checkpoint(x=tf.Variable(1.0)).save(str(folder / "c" / "ckpt"))
    return folder / "c"


def content(data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "model.h5").write_bytes(data)
        return folder / "model.h5"

    return write


# By the words with which the first cell begins: files, and what the error says to do.
REFUSED: dict[str, list[tuple[Callable[[Path], Path], str]]] = {
    "weights only": [(_weights, "build the model in Python, call load_weights")],
    "architecture only": [(content(b'{"class_name": "Model"}'), "model_from_json")],
    "pickle, joblib": [(content(pickle.dumps([1])), "never opened.*load it yourself")],
    "TFLite": [
        (content(b"\x1c\0\0\0TFL3rest"), "Pass the model that it was converted from"),
        (content(b"\x08\x07\x12\x07pytorch\x1a\x05"), "pass the model that it was exported from"),
        (content(TORCH), "export it to one of them first"),
        (content(b'\x08\0\0\0\0\0\0\0{"a":{}}'), "load the arrays into it"),
    ],
    "pointer of Git LFS": [
        (content(POINTER), "git lfs pull"),
        (content(b"<!DOCTYPE html>"), "fetch the file itself"),
        (content(b""), "Copy or save it again"),
        (content(zipped("config.json")[:-10]), "Copy or save it again"),
    ],
    "logs of TensorBoard": [
        (content(EVENT), "Pass the file of the model that was trained"),
        (_states, "build the model in Python, call load_weights"),
    ],
    "zip, gzip": [
        (content(zipped("deep/model.h5")), "Unpack it and pass that file"),
        (content(gzip.compress(b"a")), "Unpack it and pass what is in it"),
    ],
}
CASES = [(kind, *case) for kind, cases in REFUSED.items() for case in cases]


@pytest.mark.parametrize(("kind", "maker", "remedy"), CASES)
def test_what_is_not_a_model_is_told_what_to_do(
    kind: str, maker: Callable[[Path], Path], remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidModelException, match=f"(?s){remedy}"):
        sparkdl.save_bundle(maker(tmp_path), tmp_path / "bundle")


def test_the_tables_of_the_page_have_these_rows_and_no_others() -> None:
    read = table("| file | written by | what reads it |")
    assert len(read) == len(READ)
    for (file, writer, _), (kind, by) in zip(read, READ, strict=True):
        assert (file[: len(kind)], writer[: len(by)]) == (kind, by)
    refused = table("| file | what to do |")
    assert len(refused) == len(REFUSED)
    for (file, _), kind in zip(refused, REFUSED, strict=True):
        assert file[: len(kind)] == kind
