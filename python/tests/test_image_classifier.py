"""ImageClassifierEstimator: transfer learning on a frozen network."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_rows import as_png, picture
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

import sparkdl
from sparkdl import ImageClassifierEstimator, ImageClassifierModel
from sparkdl.errors import (
    InvalidInputException,
    InvalidModelException,
    SchemaMismatchException,
    SettingsException,
    SparkDLException,
)

ROWS = 300


@pytest.fixture(scope="module")
def digits(spark: Any) -> Any:
    """Handwritten digits as PNG files: columns image, label (int), name (string), held_out."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = []
    for i, (pixels, label) in enumerate(zip(found.images[:ROWS], found.target[:ROWS], strict=True)):
        large = np.kron(pixels * 15.9375, np.ones((4, 4))).astype(np.uint8)[..., None]
        rows.append((bytearray(as_png(large)), int(label), f"n{label}", i % 4 == 0))
    schema = "image binary, label int, name string, held_out boolean"
    frame = spark.createDataFrame(rows, schema).repartition(3).cache()
    assert frame.count() == ROWS
    return frame


def estimator(**params: Any) -> ImageClassifierEstimator:
    given = {"inputCol": "image", "labelCol": "label", "baseModel": "TinyNet", "verbose": 0}
    return ImageClassifierEstimator(**{**given, "headUnits": 32, "epochs": 12, **params})


@pytest.fixture(scope="module")
def fitted(digits: Any) -> ImageClassifierModel:
    return estimator(labelCol="name", validationCol="held_out").fit(digits)


