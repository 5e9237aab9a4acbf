"""Bundles of live models stay as long as anything refers to them, and go after that."""

from __future__ import annotations

import copy
import gc
import pickle
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from pyspark.ml import Pipeline, PipelineModel

import sparkdl
from sparkdl._bundles.bundle_store import stored_bundle
from sparkdl._places import held_folders
from sparkdl._places.held_folders import HeldPath, held, hold_new, remove_unused
from sparkdl._places.temporary_folders import new_folder, remove_folder

X = {"x": ("float32", [None, 3])}
_numbers = iter(range(1, 1000))


@pytest.fixture(autouse=True)
def nothing_unused_is_kept(spark: Any) -> Iterator[None]:
    spark.conf.set("spark.sparkdl.bundles.maxUnused", "0")
    yield
    spark.conf.unset("spark.sparkdl.bundles.maxUnused")


def adding() -> tuple[Callable[..., Any], float]:
    """Return a function that no other test has a bundle of, and what it adds."""
    number = float(next(_numbers))
    return (lambda x: x + number), number


def new_bundle() -> tuple[str, float]:
    function, number = adding()
    return stored_bundle(function, inputs=X, verify=False), number


def stays(path: str) -> bool:
    """Say whether what nothing refers to is removed, but this is not."""
    gc.collect()
    remove_unused()
    return Path(path).exists()


def goes(path: str) -> bool:
    """Say whether it is removed; Spark's listeners may have the plan of a job for a moment."""
    end = time.monotonic() + 60
    while stays(path) and time.monotonic() < end:
        time.sleep(0.1)
    return not Path(path).exists()


def frame(spark: Any) -> Any:
    return spark.createDataFrame([([1.0, 2.0, 3.0],)], "x array<float>")


def test_a_bundle_goes_with_the_last_object_that_has_its_path() -> None:
    bundle, _ = new_bundle()
    second, text = bundle, str(bundle)
    assert isinstance(bundle, HeldPath)
    assert type(text) is str
    del bundle
    assert stays(text)
    del second
    assert goes(text)


def test_a_bundle_that_could_not_be_removed_is_made_again_and_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function, _ = adding()
    first = stored_bundle(function, inputs=X, verify=False)
    text = str(first)
    with monkeypatch.context() as locked:
        locked.setattr(shutil, "rmtree", lambda *_, **__: None)
        del first
        assert stays(text)
        assert held(text) is None
    again = stored_bundle(function, inputs=X, verify=False)
    assert again == text
    remove_folder(new_folder("another"))
    assert Path(again, "model.json").is_file()


def test_copies_hold_it_and_other_processes_get_a_plain_path() -> None:
    bundle, _ = new_bundle()
    text = str(bundle)
    deep, shallow = copy.deepcopy([bundle]), copy.copy(bundle)
    assert type(pickle.loads(pickle.dumps(bundle))) is str
    del bundle, shallow
    assert stays(text)
    del deep
    assert goes(text)


def test_a_stage_its_copies_and_pipelines_hold_the_bundle_of_a_live_model(spark: Any) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(2)])
    stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", model=model, verify=False)
    text = str(stage.getModelFile())
    pipeline = Pipeline(stages=[stage.copy()]).fit(frame(spark))
    del stage
    assert stays(text)
    assert isinstance(pipeline, PipelineModel)
    assert len(pipeline.transform(frame(spark)).first().y) == 2
    plain = sparkdl.KerasTransformer(inputCol="x", outputCol="y", modelFile=text)
    del pipeline
    assert stays(text), "a stage that was given the path as text"
    del plain
    assert goes(text)


def test_a_saved_and_loaded_stage_needs_no_bundle_of_this_process(
    spark: Any, tmp_path: Path
) -> None:
    bundle, number = new_bundle()
    text = str(bundle)
    stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", modelFile=bundle)
    stage.save(f"file:{tmp_path / 'stage'}")
    del stage, bundle
    assert goes(text)
    loaded = sparkdl.KerasTransformer.load(f"file:{tmp_path / 'stage'}")
    assert loaded.transform(frame(spark)).first().y[0] == 1.0 + number


