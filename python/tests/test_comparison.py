"""compare_models: one table and one picture of several networks."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from digit_rows import digit_rows

import sparkdl
from sparkdl.errors import ModelNotFoundException, SettingsException, SparkDLException

GIVEN = {"inputCol": "image", "labelCol": "label", "headUnits": 16, "verbose": 0, "epochs": 2}


@pytest.fixture(scope="module")
def digits(spark: Any) -> Any:
    return digit_rows(spark)


def own_network() -> Any:
    import keras

    keras.utils.set_random_seed(4)
    layers = [keras.Input((32, 32, 3)), keras.layers.Conv2D(4, 5, strides=3, activation="relu")]
    return keras.Sequential(layers, name="own")


def test_networks_of_your_own_are_compared_by_their_titles(digits: Any) -> None:
    networks = {"my net": own_network(), "shipped": "TinyNet"}
    comparison = sparkdl.compare_models(digits, networks, **GIVEN)
    assert list(comparison.models) == ["my net", "shipped"]
    assert {r.model for r in comparison} == {"my net", "shipped"}
    assert comparison.best.history["val_loss"]


def test_networks_are_compared_in_a_table_and_a_picture(digits: Any, tmp_path: Path) -> None:
    missing = {"VGG16": tmp_path / "no.weights.h5"}
    with pytest.warns(UserWarning, match="VGG16 is left out of the comparison: There is no"):
        comparison = sparkdl.compare_models(digits, ["TinyNet", "VGG16"], weights=missing, **GIVEN)
    assert [r.model for r in comparison] == list(comparison.models) == ["TinyNet"]
    history = comparison.models["TinyNet"].history
    best = history["val_loss"].index(min(history["val_loss"]))
    assert (comparison[0].accuracy, comparison[0].loss) == (
        history["val_accuracy"][best],
        history["val_loss"][best],
    )
    assert comparison[0].imagesPerSecond > 0
    assert comparison.best is comparison.models["TinyNet"]
    lines = repr(comparison).splitlines()
    assert lines[0].split() == ["model", "accuracy", "loss", "seconds", "MB", "images/s"]
    assert lines[1].startswith("TinyNet")
    figure, out = comparison.plot(), io.BytesIO()
    figure.savefig(out, format="png")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["accuracy", "seconds of fit", "size in MB", "images/s at inference"]


def test_what_cannot_be_compared_is_an_error_before_anything_is_fitted(
    digits: Any, tmp_path: Path
) -> None:
    def refused(error: type, message: str, models: list[str], **params: Any) -> None:
        with pytest.raises(error, match=message):
            sparkdl.compare_models(digits, models, **{**GIVEN, **params})

    refused(SettingsException, "names of different networks, got \\[\\]", [])
    refused(SparkDLException, "VGG61", ["TinyNet", "VGG61"])
    refused(
        SettingsException,
        "weights names VGG19, which is not compared",
        ["TinyNet"],
        weights={"VGG19": "x.h5"},
    )
    refused(SettingsException, "compare_models sets modelFile itself", ["TinyNet"], modelFile="x")
    refused(
        SettingsException, "None for VGG16. Features of random", ["VGG16"], weights={"VGG16": None}
    )
    refused(TypeError, 'in a dict: compare_models\\(df, {"my net": network}', [own_network()])
    none = {"VGG16": tmp_path / "no.weights.h5"}
    refused(ModelNotFoundException, "There is no weights file", ["VGG16"], weights=none)


def test_the_numbers_are_of_the_epoch_whose_weights_the_model_has() -> None:
    from types import SimpleNamespace

    from sparkdl.estimators.comparison import _reached

    history = {"val_loss": [0.5, 0.1, 0.3, 0.4], "val_accuracy": [0.1, 0.2, 0.3, 0.4]}
    whole = SimpleNamespace(history=history, _parts=dict)
    tuned = SimpleNamespace(history=history, _parts=lambda: {"head": 2, "network": 2})
    assert _reached(whole, best=True) == (0.2, 0.1)  # type: ignore[arg-type]
    assert _reached(whole, best=False) == (0.4, 0.4)  # type: ignore[arg-type]
    assert _reached(tuned, best=True) == (0.3, 0.3)  # type: ignore[arg-type]
