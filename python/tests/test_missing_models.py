"""Nothing at a path: whatever takes a model says so, and what was expected there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import sparkdl
from sparkdl._command_line.main import main
from sparkdl.errors import InvalidModelException, ModelNotFoundException
from sparkdl.graph.builder import GraphFunction

GONE = "/nowhere/model.keras"
OF_KERAS = rf"There is no model at {GONE}\. Expected a file of Keras \(\.keras, \.h5\)"
OR_A_BUNDLE = rf"{OF_KERAS}.* or bundle\."
OF_THE_JVM = rf"There is no model at '{GONE}'\. .*Convert a Keras file to a bundle first: python -m"


WAYS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "KerasTransformer": (
        lambda frame: sparkdl.KerasTransformer(
            inputCol="a", outputCol="p", modelFile=GONE
        ).transform(frame),
        OR_A_BUNDLE,
    ),
    "KerasImageFileTransformer": (
        lambda frame: sparkdl.KerasImageFileTransformer(
            inputCol="uri", outputCol="p", modelFile=GONE
        ).transform(frame),
        OR_A_BUNDLE,
    ),
    "registerKerasUDF": (lambda _: sparkdl.registerKerasUDF("gone", GONE), OR_A_BUNDLE),
    "registerKerasImageUDF": (lambda _: sparkdl.registerKerasImageUDF("gone", GONE), OR_A_BUNDLE),
    "save_bundle": (lambda _: sparkdl.save_bundle(GONE, "/nowhere/bundle"), OF_KERAS),
    "TFInputGraph.fromKeras": (lambda _: sparkdl.TFInputGraph.fromKeras(GONE), OF_KERAS),
    "GraphFunction.fromKeras": (lambda _: GraphFunction.fromKeras(GONE), OF_KERAS),
    "TFTransformer": (
        lambda frame: sparkdl.TFTransformer(
            tfInputGraph=GONE, inputMapping={"a": "x"}, outputMapping={"y": "p"}
        ).transform(frame),
        OF_THE_JVM,
    ),
    "load_model": (lambda _: sparkdl.load_model(GONE), OF_THE_JVM),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_takes_a_model_names_files_of_keras(way: str, spark: Any) -> None:
    frame = spark.sql("SELECT array(1f) AS a, 'file:/nowhere.png' AS uri")
    use, expected = WAYS[way]
    with pytest.raises(ModelNotFoundException, match=expected):
        use(frame)


def test_named_networks_and_trainings_name_the_file(spark: Any) -> None:
    frame = spark.sql("SELECT array(1f) AS x, 1f AS y, X'00' AS image")
    network = sparkdl.DeepImageFeaturizer(
        inputCol="image", outputCol="f", modelName="MobileNetV2", weights=GONE
    )
    with pytest.raises(ModelNotFoundException, match=rf"no weights file '{GONE}'.*file of Keras"):
        network.transform(frame)
    trained = sparkdl.KerasEstimator(model=GONE, inputCols=["x"], labelCols=["y"], loss="mse")
    with pytest.raises(InvalidModelException, match=rf"{GONE}: expected a file of Keras.*nothing"):
        trained.fit(frame)


def test_the_command_line_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", GONE, "--out", "/nowhere/bundle"]) == 1
    assert f"There is no model at {GONE}. Expected a file of Keras" in capsys.readouterr().err
