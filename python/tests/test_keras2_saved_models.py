"""SavedModels that tf.keras wrote: their signatures are used, and none of their Python objects."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras2_models import L, assert_same, ends, expected, recurrent, rows_of, run, text

import sparkdl
from sparkdl.errors import InvalidModelException


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A model with the slots of its optimizer, which TensorFlow's loader fails on."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    model = tf_keras.Sequential(
        [L.Conv2D(2, 3, input_shape=(8, 8, 3), name="maps"), L.Flatten(), L.Dense(2, name="last")]
    )
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 8, 8, 3)), np.zeros((4, 2)), verbose=0)
    model.save(folder, save_format="tf")
    return folder, model


def test_the_numbers_are_those_of_keras(trained: tuple[Path, Any], tmp_path: Path) -> None:
    folder, model = trained
    rows = rows_of(model)
    bundle = sparkdl.save_bundle(folder, tmp_path / "b")
    assert_same(run(bundle, rows), expected(model, rows), "SavedModel")
    assert ends(bundle) == (["maps_input"], ["last"])


def test_images_labels_preprocessing_and_outputs_need_no_tf_keras(
    trained: tuple[Path, Any], tmp_path: Path
) -> None:
    folder, model = trained
    program = f"""
import sys, sparkdl
sys.modules["tf_keras"] = None
sparkdl.save_bundle({str(folder)!r}, "{tmp_path}/b", image=True, preprocessing="tf",
    labels=["cat", "dog"], outputs=["scores"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("uint8")
    want = expected(model, [np.float32(pixels) / 127.5 - 1])
    assert_same(run(tmp_path / "b", [pixels]), want, "image")
    assert ends(tmp_path / "b")[1] == ["scores"]


def test_half_a_saved_model_says_so(trained: tuple[Path, Any], tmp_path: Path) -> None:
    folder, _ = trained
    shutil.copytree(folder, tmp_path / "half", ignore=shutil.ignore_patterns("variables"))
    with pytest.raises(InvalidModelException, match="variables and assets folders are complete"):
        sparkdl.save_bundle(tmp_path / "half", tmp_path / "b")


def test_recurrent_layers_and_tables_come_along(tmp_path: Path) -> None:
    for name, model in [("recurrent", recurrent()), ("words", text())]:
        model.save(tmp_path / name, save_format="tf")
        bundle = sparkdl.save_bundle(tmp_path / name, tmp_path / f"{name} bundle")
        rows = rows_of(model)
        assert_same(run(bundle, rows), expected(model, rows), name)


def test_a_single_other_signature_is_used_with_a_note(tmp_path: Path, spark: Any) -> None:
    double = tf.function(lambda x: {"y": x * 2}, input_signature=[tf.TensorSpec([None])])
    tf.saved_model.save(tf.Module(), str(tmp_path / "one"), signatures={"score": double})
    with pytest.warns(UserWarning, match="no signature 'serving_default'; its only one, 'score'"):
        bundle = sparkdl.save_bundle(tmp_path / "one", tmp_path / "b")
    assert_same(run(bundle, [np.float32([1])]), [np.float32([2])], "one")
    assert "y: float32" in sparkdl.load_model(tmp_path / "one").describe()
    with pytest.raises(InvalidModelException, match="no signature 'other'; it has score"):
        sparkdl.save_bundle(tmp_path / "one", tmp_path / "c", signature="other")
    both = {"score": double, "rank": double}
    tf.saved_model.save(tf.Module(), str(tmp_path / "two"), signatures=both)
    with pytest.raises(InvalidModelException, match="no signature 'serving_default'.*rank, score"):
        sparkdl.save_bundle(tmp_path / "two", tmp_path / "c")
    with pytest.raises(InvalidModelException, match="no signature 'serving_default'.*rank"):
        sparkdl.load_model(tmp_path / "two")


def test_embeddings_are_frozen(tmp_path: Path) -> None:
    words = tf_keras.Input((4,), dtype="int32")
    model = tf_keras.Model(words, L.Embedding(10, 2, mask_zero=True)(words))
    model.export(tmp_path / "exported")
    rows = [np.array([[0, 1, 9, 3], [4, 4, 0, 2]], "int32")]
    bundle = sparkdl.save_bundle(tmp_path / "exported", tmp_path / "b")
    assert_same(run(bundle, rows), expected(model, rows), "embedding")
    assert (tmp_path / "b" / "graph.pb").is_file()


def test_look_ups_in_loops_are_frozen(tmp_path: Path) -> None:
    holder = tf.Module()
    holder.table = tf.Variable(np.arange(20, dtype="float32").reshape(10, 2))

    def look_up(x: Any) -> Any:
        return tf.map_fn(lambda i: tf.gather(holder.table, i), x, fn_output_signature=tf.float32)

    holder.look_up = tf.function(
        look_up, input_signature=[tf.TensorSpec([None, 3], tf.int32, name="x")]
    )
    tf.saved_model.save(holder, tmp_path / "saved", signatures=holder.look_up)
    rows = [np.array([[0, 9, 1], [2, 2, 5]], "int32")]
    for given in (tmp_path / "saved", holder.look_up):
        bundle = sparkdl.save_bundle(given, tmp_path / "b", overwrite=True)
        [found] = run(bundle, rows)
        assert np.array_equal(found, holder.table.numpy()[rows[0]]), given
