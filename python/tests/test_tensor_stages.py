"""TFTransformer and KerasTransformer: numbers against TensorFlow and Keras on the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.linalg import Vectors

from sparkdl import KerasTransformer, TFInputGraph, TFTransformer
from sparkdl.errors import InvalidModelException, SettingsException, SparkDLException

pytestmark = pytest.mark.usefixtures("spark")
X = np.random.default_rng(7).normal(size=(9, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def mlp() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    layers = [keras.Input((4,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(2, "softmax")]
    return keras.Sequential(layers)


def table(spark: Any, rows: list[Any], schema: str) -> Any:
    return spark.createDataFrame(rows, schema).repartition(2).sortWithinPartitions("id")


@pytest.fixture
def numbers(spark: Any) -> Any:
    return table(spark, [(i, x.tolist()) for i, x in enumerate(X)], "id int, x array<float>")


def found(frame: Any, column: str = "y") -> np.ndarray:
    return np.array([r[column] for r in frame.orderBy("id").collect()])


@pytest.mark.parametrize("kind", ["live", ".keras", ".h5", "bundle"])
def test_a_keras_model_gives_what_keras_gives(
    kind: str, mlp: Any, numbers: Any, tmp_path: Path
) -> None:
    import sparkdl

    given: dict[str, Any] = {"model": mlp}
    if kind != "live":
        path = tmp_path / f"m{kind}" if kind != "bundle" else tmp_path / "bundle"
        sparkdl.save_bundle(mlp, path) if kind == "bundle" else mlp.save(path)
        given = {"modelFile": path}
    stage = KerasTransformer(inputCol="x", outputCol="y", **given)
    np.testing.assert_allclose(
        found(stage.transform(numbers)), mlp.predict(X, verbose=0), atol=1e-6
    )


def test_vectors_and_doubles_and_integers_are_fed_and_vectors_come_out(
    mlp: Any, spark: Any
) -> None:
    rows = [(i, Vectors.dense(x.tolist()), x.astype(float).tolist()) for i, x in enumerate(X)]
    frame = spark.createDataFrame(rows, ["id", "v", "d"])
    expected = mlp.predict(X, verbose=0)
    for column in ("v", "d"):
        stage = KerasTransformer(inputCol=column, outputCol="y", model=mlp, outputMode="vector")
        out = stage.transform(frame)
        assert type(out.schema["y"].dataType).__name__ == "VectorUDT"
        np.testing.assert_allclose(found(out), expected, atol=1e-6)
    whole = frame.selectExpr("id", "array(id, id, 1, 2) AS x")
    ints = np.array([[i, i, 1, 2] for i in range(9)], np.float32)
    stage = KerasTransformer(inputCol="x", outputCol="y", model=mlp)
    np.testing.assert_allclose(
        found(stage.transform(whole)), mlp.predict(ints, verbose=0), atol=1e-6
    )


def test_several_inputs_and_outputs_of_any_rank(spark: Any) -> None:
    import keras

    keras.utils.set_random_seed(4)
    grid = keras.Input((3, 2, 2), name="grid")
    code = keras.Input((1,), name="code", dtype="int32")
    embedded = keras.layers.Flatten()(keras.layers.Embedding(10, 3)(code))
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(grid), embedded])
    outputs = {
        "score": keras.layers.Dense(1, name="s")(joined),
        "map": keras.layers.Conv2D(2, 1, name="m")(grid),
    }
    model = keras.Model([grid, code], outputs)
    grids = np.random.default_rng(1).normal(size=(5, 3, 2, 2)).astype(np.float32)
    codes = np.arange(5, dtype=np.int32)[:, None]
    frame = table(
        spark,
        [(i, g.tolist(), c.tolist()) for i, (g, c) in enumerate(zip(grids, codes, strict=True))],
        "id int, g array<array<array<double>>>, c array<int>",
    )
    stage = KerasTransformer(inputCols=["g", "c"], outputCols=["score", "map"], model=model)
    out = stage.transform(frame)
    expected = model.predict([grids, codes], verbose=0)
    assert out.schema["map"].dataType.simpleString() == "array<array<array<float>>>"
    np.testing.assert_allclose(found(out, "map"), expected["map"], atol=1e-5)
    np.testing.assert_allclose(found(out, "score"), expected["score"], atol=1e-5)


def test_text_goes_in_as_strings(spark: Any) -> None:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(5)
    words = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    words.adapt(["the owl sleeps", "the fox runs"])
    text = keras.Input((), dtype="string", name="text")
    # Flatten of Keras before 3.11 cannot do it: test_verification has what it says.
    flat = keras.layers.Reshape((-1,))(keras.layers.Embedding(20, 3)(words(text)))
    model = keras.Model(text, keras.layers.Dense(1)(flat))
    lines = ["the owl runs", "a fox", ""]
    frame = table(spark, list(enumerate(lines)), "id int, t string")
    out = KerasTransformer(inputCol="t", outputCol="y", model=model).transform(frame)
    np.testing.assert_allclose(found(out), model(tf.constant(lines)).numpy(), atol=1e-6)


def test_own_layers_are_loaded_by_name(numbers: Any, tmp_path: Path) -> None:
    import keras

    class Doubled(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2

    keras.Sequential([keras.Input((4,)), Doubled()]).save(tmp_path / "own.keras")
    given = {"inputCol": "x", "outputCol": "y", "modelFile": tmp_path / "own.keras"}
    out = KerasTransformer(**given, custom_objects={"Doubled": Doubled}).transform(numbers)
    np.testing.assert_allclose(found(out), 2 * X)
    with pytest.raises(InvalidModelException, match="Doubled"):
        KerasTransformer(**given).transform(numbers)


def test_pickled_code_in_a_file_runs_only_with_consent(numbers: Any, tmp_path: Path) -> None:
    import keras

    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1)]).save(
        tmp_path / "code.keras"
    )
    given = {"inputCol": "x", "outputCol": "y", "modelFile": tmp_path / "code.keras"}
    with pytest.raises(InvalidModelException, match="safe_mode=False"):
        KerasTransformer(**given).transform(numbers)
    out = KerasTransformer(**given, safe_mode=False).transform(numbers)
    np.testing.assert_allclose(found(out), X + 1)


def test_a_model_and_a_file_together_are_refused(mlp: Any) -> None:
    with pytest.raises(SettingsException, match="model and modelFile are both set"):
        KerasTransformer(model=mlp, modelFile="/m")


def graph_of_two() -> Any:
    """Return a TF1-style graph and session: total = x . w + scope/b, product = x * 2."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        with v1.name_scope("scope"):
            b = v1.placeholder(tf.float64, [None], name="b")
        w = v1.get_variable("w", initializer=tf.constant([1.0, 2.0, 3.0, 4.0]), use_resource=True)
        tf.add(tf.linalg.matvec(x, w), tf.cast(b, tf.float32), name="total")
        tf.multiply(x, 2.0, name="product")
        sess = v1.Session(graph=graph)
        sess.run(v1.global_variables_initializer())
    return graph, sess


