"""Predictions as Spark ML's evaluators take them, of models of Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from pyspark.ml.classification import OneVsRest
from pyspark.ml.evaluation import (
    BinaryClassificationEvaluator,
    MulticlassClassificationEvaluator,
    RegressionEvaluator,
)
from pyspark.ml.functions import vector_to_array
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from table_model import FEATURES, SCHEMA, people, table_model, tensors

import sparkdl
from sparkdl._models.meanings import last_activation, meanings
from sparkdl.errors import SchemaMismatchException, SettingsException, SparkDLException
from sparkdl.training._estimator.prediction_checks import check_predictions

LOSSES = keras.losses


def network(units: int, activation: str | None = None, loss: Any = None) -> Any:
    layers = [keras.Input((3,)), keras.layers.Dense(units, activation=activation, name="out")]
    model = keras.Sequential(layers)
    if loss is not None:
        model.compile("sgd", loss)
    return model


def own_loss(y: Any, p: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y - p))


@pytest.mark.parametrize(
    ("units", "activation", "loss", "meaning"),
    [
        (1, None, None, None),
        (1, None, "mse", "number"),
        (1, "sigmoid", LOSSES.MeanAbsoluteError(), "number"),
        (2, None, "huber", "numbers"),
        (1, "sigmoid", None, "probability"),
        (1, "sigmoid", "binary_crossentropy", "probability"),
        (1, None, LOSSES.BinaryCrossentropy(from_logits=True), "logit"),
        (1, "sigmoid", own_loss, "probability"),
        (3, "sigmoid", "binary_crossentropy", "independent"),
        (3, "sigmoid", None, "independent"),
        (3, "softmax", None, "probabilities"),
        (3, None, "sparse_categorical_crossentropy", "probabilities"),
        (3, None, LOSSES.SparseCategoricalCrossentropy(from_logits=True), "logits"),
        (3, None, LOSSES.CategoricalFocalCrossentropy(from_logits=True), "logits"),
        (3, "softmax", own_loss, "probabilities"),
        (3, None, None, None),
    ],
)
def test_loss_and_last_activation_say_what_an_output_means(
    units: int, activation: str | None, loss: Any, meaning: str | None
) -> None:
    assert meanings(network(units, activation, loss), ["out"]).get("out") == meaning


def test_the_last_activation_is_found_in_layers_models_and_behind_reshaping() -> None:
    x = keras.Input((3,))
    inner = network(2, "softmax")
    assert last_activation(inner(x)) == "softmax"
    assert last_activation(keras.layers.Activation("sigmoid", dtype="float64")(x)) == "sigmoid"
    assert last_activation(keras.layers.Softmax()(x)) == "softmax"
    assert last_activation(keras.ops.sigmoid(x)) == "sigmoid"
    assert last_activation(keras.layers.Reshape((3,))(keras.layers.Softmax()(x))) == "softmax"
    assert last_activation(keras.layers.Dropout(0.5)(x)) is None


def test_each_output_has_the_meaning_of_its_own_loss() -> None:
    x = keras.Input((3,))
    ends = {"b": keras.layers.Dense(1)(x), "a": keras.layers.Dense(2)(x)}
    model = keras.Model(x, ends)
    model.compile("sgd", {"b": "mse", "a": LOSSES.CategoricalCrossentropy(from_logits=True)})
    assert meanings(model, None) == {"b": "number", "a": "logits"}


@pytest.fixture(scope="module")
def table(spark: Any) -> Any:
    return spark.createDataFrame(people(), SCHEMA).coalesce(2).cache()


def test_predictions_are_those_of_keras(table: Any) -> None:
    model = table_model()
    expected = model(tensors(people())).numpy()[:, 0]
    stage = sparkdl.KerasTransformer(
        model=model, inputCols=list(FEATURES), predictionCol="prediction",
        probabilityCol="probability", rawPredictionCol="rawPrediction", thresholds=[0.6, 0.4],
    )  # fmt: skip
    out = stage.transform(table)
    assert out.columns == [*table.columns, "rawPrediction", "probability", "prediction"]
    rows = out.collect()
    found = np.array([r.probability.toArray() for r in rows])
    np.testing.assert_allclose(found, np.stack([1 - expected, expected], 1), atol=1e-6)
    assert [r.prediction for r in rows] == (expected / 0.4 > (1 - expected) / 0.6).tolist()
    area = BinaryClassificationEvaluator(labelCol="bought").evaluate(out)
    metric = keras.metrics.AUC(num_thresholds=5000)
    assert area == pytest.approx(float(metric([r.bought for r in rows], expected)), abs=0.01)


def test_a_number_goes_into_an_evaluator(table: Any) -> None:
    model = table_model(keras.layers.Dense(1, name="price"))
    columns = list(FEATURES)
    stage = sparkdl.KerasTransformer(model=model, inputCols=columns, predictionCol="prediction")
    error = RegressionEvaluator(labelCol="age", metricName="mae").evaluate(stage.transform(table))
    expected = model(tensors(people())).numpy()[:, 0]
    assert error == pytest.approx(np.abs(expected - [r[0] for r in people()]).mean(), rel=1e-5)
    scalar = stage.copy().setParams(outputCol="price", predictionCol="", outputMode="scalar")
    found = scalar.transform(table).select("price")
    assert found.dtypes == [("price", "float")]
    np.testing.assert_allclose([r.price for r in found.collect()], expected, atol=1e-5)


def test_labels_that_are_texts_are_trained_on_and_given_back(table: Any) -> None:
    model = table_model(keras.layers.Dense(3, name="town"))
    estimator = sparkdl.KerasEstimator(
        model=model, inputCols=list(FEATURES), labelCols="town", epochs=2, numWorkers=1, verbose=0,
        loss=LOSSES.SparseCategoricalCrossentropy(from_logits=True), shuffle=False,
        predictionCol="prediction", probabilityCol="probability", predictedLabelCol="label",
    )  # fmt: skip
    fitted = estimator.fit(table)
    rows = fitted.transform(table).collect()
    logits = fitted.keras_model()(tensors([tuple(r) for r in rows]))
    expected = keras.ops.softmax(logits).numpy()
    np.testing.assert_allclose([r.probability.toArray() for r in rows], expected, atol=1e-6)
    towns = sorted({r.town for r in rows})
    assert [r.label for r in rows] == [towns[i] for i in expected.argmax(1)]
    assert [r.prediction for r in rows] == expected.argmax(1).tolist()
    classes = [float(towns.index(r.town)) for r in rows]
    history = trained_alone(model, rows, classes)
    assert fitted.history["loss"] == pytest.approx(history, rel=1e-5)
    scored = fitted.transform(table).selectExpr("prediction", "double(rooms - 1) AS label")
    assert 0 <= MulticlassClassificationEvaluator().evaluate(scored) <= 1


def trained_alone(model: Any, rows: list[Any], classes: list[float]) -> list[float]:
    """Return the losses of plain Keras on the same batches."""
    import tensorflow as tf

    plain = keras.models.clone_model(model)
    plain.set_weights(model.get_weights())
    plain.compile("adam", LOSSES.SparseCategoricalCrossentropy(from_logits=True))
    data = tf.data.Dataset.from_tensor_slices((tensors([tuple(r) for r in rows]), classes))
    losses: list[float] = plain.fit(data.batch(32), epochs=2, verbose=0).history["loss"]
    return losses


@pytest.fixture(scope="module")
def prices(spark: Any) -> Any:
    """Columns x (three numbers), label (their sum), and whether it is negative, small or large."""
    draw = np.random.default_rng(5)
    rows = [([float(v) for v in draw.normal(size=3)],) for _ in range(48)]
    columns = ["x", "aggregate(x, 0D, (a, b) -> a + b) AS label"]
    kind = "IF(label < -1, 0D, IF(label < 1, 1D, 2D)) AS kind"
    frame = spark.createDataFrame(rows, "x array<double>").selectExpr(*columns)
    return frame.selectExpr("*", kind).coalesce(1).cache()


def test_validators_tune_a_regression_with_no_line_in_between(prices: Any) -> None:
    made = sparkdl.KerasEstimator(
        model=network(1), inputCols=["x"], labelCols=["label"], predictionCol="prediction",
        loss="mse", batchSize=8, epochs=10, numWorkers=1, verbose=0,
    )  # fmt: skip
    rates = [keras.optimizers.SGD(0.1), keras.optimizers.SGD(1e-7)]
    grid = ParamGridBuilder().addGrid(made.optimizer, rates).build()
    error = RegressionEvaluator(metricName="rmse")
    tuning: dict[str, Any] = {"estimator": made, "evaluator": error, "seed": 1}
    folds = CrossValidator(estimatorParamMaps=grid, numFolds=2, **tuning).fit(prices)
    assert 10 * folds.avgMetrics[0] < folds.avgMetrics[1]
    rows = prices.collect()
    found = folds.bestModel.keras_model().predict(np.array([r.x for r in rows]), verbose=0)[:, 0]
    expected = np.sqrt(np.mean((found - [r.label for r in rows]) ** 2))
    assert error.evaluate(folds.transform(prices)) == pytest.approx(expected, rel=1e-4)
    split = TrainValidationSplit(estimatorParamMaps=grid[:1], **tuning).fit(prices)
    assert 10 * error.evaluate(split.transform(prices)) < folds.avgMetrics[1]


def test_a_model_per_class_is_trained_on_the_rest_and_the_surest_one_predicts(prices: Any) -> None:
    made = sparkdl.KerasEstimator(
        model=network(1), inputCols=["x"], loss=LOSSES.BinaryCrossentropy(from_logits=True),
        optimizer=keras.optimizers.Adam(0.1), batchSize=8, epochs=8, numWorkers=1, verbose=0,
        predictionCol="prediction", rawPredictionCol="rawPrediction",
    )  # fmt: skip
    classes = range(3)
    frame = prices.selectExpr("*", *(f"double(kind = {c}) AS is_{c}" for c in classes))
    models = made.fit(frame, [{made.labelCols: [f"is_{c}"]} for c in classes])
    for c, model in enumerate(models):
        named = model.copy({model.predictionCol: f"p{c}", model.rawPredictionCol: f"raw{c}"})
        frame = named.transform(frame).withColumn(f"z{c}", vector_to_array(f"raw{c}")[1])
    best = "double(array_position(array(z0, z1, z2), greatest(z0, z1, z2)) - 1) AS prediction"
    scored = frame.selectExpr("x", "kind", best)
    x = np.array([r.x for r in scored.collect()])
    logits = [model.keras_model().predict(x, verbose=0)[:, 0] for model in models]
    assert [r.prediction for r in scored.collect()] == np.argmax(logits, 0).tolist()
    right = MulticlassClassificationEvaluator(labelCol="kind", metricName="accuracy")
    assert right.evaluate(scored) > 0.6
    with pytest.raises(AttributeError, match="'labelCol'"):  # as docs/keras-on-tables.md says
        OneVsRest(classifier=made, labelCol="kind", featuresCol="x").fit(prices)


def test_labels_that_do_not_fit_the_classes_are_refused(table: Any) -> None:
    columns = list(FEATURES)
    made = sparkdl.KerasEstimator(
        model=table_model(), inputCols=columns, labelCols="town", loss="binary_crossentropy",
    )  # fmt: skip
    with pytest.raises(SchemaMismatchException, match="Column 'town' has 3 labels or more") as e:
        made.fit(table)
    assert "output 'bought' of the model has 2 classes" in str(e.value)


@pytest.mark.parametrize(
    ("model", "params", "message"),
    [
        (network(2, None, "mse"), {"predictionCol": "p"}, "several numbers per row that are no"),
        (network(2), {"predictionCol": "p"}, "nothing says what its numbers mean"),
        (network(1, None, "mse"), {"probabilityCol": "p"}, "'output' is a number and says nothing"),
        (
            network(1),
            {"predictionCol": "p", "predictionOutput": "x"},
            "set predictionOutput to one",
        ),
    ],
)
def test_what_the_fitted_model_would_refuse_is_refused_before_training(
    model: Any, params: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsException, match=message):
        check_predictions(sparkdl.KerasEstimator(**params), model)


def test_thresholds_are_checked_when_they_are_set() -> None:
    estimator = sparkdl.KerasEstimator(thresholds=[0.5, 0.5])
    assert estimator.getThresholds() == [0.5, 0.5]
    with pytest.raises(SparkDLException, match="must be above 0, except for one at most"):
        estimator.setThresholds([0, 0.0])
    with pytest.raises(SparkDLException, match="must be above 0"):
        estimator.setThresholds([-1, 2])