def test_it_learns_digits_and_gives_prediction_probability_and_label(
    fitted: ImageClassifierModel, digits: Any
) -> None:
    out = fitted.transform(digits.where("held_out")).collect()
    assert fitted.labels == [f"n{i}" for i in range(10)]
    assert np.mean([r.predictedLabel == r.name for r in out]) > 0.9
    for row in out[:5]:
        assert fitted.labels[int(row.prediction)] == row.predictedLabel
        assert np.argmax(row.probability) == row.prediction
        assert abs(sum(row.probability) - 1) < 1e-5
    assert set(fitted.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    summary = fitted.summary()
    assert "base: TinyNet" in summary
    assert f"validation rows: {ROWS // 4}" in summary


def test_the_head_is_what_plain_keras_makes_of_the_same_features_and_batches(digits: Any) -> None:
    import keras

    from sparkdl._paths import new_folder
    from sparkdl.estimators import _head
    from sparkdl.estimators._classifier_base import base_of
    from sparkdl.estimators._classifier_fit import features

    made = estimator(validationFraction=0.0, epochs=3, optimizer="sgd", learningRate=0.05)
    table = features(made, base_of(made), digits, new_folder("test"))
    head = _head.new_head(made, 128, 10)
    batches = _head.Batches(table, np.arange(ROWS), 32, 0, np.ones(10, "float32"))
    optimizer, loss = keras.optimizers.SGD(0.05), keras.losses.SparseCategoricalCrossentropy()
    head.compile(optimizer, loss)
    losses = []
    for epoch in range(3):
        batches.begin(epoch)
        parts = [batches[i] for i in range(len(batches))]
        found = [len(y) * float(head.train_on_batch(x, y)) for x, y, _ in parts]
        losses.append(sum(found) / ROWS)
    model = made.fit(digits)
    np.testing.assert_allclose(model.history["loss"], losses, rtol=1e-4)
    assert made.fit(digits).history == model.history


def network() -> Any:
    """Return a small network, always the same, whose features are maps."""
    import keras

    keras.utils.set_random_seed(3)
    layers = [
        keras.Input((32, 32, 3)),
        keras.layers.Conv2D(8, 5, strides=3, name="first"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Conv2D(16, 3, activation="relu", name="second"),
    ]
    return keras.Sequential(layers, name="small")


def check_exported(model: ImageClassifierModel, digits: Any, file: Path) -> Any:
    """Compare what the cluster gives with plain Keras on the exported model, which is returned."""
    import keras
    from PIL import Image

    whole = keras.saving.load_model(model.export_keras(file))
    rows = model.transform(digits.limit(9)).collect()
    pixels = [np.asarray(Image.open(io.BytesIO(r.image)).convert("RGB"), "float32") for r in rows]
    expected = whole.predict(np.stack(pixels), verbose=0)
    np.testing.assert_allclose([r.probability.toArray() for r in rows], expected, atol=2e-5)
    return whole


def test_the_cluster_gives_what_plain_keras_gives_of_the_exported_model(
    digits: Any, tmp_path: Path
) -> None:
    made = estimator(baseModel=None, labelCol="name", epochs=2, preprocessing="caffe")
    made.setParams(model=network()).fit(digits).write().save(str(tmp_path / "stage"))
    check_exported(ImageClassifierModel.load(str(tmp_path / "stage")), digits, tmp_path / "m.keras")


def test_an_unfrozen_network_is_trained_from_a_layer_on(digits: Any, tmp_path: Path) -> None:
    made = estimator(baseModel=None, epochs=2, preprocessing="tf", numWorkers=2)
    made.setParams(model=network(), unfreezeFrom="norm", fineTuneLearningRate=0.002)
    made.setParams(
        augment="flip", augmentCopies=1, classWeight="balanced", validationCol="held_out"
    )
    model = made.fit(digits)
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
    from sparkdl.estimators import _unfrozen
    from sparkdl.estimators._classifier_base import base_of
    from sparkdl.estimators._feature_data import Table

    images = [picture(32, 32, seed=i) for i in range(4)]
    data = [(bytearray(as_png(a)), "ab"[i == 3]) for i, a in enumerate(images)]
    made = estimator(classWeight="balanced", validationFraction=0.0)
    labels, nobody = np.array([0, 0, 0, 1], "int32"), np.zeros(4, bool)
    table = Table([np.zeros((4, 1))], labels, ["a", "b"], nobody)
    frame = spark.createDataFrame(data, "image binary, label string").coalesce(1)
    rows = _unfrozen._pixels(made, base_of(made), table, frame).collect()
    for row, pixels in zip(rows, images, strict=True):
        assert bytes(row.pixels) == pixels.tobytes()
    assert [r.label for r in rows] == [0, 0, 0, 1]
    assert [r.weight for r in rows] == pytest.approx([2 / 3] * 3 + [2])


def test_a_network_has_the_layer_from_which_it_is_unfrozen(digits: Any) -> None:
    made = estimator(baseModel=None, epochs=1, unfreezeFrom="third").setParams(model=network())
    with pytest.raises(SettingsException, match="small has no layer 'third'.* norm, second"):
        made.fit(digits)
    with pytest.raises(InvalidModelException, match="TinyNet comes with sparkdl, a bundle"):
        estimator(epochs=1, unfreezeFrom="x").fit(digits)


def test_labels_that_are_numbers_are_predicted_as_numbers(digits: Any) -> None:
    some = digits.where("label in (2, 5)").selectExpr("image", "label * 1.5 as label")
    model = estimator(epochs=4).fit(some)
    assert model.labels == ["3", "7.5"]
    out = model.transform(some)
    assert {r.prediction for r in out.collect()} == {3.0, 7.5}
    score = MulticlassClassificationEvaluator(metricName="accuracy").evaluate(
        out.withColumn("label", out.label.cast("double"))
    )
    assert score > 0.9


def test_training_stops_early_with_the_best_weights(digits: Any) -> None:
    slow = {"optimizer": "sgd", "learningRate": 5.0, "epochs": 40, "earlyStoppingPatience": 2}
    model = estimator(**slow, validationCol="held_out").fit(digits)
    losses = model.history["val_loss"]
    assert len(losses) < 40
    best = int(np.argmin(losses))
    assert best == len(losses) - 3
    out = model.transform(digits.where("held_out")).collect()
    accuracy = np.mean([r.prediction == r.label for r in out])
    assert accuracy == pytest.approx(model.history["val_accuracy"][best], abs=1e-6)


def test_rows_are_held_out_by_their_content(digits: Any) -> None:
    from sparkdl.estimators._classifier_rows import labelled_images

    def held(frame: Any, **params: Any) -> set[bytes]:
        rows = labelled_images(estimator(**params), frame).where("held_out").collect()
        return {bytes(r.image) for r in rows}

    first = held(digits)
    assert 40 < len(first) < 80
    assert held(digits.repartition(7)) == first
    assert held(digits, seed=1) != first
    assert not held(digits, validationFraction=0.0)


def test_copies_of_images_are_changed_at_random_but_always_the_same() -> None:
    import tensorflow as tf

    from sparkdl.estimators._augment import augmentation

    images = np.random.default_rng(0).integers(0, 256, (40, 8, 9, 3)).astype("uint8")
    run = tf.function(augmentation(["flip"], 0, 0))
    flipped = run(images).numpy()
    same = [np.array_equal(a, b) for a, b in zip(flipped, images, strict=True)]
    turned = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, images, strict=True)]
    assert all(a or b for a, b in zip(same, turned, strict=True))
    assert 8 < sum(same) < 32
    np.testing.assert_array_equal(run(images[5:9]).numpy(), flipped[5:9])
    changed = tf.function(augmentation(["crop", "colour"], 0, 1))(images).numpy()
    assert changed.dtype == np.uint8
    assert not any(np.array_equal(a, b) for a, b in zip(changed, images, strict=True))
    other = tf.function(augmentation(["crop", "colour"], 1, 1))(images).numpy()
    assert not np.array_equal(changed, other)


def test_augmented_copies_are_trained_on(digits: Any) -> None:
    few = digits.limit(60)
    model = estimator(augment=["crop", "colour"], augmentCopies=1, epochs=3).fit(few)
    plain = estimator(epochs=3).fit(few)
    assert model.history["loss"] != plain.history["loss"]
    assert model.history["loss"][-1] < model.history["loss"][0]


