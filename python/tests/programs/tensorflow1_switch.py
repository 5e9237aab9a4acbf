"""All public entries, and examples/migration, in a program that switches TensorFlow 2 off first.

    python tensorflow1_switch.py SWITCH FOLDER

FOLDER holds models and pictures, which the test has made: Keras 3 makes no models without eager
execution. Prints a JSON object: from entry to "right", or what it raised.
"""

from __future__ import annotations

import io
import json
import runpy
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

SWITCH = sys.argv[1]
getattr(tf.compat.v1, SWITCH)()


def switched() -> list[bool]:
    """Say how TensorFlow is switched: shapes, execution, variables, loops."""
    v1 = tf.compat.v1
    has_numbers = isinstance(tf.TensorShape([1])[0], int)
    others = (v1.resource_variables_enabled(), v1.control_flow_v2_enabled())
    return [has_numbers, tf.executing_eagerly(), *others]


AT_FIRST = switched()

import sparkdl  # noqa: E402
import sparkdl.tensorframes as tfs  # noqa: E402
from sparkdl.graph import utils as tfx  # noqa: E402
from sparkdl.graph.builder import GraphFunction, IsolatedSession  # noqa: E402
from sparkdl.graph.pieces import buildFlattener, buildSpImageConverter  # noqa: E402
from sparkdl.graph.tensorframes_udf import makeGraphUDF  # noqa: E402
from sparkdl.image import imageIO  # noqa: E402
from sparkdl.utils import keras_model  # noqa: E402

v1 = tf.compat.v1
FOLDER = Path(sys.argv[2])
spark = sparkdl.start(
    master="local[1]",
    memory="1g",
    conf={"spark.ui.enabled": False, "spark.sql.shuffle.partitions": 1},
)
spark.sparkContext.setLogLevel("ERROR")
X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
table = spark.createDataFrame(
    [(x, i, float(i)) for i, x in enumerate(X)], "x array<double>, i int, y double"
)
table = table.coalesce(1).cache()
pictures = sparkdl.readImages(str(FOLDER / "pictures")).coalesce(1)
files = spark.createDataFrame([(str(FOLDER / "pictures" / "0.png"),)], "uri string")
SUMS = [6.0, 15.0]


def with_variable(graph: tf.Graph) -> tuple[Any, Any, Any]:
    """Build x * 2, with the 2 in a variable; return placeholder, result and a session."""
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        w = v1.get_variable("w", initializer=np.full([3], 2.0, "float32"))
        y = tf.reduce_sum(x * w, axis=1, name="y")
        session = v1.Session(graph=graph)
        session.run(v1.global_variables_initializer())
    return x, y, session


def expect(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(expected, float), rtol=1e-5)


def column(frame: Any, name: str) -> list[Any]:
    return [np.asarray(getattr(r[name], "values", r[name])) for r in frame.collect()]


def expect_doubled(graph: Any, fetch: str = "y", feed: str = "x") -> None:
    stage = sparkdl.TFTransformer(
        tfInputGraph=graph, inputMapping={"x": feed}, outputMapping={fetch: "z"}
    )
    expect(column(stage.transform(table), "z"), [12.0, 30.0])


def tf_transformer_of_a_graph_with_variables() -> None:
    graph = tf.Graph()
    x, y, session = with_variable(graph)
    expect_doubled(sparkdl.TFInputGraph.fromGraph(graph, session, [x], [y]))


def tf_transformer_of_a_graph_def() -> None:
    graph = tf.Graph()
    _, y, session = with_variable(graph)
    frozen = tfx.strip_and_freeze_until([y], graph, session)
    expect_doubled(sparkdl.TFInputGraph.fromGraphDef(frozen, ["x"], ["y"]))


def tf_transformer_of_a_checkpoint() -> None:
    graph, folder = tf.Graph(), FOLDER / SWITCH / "checkpoint"
    folder.mkdir(parents=True)
    _, _, session = with_variable(graph)
    with graph.as_default():
        v1.train.Saver().save(session, str(folder / "model"))
    expect_doubled(sparkdl.TFInputGraph.fromCheckpoint(folder, ["x"], ["y"]))


def tf_transformer_of_a_saved_model_of_tensorflow_1() -> None:
    graph, folder = tf.Graph(), FOLDER / SWITCH / "saved_model"
    x, y, session = with_variable(graph)
    with graph.as_default():
        v1.saved_model.simple_save(session, str(folder), {"x": x}, {"y": y})
    from_signature = sparkdl.TFInputGraph.fromSavedModelWithSignature
    expect_doubled(from_signature(folder, "serve", "serving_default"))
    expect_doubled(sparkdl.TFInputGraph.fromSavedModel(folder, "serve", ["x"], ["y"]))


