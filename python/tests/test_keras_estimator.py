"""KerasEstimator on Spark, against plain Keras on the same rows."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.linalg import Vectors
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit

import sparkdl
from sparkdl.errors import (
    InvalidInputException,
    InvalidModelException,
    ModelExecutionException,
    SchemaMismatchException,
    SettingsException,
    SparkDLException,
)

ROWS, BATCH = 200, 32
CLASSES = "sparse_categorical_crossentropy"


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    """Columns x (vector), xs (array), y (class) and held (boolean); classes are partitions."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(ROWS, 4)).astype("float32").astype("float64")
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    rows = [
        (Vectors.dense(a), [float(v) for v in a], int(c), i % 5 == 0)
        for i, (a, c) in enumerate(sorted(zip(x, y, strict=True), key=lambda r: r[1]))
    ]
    parts = [rows[:3], [], rows[3:120], rows[120:]]
    together = spark.sparkContext.parallelize(parts, 4).flatMap(lambda part: part)
    return spark.createDataFrame(together, ["x", "xs", "y", "held"]).cache()


@pytest.fixture(scope="module")
def arrays(frame: Any) -> tuple[Any, Any, Any]:
    rows = frame.collect()
    x = np.array([r.xs for r in rows], "float32")
    return x, np.array([r.y for r in rows]), np.array([r.held for r in rows])


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> str:
    import keras

    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(2, activation="softmax")]
    path = str(tmp_path_factory.mktemp("models") / "start.keras")
    keras.Sequential([keras.Input((4,), name="x"), *layers], name="small").save(path)
    return path


def estimator(start: str, **more: Any) -> sparkdl.KerasEstimator:
    given = {
        "model": start,
        "inputCols": ["x"],
        "labelCols": ["y"],
        "outputCols": ["out"],
        "loss": CLASSES,
        "metrics": ["accuracy"],
        "batchSize": BATCH,
        "epochs": 2,
        "shuffle": False,
        "verbose": 0,
    }
    return sparkdl.KerasEstimator(**{**given, **more})


def plain(start: str, x: Any, y: Any, **fit: Any) -> tuple[Any, dict[str, list[float]]]:
    import keras

    model = keras.saving.load_model(start, compile=False)
    model.compile("adam", CLASSES, metrics=["accuracy"])
    given = {"batch_size": BATCH, "epochs": 2, "shuffle": False, "verbose": 0}
    return model, model.fit(x, y, **{**given, **fit}).history


@pytest.fixture(scope="module")
def fitted(frame: Any, start: str) -> sparkdl.KerasModel:
    return estimator(start, validationCol="held", numWorkers=2).fit(frame)


