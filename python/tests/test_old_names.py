"""Every public name of sparkdl 1.6 and TensorFrames 0.8 is there, or in the migration page."""

from __future__ import annotations

import inspect
import json
import re
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CHECKOUT

import sparkdl
import sparkdl.tensorframes as tfs
from sparkdl.image import imageIO
from sparkdl.param import HasKerasLoss
from sparkdl.transformers.keras_applications import KerasApplicationModel
from sparkdl.utils import keras_model

LISTS = Path(__file__).parent
NAMES: dict[str, list[str]] = json.loads((LISTS / "old_names.json").read_text())
KEYWORDS: dict[str, list[str]] = json.loads((LISTS / "old_keywords.json").read_text())
PAGE = (CHECKOUT / "docs" / "migrating-from-1.x.md").read_text(encoding="utf-8")
NAMED = re.findall("`[^`]+`", re.sub("^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE))


def found(path: str) -> Any:
    """Return a module, or what is in one; None if there is none."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        home, _, name = path.rpartition(".")
        owner = found(home) if home else None
        return None if owner is None else getattr(owner, name, None)


def is_in_page(name: str) -> bool:
    return any(re.search(rf"\b{name}\b", code) for code in NAMED)


def missing(lists: dict[str, list[str]], has: Any) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        names = [(path, name) for path, names in lists.items() for name in names]
        return [f"{p}.{n}" for p, n in names if not (has(found(p), n) or is_in_page(n))]


def test_every_public_name_is_there_or_in_the_migration_page() -> None:
    assert missing(NAMES, hasattr) == []


def takes(function: Any, keyword: str) -> bool:
    if keyword in inspect.signature(function).parameters:
        return True
    closure = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
    return keyword in closure.get("today_by_old", {})


def test_every_keyword_is_taken_or_in_the_migration_page() -> None:
    assert missing(KEYWORDS, takes) == []


@pytest.mark.parametrize(
    ("module", "name", "today"),
    [
        ("sparkdl.horovod", "HorovodRunner", "sparkdl.HorovodRunner"),
        ("sparkdl.horovod.runner_base", "HorovodRunner", "sparkdl.HorovodRunner"),
        ("sparkdl.param.image_params", "CanLoadImage", "sparkdl.param.CanLoadImage"),
        (
            "sparkdl.param.converters",
            "SparkDLTypeConverters",
            "sparkdl.param.SparkDLTypeConverters",
        ),
        ("sparkdl.param.shared_params", "keyword_only", "sparkdl.param.keyword_only"),
    ],
)
def test_a_name_that_has_moved_is_the_same_and_warns(module: str, name: str, today: str) -> None:
    with pytest.warns(
        DeprecationWarning, match=f"{module}.{name} is .*: it is {today} now"
    ) as seen:
        value = getattr(import_module(module), name)
    assert value is found(today)
    assert seen[0].filename == __file__


def test_constants_and_the_classes_of_networks_warn() -> None:
    with pytest.warns(DeprecationWarning, match=r"sparkdl.models\(\) lists all models"):
        supported = import_module("sparkdl.transformers.named_image").SUPPORTED_MODELS
    assert len(supported) == 5
    applications = import_module("sparkdl.transformers.keras_applications")
    for name in supported:
        with pytest.warns(DeprecationWarning, match=rf"KERAS_APPLICATION_MODELS\['{name}'\] now"):
            model = getattr(applications, f"{name}Model")()
        assert isinstance(model, KerasApplicationModel)
        assert model.name == name
    with pytest.raises(AttributeError, match="no attribute 'OtherModel'"):
        _ = applications.OtherModel


def test_old_keywords_are_todays_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match="keyword 'ordinal' of .*: it is 'ord' now"):
        assert imageIO.imageTypeByOrdinal(ordinal=16).name == "CV_8UC3"
    with pytest.warns(DeprecationWarning, match="'currentChannelOrder' now"):
        flipped = imageIO.fixColorChannelOrdering(
            currentOrder="RGB", imgAry=np.arange(3)[None, None]
        )
    assert flipped.tolist() == [[[2, 1, 0]]]
    with pytest.warns(DeprecationWarning, match="'loss' now"):
        assert keras_model.is_valid_loss_function(identifier="mse")
    with pytest.warns(DeprecationWarning, match="'optimizer' now"):
        assert not keras_model.is_valid_optimizer(identifier="eve")
    with (
        pytest.warns(DeprecationWarning, match="remove_temp_path.* nothing any more"),
        pytest.raises(sparkdl.errors.InvalidModelException),
    ):
        keras_model.bytes_to_model(b"no model", remove_temp_path=True)
    with (
        pytest.warns(DeprecationWarning, match="'ord' now"),
        pytest.raises(TypeError, match="give one"),
    ):
        imageIO.imageTypeByOrdinal(ord=16, ordinal=16)


def test_the_misspelled_setter_of_1x_sets_the_loss() -> None:
    class Stage(HasKerasLoss):
        pass

    with pytest.warns(DeprecationWarning, match="it is setKerasLoss now"):
        assert Stage().seKerasLoss("mse").getKerasLoss() == "mse"


def test_a_network_of_1x_is_in_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def small(model: KerasApplicationModel, **_: Any) -> Any:
        inputs = keras.Input((*model.inputShape(), 3))
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))

    monkeypatch.setattr(KerasApplicationModel, "model", small)
    with pytest.warns(DeprecationWarning, match="getModelData"):
        data = KerasApplicationModel("InceptionV3").getModelData(featurize=True)
    assert (data["inputTensorSize"], data["outputMode"]) == ((299, 299), "vector")
    bgr = np.full((1, 299, 299, 3), [0, 127.5, 255], "float32")
    with data["session"] as session:
        means = session.run(data["outputTensorName"], {data["inputTensorName"]: bgr})
    np.testing.assert_allclose(means, [[1, 0, -1]], atol=1e-5)


def test_operations_on_frames_take_the_keywords_of_tensorframes(spark: Any) -> None:
    import tensorflow as tf

    frame = spark.createDataFrame([(1.0,), (2.0,)], "x double").coalesce(1)
    with warnings.catch_warnings(record=True) as seen, tf.Graph().as_default():
        warnings.simplefilter("always")
        x = tfs.block(frame, col_name="x", tf_name="x_input")
        total = tf.reduce_sum(x, axis=0, name="x")
        assert tfs.reduce_blocks(total, dframe=frame) == 3.0
        [row] = tfs.aggregate(total, grouped_data=frame.groupBy()).collect()
    assert row == (3.0,)
    assert sum("is a name of 1.x" in str(w.message) for w in seen) == 4
    vectors = frame.selectExpr("array(x, x) AS v")
    assert tfs.append_shape(vectors, vectors.v, [-1, 2]).schema["v"].metadata


def test_stages_have_the_methods_of_1x(spark: Any) -> None:
    import tensorflow as tf

    graph = sparkdl.TFInputGraph.fromFunction(
        lambda x: {"y": x}, {"x": tf.TensorSpec([None, 1], tf.float32)}, verify=False
    )
    stage = sparkdl.TFTransformer()
    with pytest.warns(DeprecationWarning, match="setTfInputGraph now"):
        stage.setTFInputGraph(graph)
    with pytest.warns(DeprecationWarning, match="getTfInputGraph"):
        assert stage.getTFInputGraph() is graph
    on_images = sparkdl.TFImageTransformer(tfInputGraph=graph)
    with pytest.warns(DeprecationWarning, match="the param is tfInputGraph"):
        assert on_images.graph == on_images.tfInputGraph
    trained = sparkdl.KerasImageFileTransformer()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert trained.getKerasFitParams() == {"verbose": 1}
        assert trained.setKerasFitParams({"epochs": 2}).kerasFitParams == {"epochs": 2}
    assert [w.category for w in seen] == [DeprecationWarning] * 3
