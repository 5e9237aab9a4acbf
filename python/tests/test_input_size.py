"""Named networks at another size than usual, against Keras; callbacks of a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digit_rows import digit_rows
from parity import largest_difference, randomise

from sparkdl import (
    DeepImageFeaturizer,
    DeepImagePredictor,
    ImageClassifierEstimator,
    compare_models,
)
from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._command_line.main import main
from sparkdl.errors import InvalidModelException, SettingsException, SparkDLException
from sparkdl.image import ImageSchema

NAME, SIZE = "MobileNetV2", (64, 96)


@pytest.fixture(scope="module")
def network() -> Any:
    import keras

    network = keras.applications.MobileNetV2(weights=None)
    randomise(network, 3)
    return network


@pytest.fixture(scope="module")
def weights(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "own.weights.h5"
    network.save_weights(file)
    return file


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_features_and_predictions_of_another_size_are_those_of_keras(
    spark: Any, network: Any, weights: Path, models: Path
) -> None:
    import keras

    pixels = np.random.default_rng(1).integers(0, 256, (2, *SIZE, 3), np.uint8)
    images = [ImageSchema.toImage(np.ascontiguousarray(p[..., ::-1])) for p in pixels]
    schema = f"id int, image {ImageSchema.columnSchema.simpleString()}"
    frame = spark.createDataFrame(list(enumerate(images)), schema).coalesce(1)
    given = {"inputCol": "image", "outputCol": "out", "modelName": NAME, "inputSize": SIZE}
    given |= {"weights": weights, "modelDir": models}
    prepared = pixels.astype("float32") / 127.5 - 1
    whole = keras.applications.MobileNetV2(weights=None, input_shape=(*SIZE, 3))
    whole.set_weights(network.get_weights())
    bare = keras.Model(whole.input, whole.layers[-2].output)
    for stage, model in ((DeepImageFeaturizer, bare), (DeepImagePredictor, whole)):
        rows = stage(**given).transform(frame).select("out").collect()
        found = np.stack([r[0].toArray() for r in rows])
        assert largest_difference(found, np.asarray(model(prepared, training=False))) < 1e-4
    assert [p.name.split("-")[1] for p in models.iterdir() if p.is_dir()] == ["64x96"]
    bundle = next(p for p in models.iterdir() if p.is_dir())
    with pytest.raises(InvalidModelException, match="takes images of 64 x 96 pixels. Leave inputS"):
        DeepImageFeaturizer(**{**given, "weights": bundle, "inputSize": [32, 32]}).transform(frame)
    with pytest.raises(SettingsException, match="MobileNetV2 does not take images of 8 x 8 pixels"):
        DeepImageFeaturizer(**{**given, "inputSize": [8, 8]}).transform(frame)
    named = DeepImagePredictor(**given, decodePredictions=True, topK=1).transform(frame)
    assert all(r.out[0]["class"].startswith("n0") for r in named.collect())


def test_sizes_that_cannot_be_are_errors(spark: Any) -> None:
    with pytest.raises(SparkDLException, match=r"inputSize is \[height, width\], both at least 1"):
        DeepImageFeaturizer(inputSize=[150])
    stage = DeepImageFeaturizer(inputCol="image", outputCol="o", modelName="TinyNet")
    frame = spark.createDataFrame([(bytearray(b"x"),)], "image binary")
    with pytest.raises(SettingsException, match="TinyNet comes with sparkdl as a graph of 32 x 32"):
        stage.setInputSize([40, 40]).transform(frame)


def test_a_classifier_is_trained_at_another_size_and_goes_on_in_keras(
    spark: Any, weights: Path, models: Path
) -> None:
    model = ImageClassifierEstimator(
        inputCol="image",
        labelCol="label",
        baseModel=NAME,
        inputSize=[48, 48],
        weights=weights,
        modelDir=models,
        headUnits=0,
        epochs=1,
        verbose=0,
    ).fit(digit_rows(spark).limit(40))
    assert model.keras_model().input_shape == (None, 48, 48, 3)


def test_callbacks_of_keras_run_in_the_training_of_the_head(spark: Any) -> None:
    import keras

    seen: list[int] = []
    callbacks = [
        keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=10, patience=1),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: seen.append(epoch)),
    ]
    given = {"inputCol": "image", "labelCol": "label", "baseModel": "TinyNet", "verbose": 0}
    estimator = ImageClassifierEstimator(**given, headUnits=8, epochs=9, callbacks=callbacks)
    model = estimator.fit(digit_rows(spark).limit(80))
    assert seen == [0, 1]
    assert len(model.history["loss"]) == 2
    with pytest.raises(SparkDLException, match="Expected Keras callbacks, got str"):
        ImageClassifierEstimator(callbacks=["EarlyStopping"])


def test_networks_are_compared_and_unfrozen_at_another_size_with_callbacks(
    spark: Any, weights: Path, models: Path
) -> None:
    import keras

    ended: list[int] = []
    comparison = compare_models(
        digit_rows(spark).limit(40),
        [NAME],
        weights={NAME: weights},
        inputCol="image",
        labelCol="label",
        inputSize={NAME: [48, 48]},
        modelDir=models,
        headUnits=0,
        epochs=1,
        unfreezeFrom="Conv_1",
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda e, _: ended.append(e))],
        numWorkers=1,
        verbose=0,
    )
    model = comparison.models[NAME]
    assert model.keras_model().input_shape == (None, 48, 48, 3)
    assert "unfrozen from: Conv_1" in model.summary()
    assert len(ended) == 2  # of the head and of the network


def test_a_network_is_exported_at_another_size(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    command = ["export", NAME, "--weights", str(weights), "--out", str(out), "--no-verify"]
    assert main([*command, "--size", "40", "56"]) == 0
    image = read_manifest(out)["image"]
    assert (image["height"], image["width"]) == (40, 56)
