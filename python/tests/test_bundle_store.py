"""`stored_bundle`: one directory per content; and models with lookup tables, which stay whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparkdl
from sparkdl._bundles import bundle_store
from sparkdl._bundles.bundle_store import stored_bundle
from sparkdl._bundles.description import manifest
from sparkdl._bundles.description.manifest import read_manifest, verify_bundle
from sparkdl._places import temporary_folders
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException

X = {"x": ("float32", [None, 3])}


def dense(seed: int = 0) -> Any:
    import keras

    kernel = keras.initializers.RandomNormal(seed=seed)
    layer = keras.layers.Dense(2, kernel_initializer=kernel, name="score")
    return keras.Sequential([keras.Input((3,), name="x"), layer], name="sequential_7")


def text_model() -> Any:
    """Strings to two numbers, by way of a vocabulary that is a lookup table."""
    import keras

    words = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    words.adapt(["the cat sat", "a dog ran far"])
    text = keras.Input((), dtype="string", name="text")
    x = keras.layers.Embedding(20, 3)(words(text))
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(text, keras.layers.Dense(2, name="score")(x))


def test_the_same_model_gives_the_same_directory_and_another_model_another() -> None:
    model = dense()
    path = stored_bundle(model)
    assert stored_bundle(model) == path
    assert stored_bundle(dense()) == path, "the same weights in a model built again"
    assert stored_bundle(dense(1)) != path
    assert stored_bundle(model, outputs=["y"]) != path
    model.set_weights([w + 1 for w in model.get_weights()])
    assert stored_bundle(model) != path
    assert read_manifest(path)["name"] == "model"


def test_the_directory_is_a_whole_bundle_and_nothing_else_is_left() -> None:
    bundle = stored_bundle(lambda x: x + 1, inputs=X)
    path = Path(bundle)
    assert verify_bundle(path)["inputs"][0]["name"] == "x"
    assert not list(path.parent.glob(".new-*"))


def test_a_file_is_converted_once_for_its_content_and_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(
        bundle_store,
        "save_bundle",
        lambda *a, **k: made.append(k) or sparkdl.save_bundle(*a, **k),
    )
    file = tmp_path / "scores.keras"
    dense().save(file)
    first = stored_bundle(file)
    assert stored_bundle(str(file)) == first
    assert len(made) == 1
    assert read_manifest(first)["name"] == "scores"
    renamed = stored_bundle(file, outputs=["y"])
    assert renamed != first
    assert stored_bundle(file, outputs=["y"]) == renamed
    assert len(made) == 2
    labelled = stored_bundle(file, labels=["no", "yes"])
    assert stored_bundle(file, labels=["no", "yes"]) == labelled
    assert len(made) == 3
    dense(1).save(file)
    assert stored_bundle(file) != first


def test_the_hash_of_a_file_is_computed_once_for_its_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read: list[str] = []
    real = manifest.sha256
    monkeypatch.setattr(manifest, "sha256", lambda p: read.append(str(p)) or real(p))
    file, link = tmp_path / "weights.h5", tmp_path / "link"
    file.write_bytes(b"1234")
    link.symlink_to(file)
    first = manifest.known_sha256(file)
    assert manifest.known_sha256(file) == first == real(file)
    assert len(read) == 2, "a file that was written just now may be written again at once"
    monkeypatch.setattr(manifest, "_RECENT_NS", 0)
    assert [manifest.known_sha256(p) for p in (file, link, str(file))] == [first] * 3
    assert len(read) == 3
    file.write_bytes(b"4321")
    assert manifest.known_sha256(file) == real(file) != first


def test_a_saved_model_is_converted_once(tmp_path: Path) -> None:
    dense().export(str(tmp_path / "m"))
    path = stored_bundle(tmp_path / "m")
    assert stored_bundle(tmp_path / "m") == path
    assert read_manifest(path)["name"] == "m"


def test_a_bundle_is_returned_as_it_is(tmp_path: Path) -> None:
    path = sparkdl.save_bundle(dense(), tmp_path / "b")
    assert stored_bundle(path, custom_objects=None, safe_mode=True) == path


def test_a_failure_leaves_nothing_behind() -> None:
    root = temporary_folders.process_folder()
    before = {*root.iterdir()}
    with pytest.raises(InvalidModelException, match="Cannot make a bundle from a int"):
        stored_bundle(17)
    with pytest.raises(ModelNotFoundException, match="There is no model at /nowhere"):
        stored_bundle("/nowhere/m.keras")
    assert {*root.iterdir()} <= before


def test_a_forked_process_does_not_remove_the_bundles(tmp_path: Path) -> None:
    folder = tmp_path / "bundles"
    folder.mkdir()
    temporary_folders._remove(folder, -1)
    assert folder.is_dir()


def test_a_keras_model_with_a_vocabulary_runs_on_strings_as_in_keras(spark: Any) -> None:
    import tensorflow as tf

    model = text_model()
    path = stored_bundle(model, outputs=["y"])
    manifest = verify_bundle(path)
    assert manifest["savedModel"] == "saved_model"
    assert manifest["source"]["kind"] == "keras"
    assert [s["name"] for s in manifest["inputs"] + manifest["outputs"]] == ["text", "y"]
    assert stored_bundle(model, outputs=["y"]) == path
    texts = ["the dog sat", "a cat", "", "unknown words here"]
    loaded = sparkdl.load_model(path)
    frame = spark.createDataFrame([(t,) for t in texts], "text string").coalesce(1)
    found = np.array([r[0] for r in frame.select(loaded("text")).collect()])
    np.testing.assert_allclose(found, model(tf.constant(texts)).numpy(), rtol=1e-5, atol=1e-6)


def test_a_model_with_tables_takes_no_image(tmp_path: Path) -> None:
    with pytest.raises(SettingsException, match="need a model that can be frozen.*lookup tables"):
        sparkdl.save_bundle(text_model(), tmp_path / "m", image=True)
    assert not (tmp_path / "m").exists()


def test_tables_travel_wherever_layers_hold_them_and_whatever_fails_in_training(
    tmp_path: Path,
) -> None:
    import keras
    import tensorflow as tf

    class Colors(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            pairs = tf.lookup.KeyValueTensorInitializer(["red", "green"], [1, 2])
            self.tables = {"colors": [tf.lookup.StaticHashTable(pairs, 0)]}

        def call(self, words: Any) -> Any:
            return self.tables["colors"][0].lookup(words)

    words = keras.Input((2,), dtype="string")
    known = keras.layers.StringLookup(vocabulary=["red"], output_mode="multi_hot")(words)
    whole = keras.layers.GaussianNoise(0.5)(known, training=True)  # refuses whole numbers
    model = keras.Model(words, [Colors()(words), whole])
    bundle = sparkdl.save_bundle(model, tmp_path / "b")  # which compares the two
    assert "savedModel" in read_manifest(bundle)


def test_a_keras_file_with_a_string_lookup_runs_as_in_keras(spark: Any, tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    color, size = keras.Input((1,), dtype="string", name="z"), keras.Input((2,), name="a")
    look = keras.layers.StringLookup(vocabulary=["red", "green"], output_mode="one_hot")
    x = keras.layers.Concatenate()([look(color), size])
    model = keras.Model([color, size], [keras.layers.Dense(2)(x), x])
    model.save(tmp_path / "m.keras")
    path = sparkdl.save_bundle(tmp_path / "m.keras", tmp_path / "b", outputs=["score", "seen"])
    rows = [(["red"], [1.0, 2.0]), (["blue"], [3.0, 4.0])]
    frame = spark.createDataFrame(rows, "z array<string>, a array<float>").coalesce(1)
    loaded = sparkdl.load_model(path)
    assert [s.name for s in loaded.inputs] == ["z", "a"], "in the order of the model"
    found = [r[0] for r in frame.select(loaded("z", "a")).collect()]
    fed = [tf.constant([r[i] for r in rows]) for i in range(2)]
    for name, expected in zip(["score", "seen"], model(fed), strict=True):
        np.testing.assert_allclose([r[name] for r in found], expected, rtol=1e-5)
