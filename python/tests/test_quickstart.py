"""The parts of examples/quickstart; build/quickstart runs them all."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT

from sparkdl.errors import ModelNotFoundException, SparkDLException

pytest.importorskip("sklearn")
PER_CLASS = 8


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module of the quick start by name."""
    monkeypatch.syspath_prepend(str(CHECKOUT / "examples" / "quickstart"))
    return importlib.import_module


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few digits of two classes, and a file that is no image."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CHECKOUT / "examples" / "quickstart"))
        whole = importlib.import_module("digits").write_digits(tmp_path_factory.mktemp("digits"))
    few = tmp_path_factory.mktemp("few")
    for kind in ("0", "4"):
        (few / kind).mkdir()
        for file in sorted((whole / kind).glob("*.png"))[:PER_CLASS]:
            (few / kind / file.name).symlink_to(file)
    (few / "0" / "LICENSE.txt").write_text("not read")
    return few


def test_writes_all_digits_once(part: Any, tmp_path: Path) -> None:
    write_digits = part("digits").write_digits
    write_digits(tmp_path)
    files = sorted(tmp_path.glob("*/*.png"))
    assert len(files) == 1797
    before = files[0].stat().st_mtime_ns
    write_digits(tmp_path)
    assert files[0].stat().st_mtime_ns == before


def test_holds_out_the_same_share_of_each_class(part: Any, spark: Any, digits: Path) -> None:
    job = part("job")
    data = job.labelled_images(spark, str(digits))
    assert data.classes == ["0", "4"]
    assert data.counts == {"0": PER_CLASS, "4": PER_CLASS}
    train, test = ({(r.label, r.path) for r in d.collect()} for d in job.split(data.images))
    assert not train & test
    assert sorted(label for label, _ in test) == [0.0] * 2 + [1.0] * 2
    assert len(train) == 2 * PER_CLASS - data.held_out
    assert {(r.label, r.path) for r in job.split(data.images)[1].collect()} == test


def test_learns_saves_loads_and_draws(part: Any, spark: Any, digits: Path, tmp_path: Path) -> None:
    job, picture, report = part("job"), part("picture"), part("report")
    data = job.labelled_images(spark, str(digits))
    train, test = job.split(data.images)
    pipeline = job.learn(part("network").Network("TinyNet", "imagenet"), train)
    predicted = job.predict(pipeline, test)
    assert job.accuracy(predicted) == 1.0
    saved = job.save(pipeline, data.classes, tmp_path / "pipeline")
    assert job.predicts_the_same(saved, test, predicted)
    assert report.wrong_predictions(predicted, data.classes).strip() == "No wrong predictions."
    drawn = picture.draw(predicted, data.classes, tmp_path / "picture.png", "TinyNet")
    assert drawn.stat().st_size > 5000


def test_wrong_predictions_are_listed_the_surest_first(part: Any, spark: Any) -> None:
    rows = [("file:/x/a/1%201.png", 0.0, 1.0, 0.5), ("file:/x/b/2.png", 1.0, 0.0, 0.9)]
    rows.append(("file:/x/b/3.png", 1.0, 1.0, 1.0))
    predicted = spark.createDataFrame(
        rows, "path string, label double, prediction double, sure double"
    )
    table = part("report").wrong_predictions(predicted, ["a", "b"]).split("\n")
    assert [line.split() for line in table[3:5]] == [
        ["b/2.png", "b", "a", "0.90"],
        ["a/1", "1.png", "a", "b", "0.50"],
    ]


def test_a_folder_without_classes_is_refused(part: Any, spark: Any, digits: Path) -> None:
    with pytest.raises(SparkDLException, match="for each of at least 2 classes, got {'4': 8}"):
        part("job").labelled_images(spark, str(digits / "4"))


def test_without_weights_the_shipped_network_is_used_and_said(
    part: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, said = part("network"), []

    def no_weights(name: str, weights: str) -> None:
        raise ModelNotFoundException("no network")

    monkeypatch.setattr(network, "ensure_bundle", no_weights)
    assert network.chosen_network("ResNet50", "imagenet", said.append).name == "TinyNet"
    assert len(said) == 1
    assert "ImageNet weights of ResNet50 cannot be downloaded" in said[0]
    with pytest.raises(ModelNotFoundException):
        network.chosen_network("ResNet50", "my.h5", said.append)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pictures", "x"], "unknown argument '--pictures'"),
        (["--images"], "--images needs a value"),
        (["--images", "/nowhere"], "there is no directory '/nowhere'"),
        (["--weights", "/nowhere.h5"], "there is no file '/nowhere.h5'"),
    ],
)
def test_the_script_refuses_wrong_arguments(words: list[str], message: str) -> None:
    done = subprocess.run(
        [CHECKOUT / "build" / "quickstart", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert message in done.stderr