def test_a_graph_with_variables_from_its_session(spark: Any) -> None:
    graph, sess = graph_of_two()
    gin = TFInputGraph.fromGraph(graph, sess, ["x", "scope/b:0"], ["total", "product:0"])
    rows = [(i, x.tolist(), float(i)) for i, x in enumerate(X)]
    frame = table(spark, rows, "id int, x array<float>, b double")
    stage = TFTransformer(
        tfInputGraph=gin,
        inputMapping={"x": "x:0", "b": "scope/b"},
        outputMapping={"total": "t", "product:0": "p"},
    )
    out = stage.transform(frame)
    assert out.columns == ["id", "x", "b", "p", "t"]
    feeds = {"x:0": X, "scope/b:0": np.arange(9.0)}
    expected = sess.run(["total:0", "product:0"], feeds)
    np.testing.assert_allclose(found(out, "t"), expected[0], rtol=1e-6)
    np.testing.assert_allclose(found(out, "p"), expected[1], rtol=1e-6)


def test_a_signature_is_used_by_its_keys_or_by_its_tensors(
    numbers: Any, spark: Any, tmp_path: Path
) -> None:
    import tensorflow as tf

    class Scorer(tf.Module):
        def __init__(self) -> None:
            self.w = tf.Variable([1.0, 2.0, 3.0, 4.0])

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "features")])
        def score(self, features: Any) -> dict[str, Any]:
            return {"score": tf.linalg.matvec(features, self.w)}

    scorer = Scorer()
    folder = str(tmp_path / "saved")
    tf.saved_model.save(scorer, folder, signatures=scorer.score)
    gin = TFInputGraph.fromSavedModelWithSignature(folder, "serve", "serving_default")
    expected = X @ np.array([1, 2, 3, 4], np.float32)
    by_key = {"inputMapping": {"x": "features"}, "outputMapping": {"score": "y"}}
    by_tensor = {
        "inputMapping": gin.translateInputMapping({"x": "features"}),
        "outputMapping": gin.translateOutputMapping({"score": "y"}),
    }
    for graph, mapping in ((gin, by_key), (gin, by_tensor), (folder, by_key)):
        stage = TFTransformer(tfInputGraph=graph, **mapping)
        np.testing.assert_allclose(found(stage.transform(numbers)), expected, rtol=1e-5)
    TFTransformer(tfInputGraph=gin, **by_tensor).save(str(tmp_path / "stage"))
    loaded = TFTransformer.load(str(tmp_path / "stage"))
    np.testing.assert_allclose(found(loaded.transform(numbers)), expected, rtol=1e-5)
    wrong = TFTransformer(tfInputGraph=gin, inputMapping={"x": "feature"}, outputMapping={"y": "z"})
    with pytest.raises(SparkDLException, match="features"):
        wrong.transform(numbers)