def tf_transformer_of_a_saved_model_of_tensorflow_2() -> None:
    graph = sparkdl.TFInputGraph.fromSavedModelWithSignature(
        FOLDER / "saved_model", "serve", "serving_default"
    )
    expect_doubled(graph)


def tf_transformer_of_a_function() -> None:
    spec = tf.TensorSpec([None, 3], tf.float32)
    graph = sparkdl.TFInputGraph.fromFunction(
        lambda x: {"y": 2 * tf.reduce_sum(x, axis=1)}, inputs={"x": spec}
    )
    expect_doubled(graph)


def tf_transformer_of_a_keras_file() -> None:
    graph = sparkdl.TFInputGraph.fromKeras(FOLDER / "table.keras")
    stage = sparkdl.TFTransformer(
        tfInputGraph=graph, inputMapping={"x": "x"}, outputMapping={graph.outputs[0]: "z"}
    )
    expect(np.ravel(column(stage.transform(table), "z")), SUMS)


def keras_transformer_of_each_kind_of_file() -> None:
    for name in ("table.keras", "table.h5", "keras2.h5", "saved_model"):
        stage = sparkdl.KerasTransformer(inputCol="x", outputCol="z", modelFile=FOLDER / name)
        factor = 2 if name == "saved_model" else 1
        expect(np.ravel(column(stage.transform(table), "z")), np.multiply(SUMS, factor))


def tf_image_transformer() -> None:
    with tf.Graph().as_default() as graph:
        image = sparkdl.imageInputPlaceholder(nChannels=3)
        mean = tf.reduce_mean(image, axis=[1, 2, 3], name="mean")
    stage = sparkdl.TFImageTransformer(
        inputCol="image", outputCol="z", graph=graph, inputTensor=image, outputTensor=mean
    )
    expect(column(stage.transform(pictures), "z"), [[20.0]])
    assert stage.getGraph() is graph


def keras_image_file_transformer() -> None:
    def load(uri: str) -> Any:
        from PIL import Image

        return np.asarray(Image.open(uri.removeprefix("file:")), "float32")[None]

    for loader in (None, load):
        stage = sparkdl.KerasImageFileTransformer(
            inputCol="uri", outputCol="z", modelFile=FOLDER / "image.h5", imageLoader=loader
        )
        expect(column(stage.transform(files), "z"), [[10.0, 20.0, 30.0]])


def deep_image_stages() -> None:
    options = {"inputCol": "image", "modelName": "TinyNet"}
    features = sparkdl.DeepImageFeaturizer(outputCol="z", **options)
    assert column(features.transform(pictures), "z")[0].size > 1
    predictor = sparkdl.DeepImagePredictor(outputCol="z", **options)
    assert column(predictor.transform(pictures), "z")[0].size > 1


def keras_image_file_estimator() -> None:
    from pyspark.ml.linalg import Vectors

    rows = [(str(FOLDER / "pictures" / "0.png"), Vectors.dense([1.0, 0.0, 0.0]))] * 4
    labelled = spark.createDataFrame(rows, ["uri", "label"])
    estimator = sparkdl.KerasImageFileEstimator(
        inputCol="uri",
        outputCol="z",
        labelCol="label",
        modelFile=str(FOLDER / "image.h5"),
        kerasOptimizer="adam",
        kerasLoss="mse",
        kerasFitParams={"epochs": 1, "batch_size": 2, "verbose": 0},
    )
    assert column(estimator.fit(labelled).transform(files), "z")[0].shape == (3,)


def keras_estimator() -> None:
    estimator = sparkdl.KerasEstimator(
        modelFile=FOLDER / "table.keras",
        inputCols=["x"],
        outputCols=["z"],
        labelCols=["y"],
        epochs=1,
        numWorkers=1,
        loss="mse",
        optimizer="sgd",
        verbose=0,
    )
    assert len(column(estimator.fit(table).transform(table), "z")) == 2


def image_classifiers_and_their_comparison() -> None:
    labels = "explode(array('grey', 'blue'))"
    labelled = pictures.selectExpr("image", f"{labels} AS label").selectExpr(
        "*", "explode(array(true, false)) AS held"
    )
    # It fits an ImageClassifierEstimator on each network.
    comparison = sparkdl.compare_models(
        labelled,
        ["TinyNet"],
        inputCol="image",
        labelCol="label",
        predictionCol="z",
        epochs=1,
        validationCol="held",
        verbose=0,
    )
    assert len(column(comparison.best.transform(pictures), "z")) == 1
    assert comparison.plot().axes