def test_a_dataframe_runs_when_its_stage_and_model_are_gone(spark: Any) -> None:
    bundle, number = new_bundle()
    text = str(bundle)
    stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", modelFile=bundle)
    by_stage = stage.transform(frame(spark)).select("y")
    by_column = frame(spark).select(sparkdl.load_model(bundle)("x").alias("y"))
    rows = by_column.rdd
    del stage, bundle
    assert stays(text)
    assert by_stage.first().y[0] == by_column.first().y[0] == 1.0 + number
    del by_stage, by_column
    assert stays(text), "the RDD has the files that its tasks read"
    assert rows.first().y[0] == 1.0 + number
    del rows
    assert goes(text)


def test_a_function_of_the_session_keeps_its_bundle_until_it_is_another(spark: Any) -> None:
    function, number = adding()
    before = {*held_folders._folders}
    sparkdl.registerKerasUDF("held", function, inputs=X, verify=False)
    [text] = held_folders._folders.keys() - before
    assert stays(text)
    assert spark.sql("SELECT held(array(1F, 2F, 3F))[0] AS y").first().y == 1.0 + number
    sparkdl.registerKerasUDF("held", adding()[0], inputs=X, verify=False)
    assert goes(text)


def test_a_stream_runs_when_its_stage_is_gone(spark: Any, tmp_path: Path) -> None:
    bundle, number = new_bundle()
    text = str(bundle)
    (tmp_path / "in").mkdir()
    rows = spark.readStream.schema("x array<float>").json(str(tmp_path / "in"))
    stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", modelFile=bundle)
    query = stage.transform(rows).writeStream.format("memory").queryName("held").start()
    try:
        del stage, bundle
        assert stays(text)
        (tmp_path / "in" / "a.json").write_text('{"x": [1, 2, 3]}')
        query.processAllAvailable()
        assert spark.table("held").first().y[0] == 1.0 + number
    finally:
        query.stop()


def test_bundles_of_files_are_kept_within_the_limit_and_made_again_after_it(
    spark: Any, tmp_path: Path
) -> None:
    file = tmp_path / "m.pb"
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        tf.identity(x + float(next(_numbers)), name="y")
    file.write_bytes(graph.as_graph_def().SerializeToString())
    spark.conf.set("spark.sparkdl.bundles.maxUnused", "1m")
    text = str(stored_bundle(file))
    assert stays(text), "smaller than the limit"
    spark.conf.set("spark.sparkdl.bundles.maxUnused", "0")
    assert goes(text)
    assert str(stored_bundle(file)) == text, "made again"


def test_the_least_recently_used_go_first(spark: Any) -> None:
    spark.conf.set("spark.sparkdl.bundles.maxUnused", "25")
    paths = []
    for _ in range(3):
        file = new_folder("held") / "file"
        file.write_bytes(bytes(10))
        paths.append(str(hold_new(file, kept=True)))
    assert held(paths[0]) == paths[0]
    assert [stays(p) for p in paths] == [True, False, True]


def test_they_go_by_themselves_with_the_last_reference() -> None:
    bundle, _ = new_bundle()
    text = str(bundle)
    del bundle
    end = time.monotonic() + 10
    while Path(text).exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(text).exists()


def multiplying(number: float) -> Callable[..., Any]:
    kernel = tf.Variable(tf.fill([3, 30_000], float(number)))
    return lambda x: x @ kernel


def test_a_loop_over_live_models_leaves_less_than_the_limit(spark: Any) -> None:
    spark.conf.set("spark.sparkdl.bundles.maxUnused", "1m")
    made = []
    for i in range(5):
        bundle = stored_bundle(multiplying(i), inputs=X, verify=False)
        stage = sparkdl.KerasTransformer(inputCol="x", outputCol="y", modelFile=bundle)
        made.append(str(bundle))
        stage.transform(frame(spark)).first()
    del bundle, stage
    gc.collect()

    def too_much_is_left() -> bool:
        try:
            files = [f for p in made for f in Path(p).rglob("*") if f.is_file()]
            return sum(f.stat().st_size for f in files) > 1 << 20
        except FileNotFoundError:  # it is being removed
            return True

    end = time.monotonic() + 60
    while too_much_is_left() and time.monotonic() < end:
        remove_unused()  # any of them: a listener may let one go after another
    assert not too_much_is_left()
