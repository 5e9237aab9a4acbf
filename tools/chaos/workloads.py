"""What the cluster works on; each piece of work gives the same result every time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from stage_bundles import encoded, make_bundle, png

import sparkdl
import sparkdl.tensorframes as tfs
from sparkdl import DeepImageFeaturizer, KerasEstimator, TFTransformer

Work = Callable[[], Any]
WORK = ("stage", "SQL function", "images", "aggregate", "training", "two trainings")
_ROWS, _PARTS = 2000, 8


def workloads(spark: Any, models: Path, names: Collection[str] = WORK) -> dict[str, Work]:
    """Return the pieces of work with these names; their models lie in a folder."""
    linear = sparkdl.save_bundle(
        lambda x: {"y": 3.0 * x + 1.0}, models / "linear", inputs={"x": ("float32", [None, 3])}
    )
    if "images" in names:
        make_bundle(models / "MobileNetV2-imagenet")
    sparkdl.load_model(linear).register("chaos_linear")
    rows = spark.range(0, _ROWS, 1, _PARTS).selectExpr(
        "id", "id % 7 AS key", "array(float(id), float(id) / 2, -float(id)) AS x"
    )
    rows.createOrReplaceTempView("chaos_rows")
    pictures = encoded(spark, *[png(i * 5 % 256, i * 11 % 256, 40) for i in range(40)])
    work: dict[str, Work] = {
        "stage": lambda: _stage(rows, linear),
        "SQL function": lambda: _sql(spark),
        "images": lambda: _images(pictures.repartition(4), models),
        "aggregate": lambda: _aggregate(rows),
        "training": lambda: _training(spark),
        "two trainings": lambda: _two_trainings(spark),
    }
    return {name: work[name] for name in WORK if name in names}


def _stage(rows: Any, bundle: str) -> Any:
    stage = TFTransformer(tfInputGraph=bundle, inputMapping={"x": "x"}, outputMapping={"y": "z"})
    return sorted((r.id, tuple(r.z)) for r in stage.transform(rows).select("id", "z").collect())


def _sql(spark: Any) -> Any:
    query = (
        "SELECT key, count(*), sum(chaos_linear(x)[0]) FROM chaos_rows GROUP BY key ORDER BY key"
    )
    return [tuple(row) for row in spark.sql(query).collect()]


def _images(pictures: Any, models: Path) -> Any:
    stage = DeepImageFeaturizer(
        inputCol="content", outputCol="f", modelName="MobileNetV2", modelDir=str(models)
    )
    features = stage.transform(pictures).select("id", "f").collect()
    return sorted((row.id, tuple(row.f.toArray())) for row in features)


def _aggregate(rows: Any) -> Any:
    import tensorflow as tf

    numbers = rows.selectExpr("key", "double(id) AS v")
    summed = tfs.aggregate(
        lambda v_input: {"v": tf.reduce_sum(v_input, axis=0)}, numbers.groupBy("key")
    )
    return sorted(tuple(row) for row in summed.collect())


def _two_trainings(spark: Any) -> Any:
    """Train two models at the same time, each on one executor."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda _: _training(spark, workers=1), range(2)))


def _training(spark: Any, workers: int = 2) -> Any:
    import keras

    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    draw = np.random.default_rng(1)
    x = draw.normal(size=(400, 2)).astype("float32")
    rows = [([float(a), float(b)], float(a - 2 * b)) for a, b in x]
    frame = spark.createDataFrame(rows, "x array<float>, y float").repartitionByRange(2, "y")
    frame = frame.sortWithinPartitions("y")
    fitted = KerasEstimator(
        model=model, inputCols=["x"], labelCols=["y"], outputCols=["p"], optimizer="sgd",
        loss="mse", epochs=4, batchSize=20, shuffle=False, numWorkers=workers, verbose=0,
        timeout=60,
    ).fit(frame)  # fmt: skip
    return [round(loss, 5) for loss in fitted.history["loss"]]
