"""What the models of estimators tell of themselves, and how they are taken elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stage_bundles

from sparkdl import ImageClassifierModel, KerasModel, load_model, save_bundle
from sparkdl._bundles.description.training_record import remember
from sparkdl.errors import InvalidModelException, SettingsException

pytestmark = pytest.mark.usefixtures("spark")

HISTORY = {"loss": [0.9, 0.4, 0.3], "val_loss": [0.8, 0.5, 0.6]}


@pytest.fixture(scope="module")
def live() -> Any:
    import keras

    layers = [keras.Input((3,)), keras.layers.Dense(2, name="scores")]
    return keras.Sequential(layers, name="scores")


@pytest.fixture
def trained(live: Any, tmp_path: Path) -> KerasModel:
    """A model as an estimator leaves it."""
    folder = Path(save_bundle(live, tmp_path / "scores"))
    remember(folder, history=HISTORY, about={"rows": 7}, model=live)
    return KerasModel(inputCols=["content"], outputCols=["out"], modelFile=folder)


def test_a_saved_model_has_its_history_and_its_keras_model(
    spark: Any, trained: KerasModel, live: Any, tmp_path: Path
) -> None:
    frame = stage_bundles.vectors(spark, [0, 1, 2])
    trained.write().save(str(tmp_path / "stage"))
    loaded = KerasModel.load(str(tmp_path / "stage"))
    assert loaded.history == HISTORY
    assert loaded.failure is None
    x = np.array([r.content for r in frame.collect()], "float32")
    found = np.array([r.out for r in loaded.transform(frame).collect()])
    np.testing.assert_allclose(found, live.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(loaded.keras_model()(x), live(x))


def test_the_summary_has_facts_and_the_best_epoch(trained: KerasModel) -> None:
    lines = trained.summary().splitlines()
    assert lines[0] == "model 'scores'"
    assert "  rows: 7" in lines
    assert lines[-2:] == [
        "trained for 3 epoch(s); least val_loss in epoch 2:",
        "  loss 0.4, val_loss 0.5",
    ]


def test_it_is_exported_as_a_file_of_keras(trained: KerasModel, live: Any, tmp_path: Path) -> None:
    import keras

    whole = keras.saving.load_model(trained.export_keras(tmp_path / "new" / "m.keras"))
    text = Path(trained.export_keras(tmp_path / "m.json")).read_text()
    built = keras.models.model_from_json(text)
    built.load_weights(tmp_path / "m.weights.h5")
    for other in (whole, built):
        for a, b in zip(other.get_weights(), live.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(SettingsException, match="expected a path that ends in .keras .* or .json"):
        trained.export_keras(tmp_path / "m.h5")


def test_it_is_exported_as_a_bundle(trained: KerasModel, tmp_path: Path) -> None:
    path = trained.export_bundle(tmp_path / "b")
    assert load_model(path).outputs[0].name == "output"
    assert json.loads((Path(path) / "model.json").read_text())["keras"] == "model.keras"
    assert KerasModel(modelFile=path).history == HISTORY
    with pytest.raises(SettingsException, match="it exists"):
        trained.export_bundle(tmp_path / "b")
    trained.export_bundle(tmp_path / "b", overwrite=True)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    bare = ImageClassifierModel(inputCol="content", modelFile=stage_bundles.colours())
    assert bare.history == {}
    assert bare.labels == ["red", "green", "blue"]
    with pytest.raises(InvalidModelException, match="no Keras model"):
        bare.export_keras(tmp_path / "m.keras")
    with pytest.raises(SettingsException, match="it is not set"):
        KerasModel().summary()


def test_a_classifier_must_be_one(spark: Any) -> None:
    frame = stage_bundles.three(spark)
    stage = ImageClassifierModel(inputCol="content", modelFile=stage_bundles.colours())
    with pytest.raises(InvalidModelException, match="not a model of ImageClassifierEstimator"):
        stage.transform(frame)