def test_a_function_is_a_graph(numbers: Any) -> None:
    import tensorflow as tf

    spec = {"v": ("float32", [None, 4])}
    gin = TFInputGraph.fromFunction(lambda v: {"norm": tf.norm(v, axis=1)}, inputs=spec)
    stage = TFTransformer(tfInputGraph=gin, inputMapping={"x": "v"}, outputMapping={"norm": "y"})
    np.testing.assert_allclose(
        found(stage.transform(numbers)), np.linalg.norm(X, axis=1), rtol=1e-6
    )


def test_rows_of_another_length_are_kept_with_the_reason(mlp: Any, spark: Any) -> None:
    frame = table(spark, [(0, [1.0] * 4), (1, [1.0] * 3), (2, [2.0] * 4)], "id int, x array<float>")
    stage = KerasTransformer(
        inputCol="x", outputCol="y", model=mlp, handleInvalid="keep", errorCol="why"
    )
    rows = stage.transform(frame).orderBy("id").collect()
    assert [r.y is None for r in rows] == [False, True, False]
    assert rows[1].why == "expected 4 elements in dimension 1, got 3"


def test_a_keras_model_stands_before_a_classifier_in_a_saved_pipeline(
    mlp: Any, numbers: Any, tmp_path: Path
) -> None:
    stage = KerasTransformer(inputCol="x", outputCol="features", model=mlp, outputMode="vector")
    labelled = numbers.selectExpr("*", "cast(id % 2 as double) AS label")
    model = Pipeline(stages=[stage, LogisticRegression(maxIter=3)]).fit(labelled)
    model.save(str(tmp_path / "p"))
    loaded = PipelineModel.load(str(tmp_path / "p"))
    expected = found(model.transform(labelled), "prediction")
    np.testing.assert_array_equal(found(loaded.transform(labelled), "prediction"), expected)


def test_wrong_names_and_graphs_are_refused_when_they_are_set() -> None:
    with pytest.raises(SparkDLException, match="Cannot take a graph from a int"):
        TFTransformer(tfInputGraph=3)
    with pytest.raises(SparkDLException, match="Expected names as a dict"):
        TFTransformer(inputMapping=["x"])
