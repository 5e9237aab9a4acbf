"""The examples run, on small data, in the session of the tests."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT
from PIL import Image

import sparkdl

EXAMPLES = sorted(p.name for p in (CHECKOUT / "examples").glob("*.py"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images per class; colours tell the classes apart."""
    folder = tmp_path_factory.mktemp("pictures")
    for kind, colour in (("warm", (220, 90, 30)), ("cold", (20, 80, 200))):
        (folder / kind).mkdir()
        for i in range(3):
            shade = tuple(min(255, c + 8 * i) for c in colour)
            Image.new("RGB", (40 + 5 * i, 36), shade).save(folder / kind / f"{i}.png")
    return folder


class Session:
    """The tests' session, which an example may not stop."""

    def __init__(self, spark: Any) -> None:
        self._spark = spark

    def __getattr__(self, name: str) -> Any:
        return getattr(self._spark, name)

    def stop(self) -> None:
        """Do nothing."""


def arguments(name: str, pictures: Path) -> list[str]:
    warm = str(pictures / "warm")
    return {
        "transfer_learning.py": [str(pictures), str(pictures), "--model", "TinyNet"],
        "prediction.py": [warm, "--model", "TinyNet"],
        "tf_image.py": [warm],
        "sql_images.py": [warm],
        "image_statistics.py": [warm],
        "cosine_search.py": ["--rows", "2000"],
        "kmeans.py": ["--rows", "3000"],
        "custom_training_loop.py": ["--epochs", "2"],
        "fine_tuning.py": [
            *[str(pictures), "--models", "TinyNet", "--epochs", "5"],
            *["--out", str(pictures.parent / "fine-tuned")],
        ],
    }.get(name, [])


EXPECTED = {
    "cluster_training.py": "of 10 epochs at most",
    "cosine_search.py": "|  42|     0.9",
    "harmonic_mean.py": "|  train|192.0|",
    "image_statistics.py": "|0.png|    36|",
    "kmeans.py": "round 10: centres moved by 0.00",
    "custom_training_loop.py": "evaluate: loss",
    "fine_tuning.py": "base: TinyNet",
    "keras_image_file.py": "of 60 digits are right",
    "prediction.py": "0.png",
    "sql_function.py": "kind",
    "sql_images.py": "squeezed",
    "streaming.py": "seen",
    "tensors.py": "positive",
    "tf_image.py": "nChannels",
    "transfer_learning.py": "accuracy 1.000",
    "tuning.py": "losses of the best",
}


def test_every_example_is_expected_to_say_something() -> None:
    assert set(EXAMPLES) == set(EXPECTED)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(
    name: str,
    spark: Any,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sparkdl, "start", lambda **_: Session(spark), raising=False)
    script = CHECKOUT / "examples" / name
    monkeypatch.setattr(sys, "argv", [str(script), *arguments(name, pictures)])
    runpy.run_path(str(script), run_name="__main__")
    assert EXPECTED[name] in capsys.readouterr().out
