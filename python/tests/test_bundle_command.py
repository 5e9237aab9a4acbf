"""`python -m sparkdl bundle`: a model in a file becomes a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._command_line.main import main


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    file = tmp_path / "m.keras"
    keras.Sequential([keras.Input((4, 5, 3)), keras.layers.Flatten()]).save(file)
    return file


def test_a_keras_file_becomes_a_bundle(model_file: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "b"
    assert main(["bundle", str(model_file), "--out", str(out), "--name", "flat"]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    manifest = read_manifest(out)
    assert (manifest["name"], manifest.get("image")) == ("flat", None)


def test_an_image_model_with_preprocessing_and_labels(model_file: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\n")
    out = tmp_path / "b"
    command = ["bundle", str(model_file), "--out", str(out), "--labels", str(labels)]
    assert main([*command, "--image", "--preprocessing", "tf"]) == 0
    manifest = read_manifest(out)
    assert manifest["image"]["channelOrder"] == "RGB"
    assert manifest["inputs"][0]["dtype"] == "uint8"
    assert manifest["labels"] == "labels.json"
    assert main([*command, "--overwrite"]) == 0
    assert "image" not in read_manifest(out)


def test_what_can_be_mended_is_one_line(model_file: Path, tmp_path: Path, capsys: Any) -> None:
    command = ["bundle", "--out", str(tmp_path / "b")]
    assert main([*command, str(tmp_path / "none.h5")]) == 1
    assert "ModelNotFoundException: There is no model at" in capsys.readouterr().err
    pickled = tmp_path / "p.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)]).save(pickled)
    assert main([*command, str(pickled)]) == 1
    assert "safe_mode=False" in capsys.readouterr().err
    assert main([*command, str(pickled), "--unsafe"]) == 0
    assert main([*command, str(model_file)]) == 1
    assert "--overwrite in the shell" in capsys.readouterr().err


def test_a_saved_model_needs_its_signature(tmp_path: Path, capsys: Any) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.f = tf.function(lambda x: {"y": x}, [tf.TensorSpec([None], tf.float32, "x")])
    saved, out = str(tmp_path / "m"), str(tmp_path / "b")
    tf.saved_model.save(module, saved, signatures={"other": module.f, "third": module.f})
    assert main(["bundle", saved, "--out", out]) == 1
    assert "it has other, third" in capsys.readouterr().err
    assert main(["bundle", saved, "--out", out, "--signature", "other"]) == 0