def test_two_workers_train_as_keras_does_on_partitions_of_one_class_each(
    fitted: Any, frame: Any, start: str, arrays: Any
) -> None:
    x, y, held = arrays
    model, expected = plain(start, x[~held], y[~held], validation_data=(x[held], y[held]))
    assert set(fitted.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    for name, values in expected.items():
        assert fitted.history[name] == pytest.approx(values, rel=1e-4)
    found = np.array([r.out for r in fitted.transform(frame).select("out").collect()])
    np.testing.assert_allclose(found, model.predict(x, verbose=0), atol=1e-5)


def test_the_fitted_model_is_saved_with_its_history_and_goes_on_in_keras(
    fitted: Any, frame: Any, tmp_path: Path
) -> None:
    fitted.write().save(str(tmp_path / "m"))
    loaded = sparkdl.KerasModel.load(str(tmp_path / "m"))
    assert loaded.history == fitted.history
    assert loaded.transform(frame).head().out == fitted.transform(frame).head().out
    assert "rows: 160" in fitted.summary()
    assert len(loaded.keras_model().layers) == 2


def test_a_training_resumes_from_its_checkpoint_and_no_other_does(
    frame: Any, start: str, tmp_path: Path, capfd: Any
) -> None:
    whole = estimator(start, numWorkers=1, epochs=3, shuffle=True, verbose=1).fit(frame)
    assert (
        "training on 200 rows: 3 epochs of 7 batches of 32, 1 worker(s)" in capfd.readouterr().err
    )
    made = estimator(start, numWorkers=1, shuffle=True, checkpointDir=tmp_path, epochs=1, verbose=1)
    made.fit(frame)
    longer = made.copy({made.epochs: 3}).fit(frame)
    told = capfd.readouterr().err
    assert "resumed after 1 epoch(s) and 0 step(s)" in told
    assert "epoch 3/3: accuracy " in told
    assert longer.history["loss"] == pytest.approx(whole.history["loss"], rel=1e-6)
    again = made.copy({made.epochs: 3}).fit(frame)  # nothing is left to do
    assert again.history == longer.history
    assert len(list(tmp_path.iterdir())) == 1
    made.copy({made.seed: 5}).fit(frame.limit(50))
    assert "resumed" not in capfd.readouterr().err.rpartition("training on 50 rows")[2]
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_worker_raises_reaches_the_driver_at_once(frame: Any, start: str) -> None:
    def wrong(truth: Any, predicted: Any) -> Any:
        raise ZeroDivisionError("this loss is no loss")

    began = time.monotonic()
    with pytest.raises(ModelExecutionException) as caught:
        estimator(start, loss=wrong, numWorkers=1).fit(frame)
    assert "Worker 0 of 1 failed: ZeroDivisionError: this loss is no loss" in str(caught.value)
    assert "in wrong" in str(caught.value)
    assert time.monotonic() - began < 60


def test_the_driver_loads_the_model_once(
    frame: Any, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkdl._models.files import loading
    from sparkdl.training._estimator import fit_on_workers

    def stop(*_: Any, **__: Any) -> None:
        raise InterruptedError

    loaded, load = [], loading.load_to_train
    monkeypatch.setattr(loading, "load_to_train", lambda *a: (loaded.append(a), load(*a))[1])
    monkeypatch.setattr(fit_on_workers, "run_workers", stop)
    with pytest.raises(InterruptedError):
        estimator(start).fit(frame)
    assert len(loaded) == 1


def test_a_callback_that_raises_ends_the_training_and_its_states_go(
    frame: Any, start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: set[Path] = set()

    def fail(epoch: int, logs: Any) -> None:
        seen.update(tmp_path.rglob("*.state"))
        if epoch == 2:
            raise ValueError("no more")

    failing = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    with pytest.raises(ModelExecutionException, match="The driver failed: ValueError: no more"):
        estimator(start, callbacks=[failing], numWorkers=1, epochs=4).fit(frame)
    assert seen
    assert not list(tmp_path.rglob("*.state"))


def test_cross_validation_and_splits_tune_it_and_place_the_rows_of_a_grid_once(
    frame: Any, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from sparkdl.training._estimator import placed_rows

    encode, encoded = placed_rows.encode_rows, []
    monkeypatch.setattr(
        placed_rows, "encode_rows", lambda *a: (encoded.append(encode(*a)), encoded[-1])[1]
    )
    made = estimator(
        start, predictionCol="prediction", rawPredictionCol="rawPrediction", numWorkers=1, epochs=4,
        shuffle=True,
    )  # fmt: skip
    rates = [keras.optimizers.Adam(0.05), keras.optimizers.SGD(1e-7)]
    grid = ParamGridBuilder().addGrid(made.optimizer, rates).build()
    area = BinaryClassificationEvaluator(labelCol="y")
    right = MulticlassClassificationEvaluator(labelCol="y", metricName="accuracy")
    tuning: dict[str, Any] = {"estimator": made, "estimatorParamMaps": grid, "seed": 1}
    best = CrossValidator(evaluator=area, numFolds=2, parallelism=2, **tuning).fit(frame)
    assert best.avgMetrics[0] > max(0.9, best.avgMetrics[1])
    assert len(best.bestModel.history["loss"]) == 4
    split = TrainValidationSplit(evaluator=right, **tuning).fit(frame)
    assert right.evaluate(split.transform(frame)) > 0.9
    assert len(encoded) == 5  # two folds, a split, and the best of each on all rows
    assert not any(blocks.is_cached for blocks in encoded)


def test_combinations_that_want_other_rows_have_them_placed(frame: Any, start: str) -> None:
    made = estimator(start, numWorkers=1, epochs=1)
    first, second = made.fit(frame, [{made.validationFraction: 0.25}, {}])
    assert "val_loss" in first.history
    assert second.history == made.fit(frame).history


def test_rows_of_a_grid_are_forgotten_when_a_combination_fails(
    frame: Any, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkdl.training._estimator import fit_on_workers

    def fail(*arguments: Any, **more: Any) -> None:
        raise ModelExecutionException("as if")

    monkeypatch.setattr(fit_on_workers, "run_workers", fail)
    persisted = frame.sparkSession.sparkContext._jsc.getPersistentRDDs
    before = set(persisted())
    with pytest.raises(ModelExecutionException, match="as if"):
        estimator(start).fit(frame, [{}, {}])
    assert set(persisted()) == before


def test_a_saved_estimator_has_its_params_and_its_model(start: str, tmp_path: Path) -> None:
    import keras

    made = estimator(start, optimizer=keras.optimizers.Adam(0.5), numWorkers=2, timeout=5)
    made.setMetrics([keras.metrics.SparseTopKCategoricalAccuracy(1), "accuracy"])
    made.setLoss({"small": keras.losses.SparseCategoricalCrossentropy()})
    made.write().save(str(tmp_path / "e"))
    loaded = sparkdl.KerasEstimator.load(str(tmp_path / "e"))
    assert Path(loaded.getModelFile()).read_bytes() == Path(start).read_bytes()
    for name in ("inputCols", "batchSize", "timeout", "numWorkers", "metrics"):
        assert loaded.getOrDefault(name) == made.getOrDefault(name)
    for name in ("optimizer", "loss"):
        assert str(loaded.getOrDefault(name)).lower() == str(made.getOrDefault(name)).lower()
    made.setCallbacks([keras.callbacks.TerminateOnNaN()])
    with pytest.raises(SettingsException, match="Cannot save callbacks"):
        made.write().save(str(tmp_path / "no"))


def test_a_model_may_be_live_or_come_from_a_function(start: str) -> None:
    import keras

    live = keras.saving.load_model(start)
    for given in (live, lambda: live):
        file = estimator(given).getModelFile()
        weights = keras.saving.load_model(file).get_weights()
        np.testing.assert_array_equal(weights[0], live.get_weights()[0])
    with pytest.raises(SettingsException, match="model and modelFile are both set"):
        estimator(live, modelFile=start)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"inputCols": "no"}, SchemaMismatchException, "no column 'no'. The DataFrame has: x, xs"),
        ({"inputCols": ["x", "y"]}, SchemaMismatchException, "1 input.*but inputCols has 2"),
        (
            {"inputCols": "y"},
            SchemaMismatchException,
            "'y' to input 'x'.*nested 1 deep.*got bigint",
        ),
        ({"labelCols": ["y", "y"]}, SchemaMismatchException, "1 output.*but labelCols has 2"),
        ({"validationCol": "y"}, SchemaMismatchException, "expected boolean, got bigint"),
        ({"sampleWeightCol": "held"}, SchemaMismatchException, "weigh rows by column 'held'"),
        ({"loss": None}, SettingsException, "labels but no loss"),
        ({"labelCols": None}, SettingsException, "a loss but no label. Set labelCols"),
        ({"inputCols": None}, SettingsException, "Set inputCols: a column per input"),
        ({"inputCols": "y"}, SchemaMismatchException, r"put numbers together with array\(\)"),
        ({"numWorkers": 3}, SettingsException, "this application has 2 task slot"),
        ({"model": "/no.keras"}, InvalidModelException, "Cannot train /no.keras: expected a file"),
        (
            {"validationCol": "held", "validationFraction": 0.1},
            SettingsException,
            "validationFraction and validationCol are both set",
        ),
    ],
)
def test_what_does_not_fit_is_an_error_before_training(
    frame: Any, start: str, wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        estimator(**{"start": start, **wrong}).fit(frame)


def test_params_out_of_range_are_refused_when_they_are_set(start: str) -> None:
    for wrong, message in (
        ({"batchSize": 0}, "batchSize must be at least 1, got 0"),
        ({"validationFraction": 1.0}, "from 0 to less than 1, got 1.0"),
        ({"timeout": 0}, "timeout must be more than 0"),
        ({"checkpointSteps": -1}, "checkpointSteps must be at least 0"),
        ({"metrics": "accuracy"}, "metrics must be a list"),
        ({"metrics": [3]}, "Keras has no metric 3"),
        ({"metrics": ["accurate"]}, "Keras has no metric 'accurate'"),
        ({"lossWeights": 2}, "lossWeights must be a list"),
        ({"callbacks": ["early"]}, "Expected Keras callbacks, got str"),
        ({"loss": "no such loss"}, "Keras does not know the loss 'no such loss'"),
    ):
        with pytest.raises(SparkDLException, match=message):
            estimator(start, **wrong)


def test_rows_that_cannot_be_used_are_named(spark: Any, start: str) -> None:
    made = estimator(start, inputCols="xs")
    schema = "xs array<double>, y int"
    rows = [([1.0, 2.0, 3.0, 4.0], 0)]
    for wrong, message in (
        (([1.0, 2.0], 0), r"(of \[2\], the model takes \[4\]|arrays of 2 to 4 elements)"),
        ((None, 0), "column 'xs' has 1 null"),
        (([1.0, None, 2.0, 3.0], 0), "column 'xs' has 1 null"),
        (([1.0, 2.0, 3.0, 4.0], None), "column 'y' has 1 null.*df.dropna"),
    ):
        with pytest.raises(InvalidInputException, match=message):
            made.fit(spark.createDataFrame([*rows, wrong], schema))
    unsaid = spark.createDataFrame([([1.0, 2.0, 3.0, 4.0], 0, None)], f"{schema}, held boolean")
    with pytest.raises(InvalidInputException, match="column 'held' has 1 null"):
        made.copy({made.validationCol: "held"}).fit(unsaid)
    with pytest.raises(InvalidInputException, match="no row to train on: 0 of 0"):
        made.fit(spark.createDataFrame([], schema))
    nothing = made.copy({made.validationFraction: 0.1})
    with pytest.raises(InvalidInputException, match="validationFraction 0.1 of 1 rows is none"):
        nothing.fit(spark.createDataFrame(rows, schema))
