"""Models as SQL functions: numbers as in Keras, wherever a function may stand, run once per row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyspark
import pytest
from stage_bundles import encoded, png

import sparkdl
from sparkdl import registerKerasImageUDF, registerKerasUDF
from sparkdl.errors import SchemaMismatchException, SettingsException
from sparkdl.image import ImageSchema

HEIGHT, WIDTH = 6, 4


@pytest.fixture(scope="module")
def network(spark: Any) -> Any:
    """A model of images with an output [3, 2]."""
    import keras

    keras.utils.set_random_seed(7)
    return keras.Sequential(
        [
            keras.Input((HEIGHT, WIDTH, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(6),
            keras.layers.Reshape((3, 2)),
        ]
    )


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Eight images uint8 RGB of the size that the model takes."""
    return np.random.default_rng(3).integers(0, 256, (8, HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture(scope="module")
def images(spark: Any, pixels: np.ndarray) -> Any:
    """Rows of (id, image), as the temporary view `images`, in one partition."""
    structs = [ImageSchema.toImage(np.ascontiguousarray(p[..., ::-1])) for p in pixels]
    schema = f"id int, image {ImageSchema.columnSchema.simpleString()}"
    frame = spark.createDataFrame(list(enumerate(structs)), schema).coalesce(1)
    frame.createOrReplaceTempView("images")
    return frame


@pytest.fixture
def counted(tmp_path: Path) -> tuple[Callable[[str], np.ndarray], Callable[[], int]]:
    """A preprocessor that halves the pixels, and how often it has been called since."""
    log = str(tmp_path / "calls")

    def halved(path: str) -> Any:
        import numpy
        from PIL import Image

        with open(log, "a") as file:
            file.write("x")
        return numpy.asarray(Image.open(path).convert("RGB")).astype("float32") / 2

    def calls() -> int:
        made = Path(log).read_text() if Path(log).exists() else ""
        Path(log).unlink(missing_ok=True)
        return len(made)

    return halved, calls


def expected(network: Any, pixels: np.ndarray) -> np.ndarray:
    out: np.ndarray = network.predict(pixels.astype("float32"), verbose=0)
    return out.reshape(len(pixels), -1)


def found(frame: Any) -> np.ndarray:
    return np.array([r[-1] for r in frame.collect()])


def rows_run(frame: Any) -> int:
    """Return the rows that went through models in a query that has run, by their metrics."""
    nodes, rows = [frame._jdf.queryExecution().executedPlan()], 0
    while nodes:
        node = nodes.pop()
        if node.nodeName() == "AdaptiveSparkPlan":
            nodes.append(node.executedPlan())
            continue
        if node.nodeName().startswith("EvalModel"):
            rows += node.metrics().apply("rows").value()
        stage = node.nodeName().endswith("QueryStage")
        children = node.plan() if stage else node.children()
        nodes += [children] if stage else [children.apply(i) for i in range(children.size())]
    return int(rows)


def test_images_give_what_keras_gives_flattened(
    spark: Any, network: Any, images: Any, pixels: np.ndarray
) -> None:
    model = registerKerasImageUDF("scores", network)
    got = found(spark.sql("SELECT id, scores(image) FROM images ORDER BY id"))
    np.testing.assert_allclose(got, expected(network, pixels), rtol=1e-5, atol=1e-4)
    assert images.selectExpr("scores(image) AS s").dtypes == [("s", "array<float>")]
    assert model.inputs[0].dtype == "uint8"


def test_a_file_of_keras_and_encoded_bytes(spark: Any, network: Any, tmp_path: Path) -> None:
    network.save(tmp_path / "network.keras")
    registerKerasImageUDF("scores", str(tmp_path / "network.keras"), preprocessing="tf")
    frame = encoded(spark, png(250, 0, 10), None)
    got = [r[0] for r in frame.selectExpr("scores(content)").collect()]
    colour = np.full((1, HEIGHT, WIDTH, 3), [250, 0, 10], "float32") / 127.5 - 1
    np.testing.assert_allclose(got[0], expected(network, colour)[0], rtol=1e-5, atol=1e-5)
    assert got[1] is None


def test_a_bundle_is_taken_as_it_is(spark: Any, network: Any, images: Any, tmp_path: Path) -> None:
    bundle = sparkdl.save_bundle(network, tmp_path / "bundle", image=True)
    model = registerKerasImageUDF("scores", bundle)
    assert model.name == "bundle"
    with pytest.raises(
        SettingsException, match="is a bundle, whose graph already has its preprocessing"
    ):
        registerKerasImageUDF("scores", bundle, preprocessing="tf")


def test_a_model_of_any_size_gets_images_at_their_own(spark: Any, tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(3)
    conv, pool = keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()
    network = keras.Sequential([keras.Input((None, None, 3)), conv, pool])
    frame = encoded(spark, png(200, 3, 90, 5, 7), png(1, 30, 9, 16, 12), png(7, 7, 7, 5, 7))
    (tmp_path / "a.png").write_bytes(png(9, 80, 0, 8, 9))

    def whole(path: str) -> Any:
        import numpy
        from PIL import Image

        return numpy.asarray(Image.open(path))

    colours = [(200, 3, 90), (1, 30, 9), (7, 7, 7)]
    want = [expected(network, np.full((1, 6, 6, 3), c, "float32"))[0] for c in colours]
    by_path = expected(network, np.full((1, 6, 6, 3), (9, 80, 0), "float32"))
    for function in (None, whole):
        registerKerasImageUDF("any_size", network, function)
        got = found(frame.selectExpr("any_size(content)"))
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
        paths = spark.createDataFrame([((tmp_path / "a.png").as_uri(),)], "path string")
        path_result = found(paths.selectExpr("any_size(path)"))
        np.testing.assert_allclose(path_result, by_path, rtol=1e-4, atol=1e-3)
    sized = registerKerasImageUDF("sized", network, image={"height": 4, "width": 4})
    assert sized.inputs[0].shape == (None, 4, 4, 3)


def test_images_that_cannot_be_decoded_fail_or_give_null(spark: Any, network: Any) -> None:
    frame = encoded(spark, png(1, 2, 3), b"no picture")
    registerKerasImageUDF("scores", network, handle_invalid="keep")
    assert [r[0] is None for r in frame.selectExpr("scores(content)").collect()] == [False, True]
    registerKerasImageUDF("scores", network)
    with pytest.raises(ValueError, match="the bytes are text"):
        frame.selectExpr("scores(content)").collect()


def test_a_preprocessor_is_part_of_the_function(
    spark: Any, network: Any, images: Any, pixels: np.ndarray, counted: Any
) -> None:
    halved, calls = counted
    registerKerasImageUDF("halves", network, halved)
    got = found(spark.sql("SELECT halves(image) FROM images"))
    want = expected(network, pixels.astype("float32") / 2)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)
    assert calls() == len(pixels)
    frame = encoded(spark, png(250, 0, 10, HEIGHT, WIDTH), None)
    of_bytes = [r[0] for r in frame.selectExpr("halves(content)").collect()]
    colour = np.full((1, HEIGHT, WIDTH, 3), [125, 0, 5], "float32")
    np.testing.assert_allclose(of_bytes[0], expected(network, colour)[0], rtol=1e-5, atol=1e-4)
    assert of_bytes[1] is None


QUERIES = {
    "SELECT": "SELECT halves(image) FROM images",
    "WHERE": "SELECT id FROM images WHERE halves(image)[0] > -1e9",
    "both": "SELECT id, halves(image)[1] FROM images WHERE halves(image)[0] > -1e9",
    "with another filter": (
        "SELECT halves(image) FROM images WHERE halves(image)[0] > -1e9 AND id >= 0"
    ),
    "GROUP BY": "SELECT halves(image)[0] > 0, count(*) FROM images GROUP BY halves(image)[0] > 0",
    "WHERE and GROUP BY": (
        "SELECT halves(image)[0], count(*) FROM images WHERE halves(image)[1] > -1e9 "
        "GROUP BY halves(image)[0]"
    ),
    "aggregate": "SELECT max(halves(image)[0]), min(halves(image)[1]) FROM images",
    "ORDER BY": "SELECT id, halves(image)[0] FROM images ORDER BY halves(image)[0] LIMIT 3",
    "subquery": "SELECT s[0] FROM (SELECT halves(image) AS s FROM images) WHERE s[1] > -1e9",
    "CTE": "WITH c AS (SELECT halves(image) AS s FROM images) SELECT s FROM c WHERE s[0] > -1e9",
    "CASE": "SELECT CASE WHEN halves(image)[0] > 0 THEN 'a' ELSE 'b' END FROM images",
    "view": "SELECT s[0], s[1] FROM seen WHERE s[0] > -1e9",
}


@pytest.mark.parametrize("place", QUERIES)
def test_model_and_preprocessor_run_once_per_row(
    spark: Any, network: Any, images: Any, pixels: np.ndarray, counted: Any, place: str
) -> None:
    halved, calls = counted
    registerKerasImageUDF("halves", network, halved)
    images.createOrReplaceTempView("images")
    spark.sql("CREATE OR REPLACE TEMP VIEW seen AS SELECT halves(image) AS s FROM images")
    frame = spark.sql(QUERIES[place])
    assert frame.collect()
    assert calls() == len(pixels)
    assert rows_run(frame) == len(pixels)


def test_a_function_in_a_stream(spark: Any, network: Any, tmp_path: Path, counted: Any) -> None:
    halved, calls = counted
    registerKerasImageUDF("halves", network, halved)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(png(250, 0, 10, HEIGHT, WIDTH))
    schema = "path string, modificationTime timestamp, length long, content binary"
    files = spark.readStream.format("binaryFile").schema(schema).load(str(tmp_path / "in"))
    scored = files.selectExpr("halves(content) AS s").where("s[0] > -1e9")
    query = scored.writeStream.format("memory").queryName("halves_stream").start()
    try:
        query.processAllAvailable()
    finally:
        query.stop()
    colour = np.full((1, HEIGHT, WIDTH, 3), [125, 0, 5], "float32")
    got = found(spark.table("halves_stream"))
    np.testing.assert_allclose(got, expected(network, colour), rtol=1e-5, atol=1e-4)
    assert calls() == 1


BROKEN: dict[str, tuple[Callable[[str], Any], str]] = {
    "an exception": (
        lambda path: np.zeros((HEIGHT, WIDTH, 3)) if path == "" else 1 / 0,
        r"failed on .*: ZeroDivisionError: division by zero",
    ),
    "another type": (
        lambda path: [1, 2],
        r"TypeError: it must return a numpy array \[6, 4, 3\], got list",
    ),
    "another shape": (
        lambda path: np.zeros((3, 4, 3)),
        r"ValueError: it must return a numpy array \[6, 4, 3\], got \[3, 4, 3\]",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_failing_preprocessor_fails_with_its_reason_or_gives_null(
    spark: Any, network: Any, images: Any, kind: str
) -> None:
    from pyspark.errors import PythonException

    function, message = BROKEN[kind]
    registerKerasImageUDF("broken", network, function)
    with pytest.raises(PythonException, match=message) as e:
        images.selectExpr("broken(image)").collect()
    assert "handle_invalid='keep'" in str(e.value)
    registerKerasImageUDF("broken", network, function, handle_invalid="keep")
    assert {r[0] for r in images.selectExpr("broken(image)").collect()} == {None}


def test_a_preprocessor_sees_a_picture_that_is_gone_afterwards(
    spark: Any, network: Any, images: Any, tmp_path: Path
) -> None:
    log = str(tmp_path / "paths")

    def look(path: str) -> Any:
        import numpy
        from PIL import Image

        with open(log, "a") as file:
            file.write(path + "\n")
        return numpy.asarray(Image.open(path))[None]  # with a batch, as many examples have it

    registerKerasImageUDF("looks", network, look)
    assert images.limit(2).selectExpr("looks(image)").count() == 2
    images.limit(2).selectExpr("looks(image)").collect()
    seen = Path(log).read_text().split()
    assert len(seen) == 2
    assert all(p.endswith(".png") and not Path(p).parent.exists() for p in seen)


def test_arguments_that_exclude_each_other_are_refused(
    network: Any, spark: Any, tmp_path: Path
) -> None:
    import keras

    with pytest.raises(SettingsException, match="preprocessing= and image= have no effect"):
        registerKerasImageUDF("f", network, lambda path: path, preprocessing="tf")
    flat = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(1)])
    with pytest.raises(SchemaMismatchException, match=r"needs a model with one input .* has x: "):
        registerKerasImageUDF("f", flat, lambda path: path)
    with pytest.raises(SchemaMismatchException, match="takes no images: expected a bundle"):
        registerKerasImageUDF("f", sparkdl.save_bundle(flat, tmp_path / "flat"))


def test_tensors_of_several_inputs_and_outputs(spark: Any) -> None:
    import keras

    keras.utils.set_random_seed(2)
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    joined = keras.layers.Concatenate()([a, b])
    outputs = {"one": keras.layers.Dense(1)(joined), "two": keras.layers.Dense(2)(joined)}
    network = keras.Model({"a": a, "b": b}, outputs)
    registerKerasUDF("both", network, fields={"b": "other"})
    rows = [(i, [float(i), 1.0, 2.0], [3.0, float(-i)]) for i in range(5)]
    frame = spark.createDataFrame(rows, "id int, a array<float>, other array<float>")
    frame.createOrReplaceTempView("rows_of_two")
    given = {"a": np.array([r[1] for r in rows]), "b": np.array([r[2] for r in rows])}
    want = network.predict(given, verbose=0)
    for call in ("both(struct(*))", "both(a, other)"):
        got = spark.sql(f"SELECT o.* FROM (SELECT {call} AS o FROM rows_of_two)").collect()
        np.testing.assert_allclose([r.one for r in got], want["one"], rtol=1e-5)
        np.testing.assert_allclose([r.two for r in got], want["two"], rtol=1e-5)
    with pytest.raises(SchemaMismatchException, match="lacks 'other' .for input b: float32"):
        spark.sql("SELECT both(struct(a)) FROM rows_of_two")
    described = "\n".join(r[0] for r in spark.sql("DESCRIBE FUNCTION EXTENDED both").collect())
    assert "both(a: float32 [?, 3], b: float32 [?, 2])" in described
    assert "two: float32 [?, 2]" in described
    assert any(r[0].endswith("both") for r in spark.sql("SHOW USER FUNCTIONS").collect())


def test_a_function_of_plain_python_counts_as_the_same_above_and_below_a_filter(
    spark: Any, tmp_path: Path
) -> None:
    from pyspark.sql.functions import udf

    log = str(tmp_path / "calls")

    def doubled(x: float) -> float:
        with open(log, "a") as file:
            file.write("x")
        return 2 * x

    spark.udf.register("doubled", udf(doubled, "double"))
    registerKerasUDF("plus", lambda x: x + 1.0, inputs={"x": ("float64", [None])})
    spark.range(6).coalesce(1).createOrReplaceTempView("six")
    query = "SELECT plus(doubled(id + 0d)) FROM six WHERE plus(doubled(id + 0d)) > 4"
    frame = spark.sql(query)
    assert [r[0] for r in frame.collect()] == [5.0, 7.0, 9.0, 11.0]
    assert len(Path(log).read_text()) == 6
    assert rows_run(frame) == 6


@pytest.mark.skipif(pyspark.__version__ < "4", reason="Spark 3 has no scripts")
def test_a_variable_of_a_script_has_a_model_in_its_default(spark: Any, tmp_path: Path) -> None:
    bundle = sparkdl.save_bundle(lambda x: x * 2, tmp_path / "b", inputs={"x": ("float32", [None])})
    sparkdl.load_model(bundle).register("doubled")
    spark.conf.set("spark.sql.scripting.enabled", True)  # Spark 4.0 runs scripts only if told to
    try:
        script = "BEGIN DECLARE a FLOAT DEFAULT doubled(1F); SELECT a; END"
        assert spark.sql(script).first() == (2.0,)
    finally:
        spark.conf.unset("spark.sql.scripting.enabled")


@pytest.mark.skipif(pyspark.__version__ < "4", reason="Spark 3 has no variables")
def test_a_variable_has_a_model_in_its_default_and_rows_of_values_say_why_not(
    spark: Any, tmp_path: Path
) -> None:
    bundle = sparkdl.save_bundle(lambda x: x * 2, tmp_path / "b", inputs={"x": ("float32", [None])})
    sparkdl.load_model(bundle).register("doubled")
    spark.sql("DECLARE OR REPLACE VARIABLE start FLOAT DEFAULT doubled(4F) + 1")
    assert spark.sql("SELECT start, doubled(start) AS y").first() == (9.0, 18.0)
    with pytest.raises(Exception, match="Cannot evaluate the expression"):
        spark.sql("VALUES (doubled(1F))")
    assert (
        "doubled(CAST(id AS FLOAT))"
        in spark.range(1).selectExpr("doubled(cast(id AS float))").columns
    )
