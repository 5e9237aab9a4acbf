"""Models as SQL functions: numbers as in Keras, wherever a function may stand, run once per row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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
    with pytest.raises(SettingsException, match="is a bundle, whose graph has its preprocessing"):
        registerKerasImageUDF("scores", bundle, preprocessing="tf")


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
    "with another filter": "SELECT halves(image) FROM images WHERE halves(image)[0] > -1e9 AND id >= 0",
    "GROUP BY": "SELECT halves(image)[0] > 0, count(*) FROM images GROUP BY halves(image)[0] > 0",
    "WHERE and GROUP BY": (
        "SELECT halves(image)[0], count(*) FROM images WHERE halves(image)[1] > -1e9 "
        "GROUP BY halves(image)[0]"
    ),
    "aggregate": "SELECT max(halves(image)[0]), min(halves(image)[1]) FROM images",
    "ORDER BY": "SELECT id, halves(image)[0] FROM images ORDER BY halves(image)[0] LIMIT 3",
    "subquery": "SELECT s[0] FROM (SELECT halves(image) AS s FROM images) WHERE s[1] > -1e9",
    "CTE": "WITH c AS (SELECT id, halves(image) AS s FROM images) SELECT s FROM c WHERE s[0] > -1e9",
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
