"""The table of named models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sparkdl
from sparkdl.errors import ModelNotFoundException
from sparkdl.networks.named_models import NamedModel, named_model


def test_a_model_is_one_line_of_the_table() -> None:
    table = Path(sparkdl.__file__).parent / "resources" / "named_models.json"
    assert len(table.read_text().splitlines()) == len(sparkdl.models()) + 2


def test_the_table_has_the_models_of_1x_and_the_newer_ones() -> None:
    names = {m.name for m in sparkdl.models()}
    assert names >= {"InceptionV3", "Xception", "ResNet50", "VGG16", "VGG19", "MobileNetV2"}
    assert names >= {"MobileNetV3Large", "EfficientNetV2B0", "DenseNet121", "ConvNeXtTiny"}
    assert names >= {"InceptionResNetV2", "NASNetMobile", "TinyNet"}


def test_the_table_has_all_of_keras_applications() -> None:
    import keras

    networks = {n for n in dir(keras.applications) if n[0].isupper()}
    assert networks == {m.name for m in sparkdl.models() if m.keras}


def test_models_print_as_a_table_and_are_records(tmp_path: Path) -> None:
    table = sparkdl.models(str(tmp_path))
    assert isinstance(table[0], NamedModel)
    lines = repr(table).splitlines()
    assert lines[0].split()[:3] == ["model", "input", "features"]
    assert len(lines) == len(table) + 1
    row = next(line for line in lines if line.startswith("ResNet50"))
    assert "224 x 224" in row
    assert "2048" in row
    assert row.endswith("no")


def test_a_bundle_in_the_cache_shows_in_the_table(tmp_path: Path) -> None:
    (tmp_path / "VGG16-imagenet").mkdir()
    (tmp_path / "VGG16-imagenet" / "model.json").write_text("{}")
    assert {m.name for m in sparkdl.models(str(tmp_path)) if m.cached} == {"VGG16", "TinyNet"}


def test_an_unknown_name_is_refused_with_the_one_that_was_probably_meant() -> None:
    with pytest.raises(ModelNotFoundException, match=r"'resnet50'.*Did you mean 'ResNet50'"):
        named_model("resnet50")


def test_the_command_line_lists_the_models(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sparkdl", "models", "--model-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("model ")
    assert "tensorflow" not in done.stderr.lower()