def test_rows_that_cannot_be_used_are_an_error_or_left_out(spark: Any, digits: Any) -> None:
    bad = spark.createDataFrame(
        [(bytearray(b"no picture"), 1), (None, 2)], "image binary, label int"
    )
    null = digits.limit(1).selectExpr("image", "cast(null as int) as label")
    frame = digits.select("image", "label").union(bad).union(null)
    with pytest.raises(InvalidInputException, match="3 row.s. cannot be trained on: "):
        estimator().fit(frame)
    with pytest.warns(UserWarning, match="3 rows are not trained on: .*the label is null"):
        model = estimator(handleInvalid="skip", epochs=1).fit(frame)
    assert model.transform(frame).count() == ROWS + 1


def test_what_cannot_be_is_said(digits: Any) -> None:
    with pytest.raises(SettingsException, match="set one of baseModel .* none is set"):
        estimator(baseModel=None).fit(digits)
    with pytest.raises(SparkDLException, match="set inputCol and labelCol"):
        ImageClassifierEstimator().fit(digits)
    with pytest.raises(SchemaMismatchException, match="no column 'x'. .* Set labelCol"):
        estimator(labelCol="x").fit(digits)
    with pytest.raises(SchemaMismatchException, match="as validationCol: expected boolean"):
        estimator(validationCol="label").fit(digits)
    with pytest.raises(InvalidInputException, match="at least 2 classes, got 1"):
        estimator().fit(digits.where("label = 1"))
    with pytest.raises(SparkDLException, match="validationFraction must be at least 0 and less"):
        estimator(validationFraction=1.0)
    with pytest.raises(SparkDLException, match="Unknown augment 'blur'"):
        estimator(augment="blur")


def test_a_network_that_keras_does_not_have_cannot_be_exported(
    fitted: ImageClassifierModel, tmp_path: Path
) -> None:
    with pytest.raises(InvalidModelException, match="TinyNet comes with sparkdl, a bundle"):
        fitted.export_keras(tmp_path / "m.keras")
    path = fitted.export_bundle(tmp_path / "bundle")
    assert ImageClassifierModel(inputCol="image", modelFile=path).history == fitted.history


def test_the_predictor_takes_the_bundle_of_a_classifier(
    fitted: ImageClassifierModel, digits: Any
) -> None:
    predictor = sparkdl.DeepImagePredictor(
        inputCol="image", outputCol="top", weights=fitted.getModelFile(), decodePredictions=True
    )
    row = fitted.transform(predictor.transform(digits.limit(1))).collect()[0]
    assert row.top[0].description == row.predictedLabel


def test_combinations_share_the_features_in_cross_validation(
    digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkdl.estimators import _classifier_fit

    made, calls = estimator(epochs=3), []
    real = _classifier_fit.features
    monkeypatch.setattr(_classifier_fit, "features", lambda *a: (calls.append(1), real(*a))[1])
    grid = ParamGridBuilder().addGrid(made.headUnits, [0, 16]).build()
    validator = CrossValidator(
        estimator=made,
        estimatorParamMaps=grid,
        evaluator=MulticlassClassificationEvaluator(metricName="accuracy"),
        numFolds=2,
        parallelism=2,
    )
    model = validator.fit(digits.select("image", digits.label.cast("double").alias("label")))
    assert len(model.avgMetrics) == 2
    assert len(calls) == 3  # two folds and the best on all rows
    assert isinstance(model.bestModel, ImageClassifierModel)


def test_an_estimator_is_saved_and_loaded(tmp_path: Path) -> None:
    made = estimator(augment=["flip"], learningRate=0.01)
    made.write().save(str(tmp_path / "e"))
    loaded = ImageClassifierEstimator.load(str(tmp_path / "e"))
    values = [{p.name: v for p, v in e.extractParamMap().items()} for e in (made, loaded)]
    assert values[0] == values[1]


def test_a_fit_that_was_interrupted_goes_on(digits: Any, tmp_path: Path) -> None:
    import keras

    made = estimator(epochs=3, checkpointDir=tmp_path / "c", tensorBoardDir=tmp_path / "t")
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda e, _: 1 / (e - 1))
    from sparkdl.estimators import _head

    real = _head.callbacks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_head, "callbacks", lambda *a, **k: [*real(*a, **k), stop])
        with pytest.raises(ZeroDivisionError):
            made.fit(digits)
    model = made.fit(digits)
    assert len(model.history["loss"]) < 3
    assert list((tmp_path / "t").rglob("events*"))


def test_networks_are_compared_in_a_table_and_a_picture(
    digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"inputCol": "image", "labelCol": "label", "headUnits": 16, "verbose": 0}
    found = sparkdl.compare_models(digits, ["TinyNet"], epochs=2, **given)
    assert found[0].accuracy == max(found.models["TinyNet"].history["val_accuracy"])
    assert found[0].imagesPerSecond > 0
    assert found.best is found.models["TinyNet"]
    lines = repr(found).splitlines()
    assert lines[0].split() == ["model", "accuracy", "loss", "seconds", "MB", "images/s"]
    assert lines[1].startswith("TinyNet")
    assert len(found.plot().axes) == 4
    with pytest.raises(SettingsException, match="names of different networks"):
        sparkdl.compare_models(digits, [], **given)
