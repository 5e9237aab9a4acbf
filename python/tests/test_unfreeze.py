"""ImageClassifierEstimator(unfreezeFrom=...): the network is trained too, by KerasEstimator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digit_rows import check_exported, digit_rows, estimator, network
from image_rows import as_png, picture

from sparkdl.errors import InvalidModelException, SettingsException


@pytest.fixture(scope="module")
def digits(spark: Any) -> Any:
    return digit_rows(spark)


def test_an_unfrozen_network_is_trained_from_a_layer_on(digits: Any, tmp_path: Path) -> None:
    classifier = estimator(baseModel=None, epochs=2, preprocessing="tf", numWorkers=2)
    classifier.setParams(model=network(), unfreezeFrom="norm", fineTuneLearningRate=0.002)
    classifier.setParams(
        augment=["flip", "colour"],
        augmentCopies=1,
        classWeight="balanced",
        validationCol="held_out",
    )
    model = classifier.fit(digits)
    assert {len(v) for v in model.history.values()} == {4}
    assert model.history["loss"][-1] < model.history["loss"][1]
    summary = model.summary()
    assert "unfrozen from: norm" in summary
    assert "head epochs: 2" in summary
    trained = check_exported(model, digits, tmp_path / "m.keras").get_layer("small")
    for layer in network().layers:
        pairs = zip(layer.get_weights(), trained.get_layer(layer.name).get_weights(), strict=True)
        same = [np.array_equal(before, after) for before, after in pairs]
        assert same == [layer.name != "second"] * len(same), layer.name


def test_the_network_is_trained_on_rgb_pixels_and_balanced_rows(spark: Any) -> None:
    from sparkdl.estimators._classifier import fine_tuning
    from sparkdl.estimators._classifier.base_network import base_of
    from sparkdl.estimators._classifier.feature_table import FeatureTable

    images = [picture(32, 32, seed=i) for i in range(4)]
    images.append(images[0])  # is held out, and so counts 1
    data = [(bytearray(as_png(a)), "ab"[i == 3], i == 4) for i, a in enumerate(images)]
    classifier = estimator(classWeight="balanced", validationCol="held_out")
    labels, held_out = np.array([0, 0, 0, 1, 0], "int32"), np.arange(5) == 4
    table = FeatureTable([np.zeros((5, 1))], labels, ["a", "b"], held_out)
    schema = "image binary, label string, held_out boolean"
    frame = spark.createDataFrame(data, schema).coalesce(1)
    rows = fine_tuning._pixels(classifier, base_of(classifier), table, frame).collect()
    for row, pixels in zip(rows, images, strict=True):
        assert bytes(row.pixels) == pixels.tobytes()
    assert [r.label for r in rows] == [0, 0, 0, 1, 0]
    assert [r.weight for r in rows] == pytest.approx([2 / 3] * 3 + [2, 1])


def test_a_network_has_the_layer_from_which_it_is_unfrozen(digits: Any) -> None:
    classifier = estimator(baseModel=None, epochs=1, unfreezeFrom="third").setParams(
        model=network()
    )
    with pytest.raises(SettingsException, match="small has no layer 'third'.* norm, second"):
        classifier.fit(digits)
    with pytest.raises(InvalidModelException, match="TinyNet comes with sparkdl, a bundle"):
        estimator(epochs=1, unfreezeFrom="x").fit(digits)


def test_faults_of_a_network_are_named_before_features_are_computed(
    digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkdl.estimators._classifier import fit_classifiers

    monkeypatch.setattr(fit_classifiers, "features", lambda *_: pytest.fail("too early"))
    classifier = estimator(baseModel=None, unfreezeFrom="third").setParams(model=network())
    with pytest.raises(SettingsException, match="has no layer 'third'"):
        classifier.fit(digits)
    with pytest.raises(SettingsException, match="Cannot run 99 workers at the same time"):
        classifier.setParams(unfreezeFrom="second", numWorkers=99).fit(digits)


def nested() -> Any:
    """Return a network that consists of another one and a layer."""
    import keras

    layers = keras.layers
    inner = [layers.Conv2D(4, 3, name="early"), layers.Conv2D(4, 3, name="late")]
    stack = [keras.Input((9, 9, 3)), *inner, layers.BatchNormalization()]
    body = keras.Sequential(stack, name="body")
    inputs = keras.Input((9, 9, 3))
    return keras.Model(inputs, layers.Conv2D(2, 1, name="last")(body(inputs)), name="outer")


@pytest.mark.parametrize(
    ("first", "trained"),
    [("body", ["early", "late", "last"]), ("late", ["late", "last"]), ("last", ["last"])],
)
def test_layers_of_a_network_in_a_network_are_unfrozen_but_no_batch_norms(
    first: str, trained: list[str]
) -> None:
    from sparkdl.estimators._classifier.unfrozen_layers import unfreeze

    outer = nested()
    unfreeze(outer, first)
    unfrozen = list(dict.fromkeys(w.path.split("/")[-2] for w in outer.trainable_weights))
    assert unfrozen == trained


def test_a_schedule_of_the_optimizer_gives_way_to_a_learning_rate() -> None:
    import keras

    from sparkdl.estimators._classifier.head import new_optimizer

    falling = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)
    classifier = estimator(optimizer=keras.optimizers.SGD(falling, momentum=0.9))
    assert float(new_optimizer(classifier).learning_rate) == pytest.approx(0.1)
    slow = new_optimizer(classifier, 1e-3)
    assert (float(slow.learning_rate), slow.momentum) == (pytest.approx(1e-3), 0.9)


def test_a_network_may_have_the_name_of_a_layer_of_the_classifier_and_is_loaded_once(
    digits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkdl._models.files import loading

    loaded, load = [], loading.load_to_train
    monkeypatch.setattr(loading, "load_to_train", lambda *a: (loaded.append(a), load(*a))[1])
    classifier = estimator(baseModel=None, epochs=1, checkpointDir=tmp_path)
    model = classifier.setParams(model=network("head")).fit(digits)
    assert len(loaded) == 1
    assert "base: head_network" in model.summary()
    assert model.keras_model().get_layer("head_network").output.shape == (None, 16)


def test_a_network_may_have_custom_layers(digits: Any, tmp_path: Path) -> None:
    import keras

    class Halved(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x / 2

    own = {"Halved": Halved}
    layers = [keras.Input((32, 32, 3)), Halved(), keras.layers.Conv2D(4, 9, 4, name="last")]
    classifier = estimator(baseModel=None, epochs=1, numWorkers=1, unfreezeFrom="last")
    model = classifier.setParams(model=keras.Sequential(layers)).fit(digits)
    assert len(model.history["val_loss"]) == 2
    text = Path(model.export_keras(tmp_path / "m.json", own)).read_text()
    built = keras.models.model_from_json(text, own)
    built.load_weights(tmp_path / "m.weights.h5")
    assert built.output.shape == (None, 10)
