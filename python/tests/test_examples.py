"""The examples run, on small data, in the session of the tests."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CHECKOUT
from PIL import Image

import sparkdl

# delta_photos.py needs a session with Delta's jar: test_lake_tables.py runs it.
EXAMPLES = sorted(
    p.name for p in (CHECKOUT / "examples").glob("*.py") if p.name != "delta_photos.py"
)


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


@pytest.fixture
def run(spark: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that runs an example in the session of the tests, and returns its variables."""

    def run(name: str, *arguments: str) -> dict[str, Any]:
        script = str(CHECKOUT / "examples" / name)
        monkeypatch.setattr(sys, "argv", [script, *arguments])
        return runpy.run_path(script, run_name="__main__")

    monkeypatch.setattr(sparkdl, "start", lambda **_: Session(spark), raising=False)
    return run


def arguments(name: str, pictures: Path) -> list[str]:
    warm = str(pictures / "warm")
    return {
        "transfer_learning.py": [str(pictures), str(pictures), "--model", "TinyNet"],
        "prediction.py": [warm, "--model", "TinyNet"],
        "tf_image.py": [warm],
        "sql_images.py": [warm],
        "structured_data.py": ["--rows", "1000", "--folds", "0"],
        "image_statistics.py": [warm],
        "cosine_search.py": ["--rows", "2000"],
        "kmeans.py": ["--rows", "3000"],
        "sequences.py": ["--rows", "90", "--epochs", "1"],
        "custom_training_loop.py": ["--epochs", "2"],
        "teachable_classifier.py": ["--pictures", warm],
        "fine_tuning.py": [
            *[str(pictures), "--models", "TinyNet", "--epochs", "5"],
            *["--out", str(pictures.parent / "fine-tuned")],
        ],
    }.get(name, [])


def as_binary(folder: Path, part: str, classes: list[str], pixels: Any, labels: Any) -> None:
    """Write CIFAR-10's binary files: a byte for the class, then the planes."""
    (folder / "batches.meta.txt").write_text("\n".join([*classes, ""]))
    names = {"train": ["data_batch_1.bin", "data_batch_2.bin"], "test": ["test_batch.bin"]}[part]
    records = np.hstack([labels[:, None], pixels.transpose(0, 3, 1, 2).reshape(len(labels), -1)])
    for name, some in zip(names, np.array_split(records.astype("uint8"), len(names)), strict=True):
        (folder / name).write_bytes(some.tobytes())


def as_folders(folder: Path, part: str, classes: list[str], pixels: Any, labels: Any) -> None:
    """Write a PNG file per image, in a folder per class."""
    for name in classes:
        (folder / part / name).mkdir(parents=True)
    (folder / part / "notes.txt").write_text("no class")
    for i, (rgb, label) in enumerate(zip(pixels, labels, strict=True)):
        Image.fromarray(rgb).save(folder / part / classes[label] / f"{i}.png")


@pytest.mark.parametrize("write", [as_binary, as_folders])
def test_the_loop_of_ones_own_reads_cifar10_as_it_is_published(
    write: Any, spark: Any, tmp_path: Path, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    classes, written = ["airplane", "automobile", "bird"], {}
    for part, count in (("train", 8), ("test", 4)):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 32, 32, 3), "uint8")
        labels = np.arange(count) % len(classes)
        write(tmp_path, part, classes, pixels, labels)
        written[part] = {(p.tobytes(), label) for p, label in zip(pixels, labels, strict=True)}
    found = run("custom_training_loop.py", str(tmp_path), "--epochs", "1", "--batch-size", "3")
    assert found["classes"] == classes
    for part, frame in (("train", found["training"]), ("test", found["testing"])):
        rows = frame.collect()
        assert {(bytes(r.pixels), r.label) for r in rows} == written[part]
        assert all(np.frombuffer(r.image.data, "uint8")[2] == r.pixels[0] for r in rows)
    assert "evaluate: loss" in capsys.readouterr().out


def test_the_folder_of_a_classifier_from_the_browser_gives_its_numbers(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tf_keras

    made = run("teachable_classifier.py")["folder"]
    capsys.readouterr()
    (made / "labels.txt").write_text("0 Class 1\n1 Class 2\n")
    Image.new("RGB", (60, 40), (200, 100, 0)).save(tmp_path / "orange.png")
    given = ["--folder", str(made), "--pictures", str(tmp_path)]
    found = run("teachable_classifier.py", *given)
    assert "Class 2 0." in capsys.readouterr().out
    [row] = found["predictor"].transform(found["files"]).collect()
    got = {c.description: c.probability for c in row.classes}
    pixels = np.full((1, 224, 224, 3), [200, 100, 0], "float32")
    want = np.asarray(tf_keras.models.load_model(made / "keras_model.h5")(pixels / 127.5 - 1))[0]
    assert got == pytest.approx({"Class 1": want[0], "Class 2": want[1]}, abs=1e-5)


EXPECTED = {
    "cluster_training.py": "of 10 epochs at most",
    "cosine_search.py": "|  42|     0.9",
    "harmonic_mean.py": "|  train|192.0|",
    "image_search.py": "|0-0.png|0-",
    "image_statistics.py": "|0.png|    36|",
    "kmeans.py": "round 10: centres moved by 0.00",
    "custom_training_loop.py": "evaluate: loss",
    "fine_tuning.py": "base: TinyNet",
    "keras_image_file.py": "of 60 digits are right",
    "prediction.py": "0.png",
    "sequences.py": "of the strokes are right",
    "sql_function.py": "kind",
    "sql_images.py": "squeezed",
    "streaming.py": "seen",
    "structured_data.py": "area under ROC 0.",
    "teachable_classifier.py": "[cats 0.",
    "tensors.py": "positive",
    "tf_image.py": "nChannels",
    "transfer_learning.py": "accuracy 1.000",
    "tuning.py": "losses of the best",
}


def test_every_example_is_expected_to_say_something() -> None:
    assert set(EXAMPLES) == set(EXPECTED)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(
    name: str, pictures: Path, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run(name, *arguments(name, pictures))
    assert EXPECTED[name] in capsys.readouterr().out