def plots() -> None:
    pixels = np.zeros((4, 4, 3), "uint8")
    assert sparkdl.plot.top_k(pixels, [0.1, 0.9], ["a", "b"]).axes
    assert sparkdl.plot.predictions([pixels], ["a"]).axes
    assert sparkdl.plot.confusion_matrix(["a", "b"], ["a", "a"]).axes
    assert sparkdl.plot.history({"loss": [2.0, 1.0]}).axes


def doctor() -> None:
    with redirect_stdout(io.StringIO()) as printed:
        report = sparkdl.doctor(spark)
    assert report.findings
    assert "TensorFlow" in printed.getvalue()


def tensorflow_distributor() -> None:
    def total(by: int) -> float:
        import tensorflow as tf

        return float(tf.reduce_sum(tf.constant([1.0, 2.0])).numpy()) * by

    assert sparkdl.TensorFlowDistributor(numProcesses=1).run(total, 3) == 9.0


def horovod_runner() -> None:
    assert sparkdl.HorovodRunner(np=-1).run(lambda by: 3 * by, by=2) == 6


def listings() -> None:
    assert "ResNet50" in [m.name for m in sparkdl.models()]
    assert sparkdl.version()


def sql_functions() -> None:
    sparkdl.registerKerasUDF("f_tensor", FOLDER / "table.h5")
    expect([r[0][0] for r in table.selectExpr("f_tensor(x)").collect()], SUMS)
    sparkdl.registerKerasImageUDF("f_image", str(FOLDER / "image.h5"))
    expect([r[0] for r in pictures.selectExpr("f_image(image)").collect()], [[10.0, 20.0, 30.0]])


def graph_udf() -> None:
    with IsolatedSession() as issn:
        x = v1.placeholder(tf.float64, [], name="x")
        makeGraphUDF(issn.graph, "plus_three", [tf.add(x, 3, name="z")])
    expect([r[0] for r in table.selectExpr("plus_three(y)").collect()], [3.0, 4.0])


def bundles_and_models() -> None:
    bundle = FOLDER / SWITCH / "bundle"
    sparkdl.save_bundle(str(FOLDER / "table.keras"), bundle)
    model = sparkdl.load_model(str(bundle))
    expect([r[0][0] for r in table.select(model("x")).collect()], SUMS)


def isolated_sessions_and_graph_functions() -> None:
    of_keras = GraphFunction.fromKeras(str(FOLDER / "table.h5"))
    with IsolatedSession() as issn:
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        w = v1.get_variable("w", initializer=2.0)
        issn.run(w.initializer)
        doubled = issn.asGraphFunction([x], [tf.multiply(x, w, name="doubled")])
    chained = GraphFunction.fromList([("a", doubled), ("b", of_keras)])
    with IsolatedSession() as issn:
        feeds, fetches = issn.importGraphFunction(chained, prefix="")
        expect(np.ravel(issn.run(fetches[0], {feeds[0]: X})), np.multiply(SUMS, 2))
        assert tfx.get_shape(feeds[0], issn.graph) == [-1, 3]


def pieces_of_graphs() -> None:
    assert buildFlattener().output_names == ["output"]
    for order in ("RGB", "BGR", "L"):
        converter = buildSpImageConverter(order, "uint8")
        with IsolatedSession() as issn:
            feeds, fetches = issn.importGraphFunction(converter, prefix="")
            assert issn.run(fetches[0], dict(zip(feeds, [1, 1, 3, b"abc"], strict=True))).size


def tensorframes_of_graphs() -> None:
    with tf.Graph().as_default():
        x = tfs.block(table, "x")
        v1.get_variable("unused", initializer=1.0)
        z = tf.reduce_sum(x * v1.get_variable("w", initializer=np.float64(2)), axis=1, name="z")
        expect(column(tfs.map_blocks(z, table), "z"), [12.0, 30.0])
    with tf.Graph().as_default():
        y = tfs.row(table, "y")
        expect(column(tfs.map_rows(tf.add(y, 3, name="z"), table), "z"), [3.0, 4.0])
    with tf.Graph().as_default():
        block = v1.placeholder(tf.float64, [None], name="y_input")
        y = tf.reduce_sum(block, axis=0, name="y")
        expect(tfs.reduce_blocks(y, table.select("y")), 1.0)
        expect(column(tfs.aggregate(y, table.select("i", "y").groupBy("i")), "y"), [0.0, 1.0])
    with tf.Graph().as_default():
        one, two = (v1.placeholder(tf.float64, [], name=f"y_{i}") for i in (1, 2))
        expect(tfs.reduce_rows(tf.add(one, two, name="y"), table.select("y")), 1.0)


