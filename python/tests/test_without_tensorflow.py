"""Where TensorFlow and Keras are not installed, what needs them says so, and the rest works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame

import sparkdl
import sparkdl.tensorframes as tfs
from sparkdl.errors import SettingsException


@pytest.fixture
def images(spark: Any, monkeypatch: pytest.MonkeyPatch) -> DataFrame:
    """No row, in a process without TensorFlow."""
    for name in ("tensorflow", "keras", "tf_keras"):
        monkeypatch.setitem(sys.modules, name, None)
    frame: DataFrame = spark.createDataFrame([], "image binary, uri string, kind double, x double")
    return frame


NEEDING: dict[str, Callable[[DataFrame], object]] = {
    "a classifier of images": lambda df: sparkdl.ImageClassifierEstimator(
        inputCol="image", labelCol="kind", baseModel="TinyNet"
    ).fit(df),
    "a training of files": lambda df: sparkdl.KerasImageFileEstimator(
        inputCol="uri",
        outputCol="y",
        labelCol="kind",
        modelFile="m.keras",
        kerasLoss="mse",
        kerasFitParams={},
    ).fit(df),
    "a training on a table": lambda df: sparkdl.KerasEstimator(
        modelFile="m.keras", inputCols=["x"], labelCols=["kind"], loss="mse"
    ).fit(df),
    "a function over blocks": lambda df: tfs.map_blocks(lambda x: {"z": x + 1.0}, df),
    "a placeholder": lambda df: tfs.block(df, "x"),
    "a bundle of a function": lambda df: sparkdl.save_bundle(
        lambda x: x / 2, "half", inputs={"x": ("float32", [None])}
    ),
}


@pytest.mark.parametrize("needing", NEEDING)
def test_what_needs_them_says_how_to_install_them(images: DataFrame, needing: str) -> None:
    with pytest.raises(SettingsException, match=r"not installed: .*'sparkdl-py\[tensorflow\]'"):
        NEEDING[needing](images)


def test_a_network_that_comes_with_sparkdl_is_applied_without_them(images: DataFrame) -> None:
    predictor = sparkdl.DeepImagePredictor(
        inputCol="image", outputCol="p", modelName="TinyNet", decodePredictions=True
    )
    assert predictor.transform(images).count() == 0
