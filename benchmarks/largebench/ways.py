"""The ways: making a bundle, applying it on Spark, and the same weights without Spark."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from largebench.models import build, feed, frame
from largebench.resident import forget_peak, jvms, resident

# A container of Spark's defaults has 1 GB of heap and 384 MB beside it.
_CLUSTER = "local-cluster[2,1,1024]"


def make_bundle(name: str, folder: Path) -> dict[str, Any]:
    """Make the bundle, and one of a small model before it, which imports what is needed."""
    import keras
    import sparkdl

    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    sparkdl.save_bundle(small, folder / "small", overwrite=True)
    model = build(name)
    bytes_of_weights = sum(int(w.numpy().nbytes) for w in model.weights)
    forget_peak()
    before, start = resident()[1], time.perf_counter()
    sparkdl.save_bundle(model, folder / "bundle", overwrite=True)
    seconds = time.perf_counter() - start
    peak = resident()[0]
    return {
        "weights_bytes": bytes_of_weights,
        "seconds": seconds,
        "seconds_per_gb": seconds / bytes_of_weights * 1e9,
        # The model itself is there before.
        "peak_bytes": peak - before + bytes_of_weights,
        "peak_of_weights": (peak - before) / bytes_of_weights + 1,
    }


def on_spark(name: str, folder: Path, master: str, executors: bool) -> dict[str, Any]:
    """Apply the bundle to sixteen rows, twice."""
    import sparkdl
    from pyspark.sql import functions as F

    spark = sparkdl.start(master=master, conf={"spark.driver.memory": "2g"})
    spark.range(4).repartition(2).count()
    start = time.perf_counter()
    model = sparkdl.load_model(str(folder / "bundle"))
    rows = frame(spark, name).select(model("x").alias("y")).agg(F.sum(F.col("y")[0]))
    rows.first()
    first = time.perf_counter() - start
    rows.first()
    time.sleep(2)
    each = [resident(pid) for pid in jvms(os.getpid(), executors)]
    return {
        "seconds_to_first": first,
        "peak_bytes": max(peak for peak, _ in each),
        "steady_bytes": max(present for _, present in each),
        "processes": len(each),
    }


def local(name: str, folder: Path) -> dict[str, Any]:
    """Apply the bundle in local mode: memory is that of the one JVM."""
    return on_spark(name, folder, "local[2]", executors=False)


def cluster(name: str, folder: Path) -> dict[str, Any]:
    """Apply the bundle on two executors with the heap that Spark gives them."""
    return on_spark(name, folder, _CLUSTER, executors=True)


def session(name: str, folder: Path) -> dict[str, Any]:
    """Run the same graph, with its weights as constants, in a plain session of TensorFlow."""
    import tensorflow as tf
    from sparkdl._bundles.graph.stored_weights import stored_graph
    from sparkdl._bundles.graph.weights import put_back

    file = folder / "frozen.pb"
    graph_def = put_back(*stored_graph(folder / "bundle" / "graph.pb"))
    if not file.exists():
        file.write_bytes(graph_def.SerializeToString())
    del graph_def
    input_, output = _ends(folder / "bundle")
    forget_peak()
    start = time.perf_counter()
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(file.read_bytes()), name="")
    with tf.compat.v1.Session(graph=graph) as run:
        run.run(output, {input_: feed(name)})
        return _after(start, lambda: run.run(output, {input_: feed(name)}))


def keras_itself(name: str, folder: Path) -> dict[str, Any]:
    """Call the model of Keras, with its variables, in one process of Python."""
    model = build(name)
    rows = feed(name)
    forget_peak()
    start = time.perf_counter()
    model(rows, training=False)
    return _after(start, lambda: model(rows, training=False))


def onnx(name: str, folder: Path) -> dict[str, Any]:
    """Run the same weights, as external data, in ONNX Runtime."""
    import onnxruntime

    from largebench.onnx_table import write_table

    file = folder / "onnx" / "model.onnx"
    if not file.exists():
        shutil.rmtree(file.parent, ignore_errors=True)
        file.parent.mkdir(parents=True)
        write_table(build(name), file)
    forget_peak()
    start = time.perf_counter()
    run = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    run.run(None, {"words": feed(name)})
    return _after(start, lambda: run.run(None, {"words": feed(name)}))


def _after(start: float, again: Callable[[], object]) -> dict[str, Any]:
    first = time.perf_counter() - start
    again()
    time.sleep(2)
    peak, present = resident()
    return {"seconds_to_first": first, "peak_bytes": peak, "steady_bytes": present}


def _ends(bundle: Path) -> tuple[str, str]:
    from sparkdl._bundles.description.manifest import read_manifest

    manifest = read_manifest(bundle)
    return manifest["inputs"][0]["tensor"], manifest["outputs"][0]["tensor"]


WAYS: dict[str, Callable[[str, Path], dict[str, Any]]] = {
    "bundle": make_bundle,
    "local": local,
    "cluster": cluster,
    "keras": keras_itself,
    "session": session,
    "onnx": onnx,
}