def tensorframes_of_functions() -> None:
    expect(column(tfs.map_blocks(lambda y: {"z": y + 3.0}, table), "z"), [3.0, 4.0])
    expect(column(tfs.map_rows(lambda x: {"z": tf.reduce_sum(x)}, table), "z"), SUMS)
    numbers = table.select("y")
    expect(tfs.reduce_blocks(lambda y: {"y": tf.reduce_sum(y, axis=0)}, numbers), 1.0)
    expect(tfs.reduce_rows(lambda y_1, y_2: {"y": y_1 + y_2}, numbers), 1.0)


def tensorframes_of_pandas() -> None:
    frame = table.select("y").toPandas()
    expect(tfs.map_blocks(lambda y: {"z": y + 3.0}, frame)["z"], [3.0, 4.0])
    with tf.Graph().as_default():
        z = tf.add(tfs.block(frame, "y"), 3, name="z")
        expect(tfs.map_blocks(z, frame)["z"], [3.0, 4.0])


def keras_helpers() -> None:
    file = FOLDER / "table.h5"
    model = keras_model.bytes_to_model(file.read_bytes())
    assert keras_model.model_to_bytes(model)
    assert keras_model.is_valid_optimizer("adam")
    assert keras_model.is_valid_loss_function("mse")


def images() -> None:
    resized = pictures.select(imageIO.createResizeImageUDF([4, 5])("image").alias("image"))
    image = resized.first().image
    assert (image.height, image.width) == (4, 5)
    flipped = imageIO.fixColorChannelOrdering("RGB", tf.zeros([1, 2, 3]))
    assert flipped.shape.as_list()[:2] == [1, 2]


def a_data_set_of_rows() -> None:
    dataset = sparkdl.tf_dataset(table, "y", batch_size=2)
    assert "float" in str(v1.data.get_output_types(dataset))


ENTRIES: list[Callable[[], None]] = [
    f
    for n, f in list(globals().items())
    if callable(f)
    and getattr(f, "__module__", "") == "__main__"
    and n not in ("switched", "with_variable", "expect", "column", "expect_doubled")
]

# Their functions run in processes of their own, which no switch of this one reaches, and nothing
# of TensorFlow runs here.
IN_OTHER_PROCESSES = [tensorflow_distributor, horovod_runner]
# All trainings undo all switches in the same way, for as long as they use Keras: `keras_estimator`
# shows for each switch that they come back.
OTHER_TRAININGS = [keras_image_file_estimator, image_classifiers_and_their_comparison]
if SWITCH != "disable_v2_behavior":  # which is all of them
    others = OTHER_TRAININGS if SWITCH != "disable_eager_execution" else []
    ENTRIES = [e for e in ENTRIES if e not in (*IN_OTHER_PROCESSES, *others)]

# The programs of examples/migration switch all of TensorFlow 2 off, so they run with that switch.
# With their arguments, and something that they print.
EXAMPLES_FOLDER = Path(__file__).parents[3] / "examples" / "migration"
IMAGES, MODEL = str(FOLDER / "pictures"), str(FOLDER / "image.h5")
EXAMPLES = {
    "transfer_learning.py": (
        [str(FOLDER / "warm"), str(FOLDER / "cold"), "--model", "TinyNet"],
        "accuracy = 1.000",
    ),
    "custom_loader.py": ([IMAGES, MODEL, "--model", "TinyNet"], "0.png top 3"),
    "tf_image.py": ([IMAGES], "0.png 12 x 10"),
    "tensors.py": ([], "sum of [1.0, 2.0] is about 3.0"),
    "sql_function.py": ([IMAGES, MODEL], "0.png [10, 20, 30]"),
    "kmeans.py": ([], "center [4.0, "),
}


def run_example(name: str) -> None:
    given, expected = EXAMPLES[name]
    sys.argv = [name, *given]
    with redirect_stdout(io.StringIO()) as printed:
        runpy.run_path(str(EXAMPLES_FOLDER / name), run_name="__main__")
    assert expected in printed.getvalue(), printed.getvalue()


ALL: dict[str, Callable[[], None]] = {e.__name__: e for e in ENTRIES}
if SWITCH == "disable_v2_behavior":
    names = sorted(p.name for p in EXAMPLES_FOLDER.glob("*.py"))
    ALL.update({name: partial(run_example, name) for name in names})


def what_was_switched_off_stays_off() -> None:
    assert switched() == AT_FIRST


ALL["what_was_switched_off_stays_off"] = what_was_switched_off_stays_off
found = {}
for entry, run in ALL.items():
    try:
        run()
        found[entry] = "right"
    except Exception:
        found[entry] = traceback.format_exc()[-3000:]
spark.stop()
print(json.dumps(found))
