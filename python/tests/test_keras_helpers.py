"""`sparkdl.utils.keras_model`, `keras_applications`, `keras_utils` and `transformers.utils`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import sparkdl
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException
from sparkdl.graph.builder import IsolatedSession
from sparkdl.transformers import utils
from sparkdl.transformers.keras_applications import (
    KERAS_APPLICATION_MODELS,
    getKerasApplicationModel,
)
from sparkdl.transformers.keras_utils import KSessionWrap
from sparkdl.utils import keras_model

ROWS = np.array([[1, 2, 3], [-4, 5.5, 6]], np.float32)
SMALL = "MobileNetV2"


def dense() -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def test_a_model_survives_as_bytes_and_as_a_file(tmp_path: Path) -> None:
    model = dense()
    expected = model(ROWS)
    data = keras_model.model_to_bytes(model)
    np.testing.assert_array_equal(keras_model.bytes_to_model(data)(ROWS), expected)
    model.save(tmp_path / "old.h5")
    for given in (data, (tmp_path / "old.h5").read_bytes()):
        file = Path(keras_model.bytes_to_h5file(given))
        try:
            assert file.suffix == ".h5"
            np.testing.assert_array_equal(keras.saving.load_model(file)(ROWS), expected)
            old = keras_model.bytes_to_model(file.read_bytes())
            np.testing.assert_array_equal(old(ROWS), expected)
        finally:
            file.unlink()
    with pytest.raises(InvalidModelException, match="These 4 bytes are not a Keras model"):
        keras_model.bytes_to_model(b"what")


def test_what_keras_knows_by_name() -> None:
    assert keras_model.is_valid_optimizer("adam")
    assert keras_model.is_valid_optimizer(keras.optimizers.SGD())
    assert keras_model.is_valid_loss_function("categorical_crossentropy")
    for unknown in ("noSuchThing", None, 3):
        assert not keras_model.is_valid_optimizer(unknown)
        assert not keras_model.is_valid_loss_function(unknown)


def test_the_applications_of_1x_are_there_and_an_unknown_one_is_refused() -> None:
    assert {"InceptionV3", "Xception", "ResNet50", "VGG16", "VGG19"} <= set(
        KERAS_APPLICATION_MODELS
    )
    made = KERAS_APPLICATION_MODELS["Xception"]()
    assert made == getKerasApplicationModel("Xception")
    assert made.inputShape() == (299, 299)
    with pytest.raises(ModelNotFoundException, match="Known names: InceptionV3, Xception"):
        getKerasApplicationModel("Inception")
    with pytest.raises(ValueError, match="Known names"):
        getKerasApplicationModel("nothing")
    with pytest.raises(SettingsException, match="TinyNet comes with sparkdl"):
        getKerasApplicationModel("TinyNet")


@pytest.mark.parametrize("name", ["InceptionV3", "ResNet50"])
def test_preprocessing_begins_with_bgr(name: str) -> None:
    bgr = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    before = bgr.copy()
    module = {"InceptionV3": "inception_v3", "ResNet50": "resnet50"}[name]
    prepare = getattr(keras.applications, module).preprocess_input
    expected = prepare(bgr[..., ::-1].astype(np.float32))
    made = getKerasApplicationModel(name)
    np.testing.assert_allclose(made.preprocess(bgr), expected, atol=1e-4)
    np.testing.assert_allclose(made.preprocess(tf.constant(bgr)), expected, atol=1e-4)
    np.testing.assert_array_equal(bgr, before)


def test_models_are_whole_or_cut_before_the_classifier() -> None:
    made = getKerasApplicationModel(SMALL)
    assert made.model(weights=None).output.shape == (None, 1000)
    images = keras.Input((224, 224, 3))
    features = made.model(images, featurize=True, weights=None)
    assert features.output.shape == (None, 7, 7, 1280)
    assert features.inputs[0] is images


def test_the_placeholder_of_images_stands_in_a_graph() -> None:
    assert sparkdl.imageInputPlaceholder is utils.imageInputPlaceholder
    with IsolatedSession():
        made = sparkdl.imageInputPlaceholder(3)
        assert made.name == f"{utils.IMAGE_INPUT_PLACEHOLDER_NAME}:0" == "sparkdl_image_input:0"
        assert (made.dtype, made.shape.as_list()) == (tf.float32, [None, None, None, 3])
    with pytest.raises(AssertionError, match="A placeholder needs a graph. Call this within"):
        sparkdl.imageInputPlaceholder()
    assert utils.ImageNetConstants.NUM_CLASSES == 1000
    assert utils.InceptionV3Constants.INPUT_SHAPE == (299, 299)


def test_a_session_of_ones_own_takes_layers_made_in_it() -> None:
    given = tf.Graph()
    with KSessionWrap(given) as (session, graph):
        assert session.graph is graph is given is tf.compat.v1.get_default_graph()
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        y = keras.layers.Dense(2, kernel_initializer="ones")(x)
        session.run(tf.compat.v1.global_variables_initializer())
        found = session.run(y, {x: ROWS})
    np.testing.assert_allclose(found[:, 0], ROWS.sum(1), rtol=1e-6)
    assert tf.executing_eagerly()
