"""ImageClassifierEstimator: transfer learning on a frozen network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digit_rows import ROWS, check_exported, digit_rows, estimator, network
from full_disk import NOT_WHOLE, fill_disks
from image_rows import as_struct, picture
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


@pytest.fixture(scope="module")
def digits(spark: Any) -> Any:
    return digit_rows(spark)


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
    assert "weights: those that come with sparkdl" in summary
    assert f"validation rows: {ROWS // 4}" in summary


def test_features_that_a_full_disk_has_lost_are_missed(
    digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disks(monkeypatch)
    with pytest.raises(SettingsException, match=NOT_WHOLE):
        estimator(labelCol="name").fit(digits.limit(20))


def test_the_head_is_what_plain_keras_makes_of_the_same_features_and_batches(digits: Any) -> None:
    import keras

    from sparkdl._places.temporary_folders import new_folder
    from sparkdl.estimators._classifier import head as head_module
    from sparkdl.estimators._classifier.base_network import base_of
    from sparkdl.estimators._classifier.fit_classifiers import features

    classifier = estimator(validationFraction=0.0, epochs=3, optimizer="sgd", learningRate=0.05)
    table = features(classifier, base_of(classifier), digits, new_folder("test"))
    head = head_module.new_head(classifier, 128, 10)
    batches = head_module.FeatureBatches(table, np.arange(ROWS), 32, 0, np.ones(10, "float32"))
    optimizer, loss = keras.optimizers.SGD(0.05), keras.losses.SparseCategoricalCrossentropy()
    head.compile(optimizer, loss)
    losses = []
    for epoch in range(3):
        batches.begin(epoch)
        parts = [batches[i] for i in range(len(batches))]
        sums = []
        for x, y, _ in parts:
            head.reset_metrics()  # some versions of Keras return the mean since then
            sums.append(len(y) * float(head.train_on_batch(x, y)))
        losses.append(sum(sums) / ROWS)
    model = classifier.fit(digits)
    np.testing.assert_allclose(model.history["loss"], losses, rtol=1e-4)
    assert classifier.fit(digits).history == model.history


def test_the_cluster_gives_what_plain_keras_gives_of_the_exported_model(
    digits: Any, tmp_path: Path
) -> None:
    classifier = estimator(baseModel=None, labelCol="name", epochs=2, preprocessing="caffe")
    classifier.setParams(model=network()).fit(digits).write().save(str(tmp_path / "stage"))
    check_exported(ImageClassifierModel.load(str(tmp_path / "stage")), digits, tmp_path / "m.keras")


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
    from sparkdl.estimators._classifier.labelled_images import labelled_images

    def held(frame: Any, **params: Any) -> set[bytes]:
        rows = labelled_images(estimator(**params), frame).where("held_out").collect()
        return {bytes(r.image) for r in rows}

    first = held(digits)
    assert 40 < len(first) < 80
    assert held(digits.repartition(7)) == first
    assert held(digits, seed=1) != first
    assert not held(digits, validationFraction=0.0)


def test_copies_of_an_image_in_several_files_are_on_the_same_side(spark: Any) -> None:
    from pyspark.ml.image import ImageSchema

    from sparkdl.estimators._classifier.labelled_images import labelled_images

    images = [as_struct(picture(5, 4, seed=i)) for i in range(30)]
    rows = [((f"{copy}{i}", *s[1:]), i) for copy in "ab" for i, s in enumerate(images)]
    schema = f"image {ImageSchema.columnSchema.simpleString()}, label int"
    frame = spark.createDataFrame(rows, schema)
    rows = labelled_images(estimator(validationFraction=0.5), frame).collect()
    sides = {r.image.origin: r.held_out for r in rows}
    assert [sides[f"a{i}"] for i in range(30)] == [sides[f"b{i}"] for i in range(30)]
    assert 0 < sum(sides.values()) < 60


def test_labels_are_any_text(digits: Any) -> None:
    from pyspark.sql.functions import array, col, lit

    names = ["Gänseblümchen", "", "Löwenzahn 'gelb'", "郁金香"]
    kind = array(*map(lit, names))[col("label")].alias("kind")
    some = digits.where("label < 4").select("image", kind)
    model = estimator(labelCol="kind", epochs=20).fit(some)
    assert model.labels == sorted(names)
    rows = model.transform(some).collect()
    assert np.mean([r.predictedLabel == r.kind for r in rows]) > 0.9
    assert {r.predictedLabel for r in rows} == {*names}


def test_copies_of_images_are_changed_at_random_but_always_the_same() -> None:
    import tensorflow as tf

    from sparkdl.estimators._classifier.augmentation import augmentation

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
    where = r"row \d+ of partition \d+ \(counted from 0\): the label is null"
    with pytest.raises(InvalidInputException, match=f"3 row.s. cannot be trained on: .*{where}"):
        estimator().fit(frame)
    with pytest.warns(UserWarning, match="3 rows are not trained on: .*the label is null"):
        model = estimator(handleInvalid="skip", epochs=1).fit(frame)
    assert model.transform(frame).count() == ROWS + 1


def test_settings_that_cannot_work_are_errors(digits: Any) -> None:
    with pytest.raises(SettingsException, match="set one of baseModel .* none is set"):
        estimator(baseModel=None).fit(digits)
    with pytest.raises(SparkDLException, match="set inputCol and labelCol"):
        ImageClassifierEstimator().fit(digits)
    with pytest.raises(SchemaMismatchException, match="no column 'x'. .* Set labelCol"):
        estimator(labelCol="x").fit(digits)
    with pytest.raises(
        SchemaMismatchException, match="'label' as inputCol: expected Spark's image"
    ):
        estimator(inputCol="label").fit(digits)
    with pytest.raises(SchemaMismatchException, match="as validationCol: expected boolean"):
        estimator(validationCol="label").fit(digits)
    with pytest.raises(InvalidInputException, match="at least 2 classes, got 1"):
        estimator().fit(digits.where("label = 1"))
    three = digits.where("label = 1").limit(2).union(digits.where("label = 2").limit(1))
    with pytest.raises(InvalidInputException, match="No rows are left to train on: all are held"):
        estimator(validationFraction=0.999).fit(three)
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


def test_scala_loads_what_python_saved_and_python_what_scala_saved(
    fitted: ImageClassifierModel, digits: Any, spark: Any, tmp_path: Path
) -> None:
    fitted.copy().setPredictionCol("kind").write().save(str(tmp_path / "python"))
    scala = spark._jvm.org.sparkdl.ml.ImageClassifierModel.load(str(tmp_path / "python"))
    assert list(scala.labels().mkString(",").split(",")) == fitted.labels
    losses = scala.history().apply("val_loss")
    assert [losses.apply(i) for i in range(losses.size())] == fitted.history["val_loss"]
    scala.write().save(str(tmp_path / "scala"))
    again = ImageClassifierModel.load(str(tmp_path / "scala"))
    assert (again.history, again.summary()) == (fitted.history, fitted.summary())
    assert again.getPredictionCol() == "kind"
    rows = [m.transform(digits).select("probability").collect() for m in (fitted, again)]
    assert rows[0] == rows[1]


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
    from sparkdl.estimators._classifier import fit_classifiers

    classifier, calls = estimator(epochs=3), []
    real = fit_classifiers.features
    monkeypatch.setattr(fit_classifiers, "features", lambda *a: (calls.append(1), real(*a))[1])
    grid = ParamGridBuilder().addGrid(classifier.headUnits, [0, 16]).build()
    validator = CrossValidator(
        estimator=classifier,
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
    classifier = estimator(augment=["flip"], learningRate=0.01)
    classifier.write().save(str(tmp_path / "e"))
    loaded = ImageClassifierEstimator.load(str(tmp_path / "e"))
    values = [{p.name: v for p, v in e.extractParamMap().items()} for e in (classifier, loaded)]
    assert values[0] == values[1]
