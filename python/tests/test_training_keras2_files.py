"""Files of Keras 2 where models are trained: Keras 3 trains those that it loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from keras2_models import L

import sparkdl
from sparkdl.errors import InvalidModelException

TWO_WAYS = "Cannot train .*Keras 3.*load_weights.*TensorFlowDistributor"


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    """Columns x (two numbers), steps (three rows of one) and y (their sum)."""
    return spark.range(48).selectExpr(
        "array(id % 3, id % 5) AS x",
        "array(array(id % 3), array(id % 5), array(0)) AS steps",
        "CAST(id % 3 + id % 5 AS float) AS y",
    )


def saved(model: Any, file: Path) -> str:
    model.save(file)
    return str(file)


def estimator(file: str, column: str) -> sparkdl.KerasEstimator:
    return sparkdl.KerasEstimator(
        model=file,
        inputCols=[column],
        labelCols=["y"],
        outputCols=["out"],
        optimizer="sgd",
        loss="mse",
        batchSize=16,
        epochs=2,
        shuffle=False,
        numWorkers=1,
        verbose=0,
    )


def test_a_file_that_keras_3_loads_is_trained_as_keras_trains_it(
    frame: Any, tmp_path: Path
) -> None:
    import keras

    model = tf_keras.Sequential([L.Dense(3, "tanh", input_shape=(2,)), L.Dense(1)])
    model.save(tmp_path / "model.keras", save_format="h5")  # as Keras 2 wrote it until 2.12
    fitted = estimator(str(tmp_path / "model.keras"), "x").fit(frame)
    same = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)]
    )
    same.set_weights(model.get_weights())
    same.compile("sgd", "mse")
    rows = frame.collect()
    x, y = np.float32([r.x for r in rows]), np.float32([r.y for r in rows])
    history = same.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    assert fitted.history["loss"] == pytest.approx(history["loss"], rel=1e-4)
    found = np.array([r.out for r in fitted.transform(frame).select("out").collect()])
    np.testing.assert_allclose(found.reshape(-1, 1), same.predict(x, verbose=0), atol=1e-4)


def test_a_file_that_keras_3_does_not_load_names_the_two_ways(frame: Any, tmp_path: Path) -> None:
    file = saved(
        tf_keras.Sequential([L.LSTM(2, input_shape=(3, 1)), L.Dense(1)]), tmp_path / "m.h5"
    )
    with pytest.raises(InvalidModelException, match=f"(?s){TWO_WAYS}"):
        estimator(file, "steps").fit(frame)


def test_images_and_networks_to_fine_tune_name_the_two_ways(spark: Any, tmp_path: Path) -> None:
    layers = [L.DepthwiseConv2D(3, input_shape=(8, 8, 3)), L.GlobalAveragePooling2D(), L.Dense(1)]
    file = saved(tf_keras.Sequential(layers), tmp_path / "m.h5")
    frame = spark.sql("SELECT 'file:/nowhere.png' AS file, CAST(NULL AS binary) AS x, 1 AS y")
    trials = sparkdl.KerasImageFileEstimator(
        modelFile=file,
        inputCol="file",
        labelCol="y",
        outputCol="out",
        kerasLoss="mse",
        imageLoader=lambda uri: np.zeros((1, 8, 8, 3), "float32"),
    )
    with pytest.raises(InvalidModelException, match=f"(?s){TWO_WAYS}"):
        trials.fit(frame)
    tuned = sparkdl.ImageClassifierEstimator(
        modelFile=file, inputCol="x", labelCol="y", unfreezeFrom="dense"
    )
    with pytest.raises(InvalidModelException, match=f"(?s){TWO_WAYS}"):
        tuned.fit(frame)


def test_both_ways_train_what_keras_3_does_not_load(frame: Any, tmp_path: Path) -> None:
    import keras

    model = tf_keras.Sequential([L.LSTM(2, input_shape=(3, 1)), L.Dense(1)])
    file = saved(model, tmp_path / "model.h5")
    model.save_weights(tmp_path / "weights.h5")
    rebuilt = keras.Sequential([keras.Input((3, 1)), keras.layers.LSTM(2), keras.layers.Dense(1)])
    rebuilt.load_weights(tmp_path / "weights.h5")
    fitted = estimator(file, "steps").setParams(model=rebuilt).fit(frame)

    loaded = tf_keras.models.load_model(file, compile=False)
    loaded.compile("sgd", "mse")
    data = sparkdl.tf_dataset(frame, ("steps", "y"), 16)
    history = loaded.fit(data, epochs=2, verbose=0).history
    assert fitted.history["loss"] == pytest.approx(history["loss"], rel=1e-4)
