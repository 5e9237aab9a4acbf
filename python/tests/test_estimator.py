"""KerasImageFileEstimator against plain Keras on the same arrays, weights and seeds."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full_disk import NOT_WHOLE
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.linalg import Vectors
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit

from sparkdl.errors import (
    InvalidInputException,
    InvalidModelException,
    ModelExecutionException,
    SchemaMismatchException,
    SettingsException,
    SparkDLException,
)
from sparkdl.estimators.keras_image_file_estimator import KerasImageFileEstimator
from sparkdl.transformers import KerasImageFileTransformer

COUNT, SIZE = 48, 6
SPARSE, ONE_HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"


def loader() -> Callable[[str], Any]:
    def load(uri: str) -> Any:  # inside a function, so that executors need not import this module
        import numpy as np
        from PIL import Image

        return np.asarray(Image.open(uri).convert("RGB"))[None]

    return load


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, int]]:
    """Pixels and class by path: class 1 is more red than blue."""
    from PIL import Image

    folder, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(7)
    made = {}
    for i in range(COUNT):
        pixels = draw.integers(0, 256, (SIZE, SIZE, 3), dtype="uint8")
        pixels[..., 0] //= 1 + 3 * (i % 2)
        path = str(folder / f"{i}.png")
        Image.fromarray(pixels).save(path)
        made[path] = (pixels, 1 - i % 2)
    return made


@pytest.fixture(scope="module")
def frame(spark: Any, pictures: dict[str, tuple[Any, int]]) -> Any:
    """Columns uri, label, dense and sparse (one-hot)."""
    rows = [
        (uri, y, Vectors.dense(1 - y, y), Vectors.sparse(2, {y: 1.0}))
        for uri, (_, y) in pictures.items()
    ]
    names = ["uri", "label", "dense", "sparse"]
    return spark.createDataFrame(rows, names).cache()


@pytest.fixture(scope="module")
def arrays(frame: Any, pictures: dict[str, tuple[Any, int]]) -> tuple[Any, Any]:
    """Images and labels in the documented order."""
    hashed = frame.selectExpr("uri", "shiftrightunsigned(xxhash64(uri), 32) AS h")
    order = [r.uri for r in hashed.orderBy("h", "uri").collect()]
    return np.stack([pictures[u][0] for u in order]), np.array([pictures[u][1] for u in order])


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small model with its first weights."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(2, activation="softmax"),
        ]
    )
    path = str(tmp_path_factory.mktemp("models") / "start.keras")
    model.save(path)
    return path


def estimator(start: str, **more: Any) -> KerasImageFileEstimator:
    given = {
        "inputCol": "uri",
        "outputCol": "out",
        "labelCol": "label",
        "modelFile": start,
        "imageLoader": loader(),
        "kerasLoss": SPARSE,
        "kerasFitParams": {"epochs": 3, "batch_size": 8, "verbose": 0},
        "seed": 11,
    }
    return KerasImageFileEstimator(**{**given, **more})


def plain(start: str, arrays: tuple[Any, Any], **fit: Any) -> tuple[Any, list[float]]:
    """Train with Keras only; return the model and its losses."""
    import keras

    keras.utils.set_random_seed(11)
    model = keras.saving.load_model(start, compile=False)
    model.compile(optimizer="adam", loss=SPARSE)
    return model, model.fit(*arrays, verbose=0, **fit).history["loss"]


@pytest.fixture(scope="module")
def two(frame: Any, start: str) -> list[KerasImageFileTransformer]:
    """Models of batches of 8 and of 16."""
    made = estimator(start)
    fits = [{"epochs": 3, "batch_size": n, "verbose": 0} for n in (8, 16)]
    grid = ParamGridBuilder().addGrid(made.kerasFitParams, fits).build()
    grid[1][made.outputCol] = "other"
    return made.fit(frame, grid)


def test_losses_are_those_of_keras_on_the_same_arrays(
    two: Any, start: str, arrays: tuple[Any, Any]
) -> None:
    for model, batch in zip(two, (8, 16), strict=True):
        _, losses = plain(start, arrays, epochs=3, batch_size=batch)
        assert model.history["loss"] == pytest.approx(losses, abs=1e-5)


def test_predictions_are_those_of_keras_on_what_the_loader_gives(
    two: Any, frame: Any, start: str, arrays: tuple[Any, Any], pictures: dict[str, Any]
) -> None:
    model, _ = plain(start, arrays, epochs=3, batch_size=8)
    rows = two[0].transform(frame).select("uri", "out").collect()
    expected = model.predict(np.stack([pictures[r.uri][0] for r in rows]), verbose=0)
    assert len(rows) == COUNT
    np.testing.assert_allclose([r.out.toArray() for r in rows], expected, atol=1e-5)


def test_what_was_tuned_reaches_the_transformer(two: Any, frame: Any, start: str) -> None:
    assert [m.getOutputCol() for m in two] == ["out", "other"]
    assert two[1].transform(frame).columns == [*frame.columns, "other"]
    assert two[0].getInputCol() == "uri"
    assert two[0].failure is None


def test_the_order_of_the_rows_does_not_depend_on_partitions(
    two: Any, frame: Any, start: str
) -> None:
    again = estimator(start).fit(frame.repartition(5, "uri"))
    assert again.history["loss"] == pytest.approx(two[0].history["loss"], abs=1e-6)


def test_classes_of_the_program_travel_to_the_trials(frame: Any, arrays: Any) -> None:
    import keras

    class Scaled(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x / 255

    class Squared(keras.losses.Loss):
        def call(self, truth: Any, found: Any) -> Any:
            return keras.ops.square(keras.ops.squeeze(found, -1) - truth)

    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            Scaled(),
            keras.layers.Flatten(),
            keras.layers.Dense(1, kernel_initializer="zeros"),
        ]
    )
    fit = {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0}
    own = {"kerasLoss": Squared(), "kerasOptimizer": "sgd", "kerasFitParams": fit}
    history = estimator(None, model=model, **own).fit(frame).history  # type: ignore[arg-type]
    model.compile("sgd", Squared())
    assert history["loss"] == pytest.approx(model.fit(*arrays, **fit).history["loss"], rel=1e-4)


def test_models_come_one_by_one_with_their_index(frame: Any, start: str) -> None:
    made = estimator(start, kerasFitParams={"epochs": 1, "verbose": 0})
    found = made.fitMultiple(frame, [{made.outputMode: "vector"}])
    assert iter(found) is found
    index, model = next(found)
    assert (index, type(model)) == (0, KerasImageFileTransformer)
    with pytest.raises(StopIteration):
        next(found)
    assert list(made.fitMultiple(frame, [])) == []


def test_one_hot_labels_are_the_same_as_classes(two: Any, frame: Any, start: str) -> None:
    made = estimator(start, kerasLoss=ONE_HOT)
    for column in ("dense", "sparse"):
        found = made.copy({made.labelCol: column}).fit(frame).history["loss"]
        assert found == pytest.approx(two[0].history["loss"], abs=1e-5)


def test_a_trial_that_fails_is_reported_and_gives_zeros(
    frame: Any, start: str, tmp_path: Path
) -> None:
    def die(epoch: int, logs: Any) -> None:

        os.kill(os.getpid(), 9)

    import keras

    made = estimator(start)
    killed = {"callbacks": [keras.callbacks.LambdaCallback(on_epoch_end=die)]}
    fits = [{"epochs": 1}, {"nonsense": 1}, killed]
    grid = [{made.kerasFitParams: {**f, "verbose": 0}} for f in fits]
    with pytest.warns(UserWarning, match="2 of 3 trials failed.* predict zeros") as caught:
        good, bad, dead = made.fit(frame, grid)
    assert any(w.filename == __file__ for w in caught)
    assert good.failure is None
    assert "TypeError: " in str(bad.failure)
    assert "was ended by SIGKILL. The machine may be out of memory" in str(dead.failure)
    assert bad.history == {}
    with pytest.warns(UserWarning, match="has learnt nothing and returns zeros"):
        rows = bad.transform(frame).select("out").collect()
    assert len(rows) == COUNT
    assert not np.any([r.out.toArray() for r in rows])


def test_when_all_trials_fail_the_exception_has_all_reasons(frame: Any, start: str) -> None:
    made = estimator(start)
    grid = [
        {made.kerasFitParams: {"verbose": 0, "nonsense": 1}},
        {made.kerasFitParams: {"epochs": 3, "verbose": 0}, made.kerasOptimizer: huge_steps()},
    ]
    with pytest.raises(ModelExecutionException, match="all 2 trial.s. failed") as caught:
        made.fit(frame, grid)
    assert "trial 1: TypeError" in str(caught.value)
    assert "trial 2: ArithmeticError: the weights are no longer numbers" in str(caught.value)


def huge_steps() -> Any:
    import keras

    # Large steps may stop where a gradient is 0; of infinite ones no weight stays a number.
    return keras.optimizers.SGD(float("inf"))


def test_rows_that_cannot_be_loaded_are_named_or_left_out(
    frame: Any, start: str, spark: Any, tmp_path: Path
) -> None:
    (tmp_path / "no.png").write_text("no picture")
    bad = spark.createDataFrame([(str(tmp_path / "no.png"), 0)], "uri string, label bigint")
    good = frame.select("uri", "label")
    mixed = good.union(bad).union(good.limit(1).selectExpr("uri", "CAST(NULL AS bigint)"))
    made = estimator(start, kerasFitParams={"epochs": 1, "verbose": 0})
    with pytest.raises(InvalidInputException, match=r"(no.png': .*UnidentifiedImage|is null)"):
        made.fit(mixed)
    with pytest.warns(UserWarning, match=r"2 rows are not trained on: .*no.png"):
        made.copy({made.handleInvalid: "skip"}).fit(mixed)
    nothing = made.copy({made.handleInvalid: "keep"})
    with pytest.raises(InvalidInputException, match="(?i)cannot extract any feature.*no.png"):
        nothing.fit(bad)
    with pytest.raises(InvalidInputException, match="(?i)cannot extract any feature"):
        made.fit(bad.limit(0))


def test_images_must_have_one_shape_that_the_model_takes(start: str, spark: Any) -> None:
    import keras

    def load(uri: str) -> Any:
        import numpy as np

        return np.full((6, 5 + (uri == "a"), 3), 0.5, "float32")

    rows = spark.createDataFrame([("a", 0), ("b", 1)], "uri string, label int")
    with pytest.raises(InvalidInputException, match="'b': .*float pixels, which are not resized"):
        estimator(start, imageLoader=load).fit(rows)
    layers = [keras.Input((None, None, 3)), keras.layers.GlobalAveragePooling2D()]
    any_size = estimator(start, modelFile=None, model=keras.Sequential(layers), imageLoader=load)
    with pytest.raises(InvalidInputException, match=r"one shape, got \[6, .*Set targetSize"):
        any_size.fit(rows)


def test_cross_validation_and_splits_choose_a_model(frame: Any, start: str) -> None:
    import keras

    made = estimator(start, kerasFitParams={"epochs": 10, "batch_size": 4, "verbose": 0})
    optimizers = [keras.optimizers.Adam(0.01), huge_steps()]
    grid = ParamGridBuilder().addGrid(made.kerasOptimizer, optimizers).build()
    judge = BinaryClassificationEvaluator(rawPredictionCol="out")
    tuning: dict[str, Any] = {"estimatorParamMaps": grid, "evaluator": judge}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        best = CrossValidator(estimator=made, numFolds=2, seed=1, **tuning).fit(frame)
    assert any("1 of 2 trials failed" in str(w.message) for w in caught)
    assert best.avgMetrics[0] > best.avgMetrics[1] == 0.5
    assert len(best.bestModel.history["loss"]) == 10
    pipeline = Pipeline(stages=[made])
    tuning["estimatorParamMaps"] = grid[:1]
    split = TrainValidationSplit(estimator=pipeline, seed=1, **tuning).fit(frame)
    assert judge.evaluate(split.transform(frame)) > 0.5


def test_trials_that_a_full_disk_has_lost_are_missed(
    frame: Any, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sparkdl.estimators._trials import trials_job

    monkeypatch.setattr(trials_job, "_outcomes", lambda results: list(results)[:0])
    with pytest.raises(SettingsException, match=NOT_WHOLE):
        estimator(start, kerasFitParams={"epochs": 1, "verbose": 0}).fit(frame)


def test_a_saved_model_remembers_its_history(two: Any, frame: Any, tmp_path: Path) -> None:
    PipelineModel(stages=[two[0]]).write().save(str(tmp_path / "m"))
    loaded = PipelineModel.load(str(tmp_path / "m")).stages[0]
    assert loaded.history == two[0].history
    assert loaded.failure is None
    loaded.setImageLoader(loader())
    assert loaded.transform(frame).head().out == two[0].transform(frame).head().out


def test_the_driver_gets_no_images(frame: Any, spark: Any) -> None:
    import keras

    def noise(uri: str) -> Any:
        import numpy as np

        return np.random.default_rng(len(uri)).integers(0, 256, (200, 200, 3), dtype="uint8")

    layers = keras.layers
    anywhere = [keras.Input((None, None, 3)), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    before = {s.stageId() for s in stages(spark)}
    made = estimator("", modelFile=None, model=keras.Sequential(anywhere), imageLoader=noise)
    made.setKerasFitParams({"epochs": 1, "verbose": 0}).fit(frame)
    new = [s for s in stages(spark) if s.stageId() not in before]
    assert sum(s.shuffleWriteBytes() for s in new) > COUNT * 200 * 200 * 3
    assert sum(s.resultSize() for s in new) < 1_000_000


def stages(spark: Any) -> list[Any]:
    sc = spark.sparkContext
    nothing = sc._gateway.new_array(sc._jvm.double, 0), sc._jvm.java.util.ArrayList()
    found = sc._jsc.sc().statusStore().stageList(None, False, False, *nothing)
    return [found.apply(i) for i in range(found.size())]


def test_nothing_is_left_on_local_disks(two: Any) -> None:
    assert not list(Path(tempfile.gettempdir()).glob("**/sparkdl-trial-*"))


def test_params_that_are_missing_or_cannot_be_tuned_are_listed(start: str) -> None:
    made = KerasImageFileEstimator(inputCol="uri")
    with pytest.raises(
        SparkDLException,
        match="modelFile must be defined; kerasLoss must be defined or tuned; "
        "inputCol must not be tuned \\(only kerasOptimizer, kerasLoss",
    ):
        made._validateParams({made.inputCol: "x"})
    assert estimator(start)._validateParams({made.kerasLoss: "mse"})
    with pytest.raises(TypeError, match="Keras does not know the optimizer 'quick'"):
        made.setKerasOptimizer("quick")
    with pytest.raises(ValueError, match="Keras does not know the loss 'grief'"):
        made.setKerasLoss("grief")
    with pytest.raises(ValueError, match="must not have x or y"):
        made.setKerasFitParams({"y": 1})
    with pytest.raises(TypeError):
        KerasImageFileEstimator("uri")


def test_wrong_columns_and_models_are_errors_on_the_driver(
    frame: Any, start: str, tmp_path: Path
) -> None:
    made = estimator(start)
    with pytest.raises(SchemaMismatchException, match="no column 'nope' for the images"):
        made.copy({made.inputCol: "nope"}).fit(frame)
    without_loader = made.copy({made.inputCol: "label"})
    without_loader.clear(without_loader.imageLoader)  # which takes a column of any type
    with pytest.raises(
        SchemaMismatchException, match="expected string .URIs of files., got bigint"
    ):
        without_loader.fit(frame)
    with pytest.raises(SchemaMismatchException, match="labels in column 'uri'.*got string"):
        made.copy({made.labelCol: "uri"}).fit(frame)
    with pytest.raises(InvalidModelException, match="expected a file of Keras"):
        made.copy({made.modelFile: str(tmp_path)}).fit(frame)


def test_labels_that_do_not_fit_are_the_reason_of_the_failure(frame: Any, start: str) -> None:
    made = estimator(start)
    with pytest.raises(
        ModelExecutionException, match="Label 3 is not a class of the model.* 0 to 1"
    ):
        made.fit(frame.selectExpr("uri", "label * 3 AS label"))


def test_a_saved_estimator_trains_as_the_first_did(
    two: Any, frame: Any, start: str, tmp_path: Path
) -> None:
    import keras

    made = estimator(start, kerasOptimizer=keras.optimizers.Adam(1e-3))
    made.setKerasFitParams({**made.getKerasFitParams(), "class_weight": {0: 1.0, 1: 1.0}})
    Pipeline(stages=[made]).write().save(str(tmp_path / "e"))
    loaded: Any = Pipeline.load(str(tmp_path / "e")).getStages()[0]
    assert loaded.uid == made.uid
    assert loaded.getModelFile() != start
    assert loaded.getKerasFitParams() == made.getKerasFitParams()
    assert loaded.explainParams().count("\n") == len(made.params) - 1
    loaded.setImageLoader(loader())  # else consent is asked for, as KerasImageFileTransformer does
    assert loaded.fit(frame).history["loss"] == pytest.approx(two[0].history["loss"], abs=1e-5)
    callbacks = {"callbacks": [keras.callbacks.EarlyStopping()]}
    with pytest.raises(SparkDLException, match="Cannot save kerasFitParams"):
        made.setKerasFitParams(callbacks).write().save(str(tmp_path / "f"))


def test_a_live_model_is_copied_and_progress_is_shown(
    frame: Any, start: str, capfd: pytest.CaptureFixture[str]
) -> None:
    import keras

    live = keras.saving.load_model(start, compile=False)
    made = estimator(start, modelFile=None, model=live, kerasFitParams={"epochs": 2})
    live.set_weights([np.full_like(w, np.nan) for w in live.get_weights()])
    losses = made.fit(frame).history["loss"]
    shown = capfd.readouterr().err
    assert f"training on {COUNT} images of 6 x 6 x 3 (uint8)" in shown
    assert f"trial 1/1: adam, {SPARSE}, epochs=2" in shown
    assert f"trial 1/1: epoch 2/2: loss {losses[1]:.4g}" in shown
    assert "trial 1/1: trained in " in shown
    with pytest.raises(SparkDLException, match="model and modelFile are both set"):
        estimator(start, model=live)


def test_progress_that_cannot_be_sent_is_not_missed(capfd: pytest.CaptureFixture[str]) -> None:
    from sparkdl._processes.listener import Address
    from sparkdl._processes.progress import Reporter, print_reports

    Reporter(Address("localhost", 1, "key"), 0).report("nobody hears this")
    Reporter(None, 0).report("nor this")
    with print_reports("localhost", {0: "trial"}, 1) as address:
        assert address is not None
        reporter = Reporter(address, 0)
    for _ in range(100):
        reporter.report("nor this, after the end")
    assert "this" not in capfd.readouterr().err


def test_only_those_who_know_the_key_are_heard(capfd: pytest.CaptureFixture[str]) -> None:
    import time
    from dataclasses import replace

    from sparkdl._processes.progress import Reporter, print_reports

    with print_reports("localhost", {0: "trial"}, 1) as address:
        assert address is not None
        Reporter(replace(address, key="other"), 0).report("false")
        Reporter(address, 0).report("true")
        shown, end = "", time.monotonic() + 5
        while "true" not in shown and time.monotonic() < end:
            time.sleep(0.01)
            shown += capfd.readouterr().err
    assert "trial: true" in shown
    assert "false" not in shown
