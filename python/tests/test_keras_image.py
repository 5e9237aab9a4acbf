"""KerasImageFileTransformer against Keras on the same weights and pixels."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_rows import Array, as_array, outputs, picture, rgb, write_png
from pyspark.ml import Pipeline, PipelineModel

import sparkdl
from sparkdl import KerasImageFileTransformer
from sparkdl.errors import (
    InvalidInputException,
    SchemaMismatchException,
    SettingsException,
    SparkDLException,
)
from sparkdl.param.saved_function import CONSENT, SavedFunction, text_of
from sparkdl.transformers import _image_loading

pytestmark = pytest.mark.usefixtures("spark")


def assert_close(found: list[Array], wanted: Array) -> None:
    np.testing.assert_allclose(np.stack(found), wanted, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def network() -> Any:
    """A convolution and a dense layer, for images of 8 x 6 pixels."""
    import keras

    keras.utils.set_random_seed(2)
    layers = [keras.Input((8, 6, 3)), keras.layers.Conv2D(3, 3), keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(4)])


@pytest.fixture(scope="module")
def mirror() -> Any:
    """A model that gives back its images, of any size."""
    import keras

    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.layers.Identity()(inputs))


def uris(spark: Any, *texts: str | None) -> Any:
    rows = list(enumerate(texts))
    return spark.createDataFrame(rows, "id int, uri string").coalesce(1)


def stage(model: Any, **params: Any) -> KerasImageFileTransformer:
    return KerasImageFileTransformer(inputCol="uri", outputCol="out", model=model, **params)


def test_files_of_the_models_size_give_what_keras_gives(
    spark: Any, network: Any, tmp_path: Path
) -> None:
    images = [picture(8, 6, c, seed) for seed, c in enumerate([3, 3, 1, 4, 3])]
    frame = uris(spark, *(write_png(tmp_path, f"{i}.png", p) for i, p in enumerate(images)))
    wanted = np.asarray(network(np.stack([rgb(i) for i in images])))
    assert_close(outputs(stage(network).transform(frame)), wanted)
    network.save(tmp_path / "m.keras")
    from_file = KerasImageFileTransformer(
        inputCol="uri", outputCol="out", modelFile=tmp_path / "m.keras"
    )
    assert_close(outputs(from_file.transform(frame)), wanted)


@pytest.mark.parametrize("mode", ["tf", "caffe", "torch"])
def test_preprocessing_is_that_of_keras_bit_for_bit(
    spark: Any, mirror: Any, tmp_path: Path, mode: str
) -> None:
    from keras.applications import imagenet_utils

    values = np.arange(256, dtype=np.uint8)
    image = np.stack([values, np.roll(values, 85), np.roll(values, 170)], -1).reshape(16, 16, 3)
    wanted = imagenet_utils.preprocess_input(
        image.astype(np.float32), data_format="channels_last", mode=mode
    )
    made = stage(mirror, preprocessing=mode)
    frame = uris(spark, write_png(tmp_path, "all.png", image))
    found = outputs(made.transform(frame))[0].astype(np.float32).reshape(16, 16, 3)
    np.testing.assert_array_equal(found, wanted)
    by_loader = made.setImageLoader(lambda uri: image.astype(np.float32))
    found = outputs(by_loader.transform(frame))[0].astype(np.float32).reshape(16, 16, 3)
    np.testing.assert_array_equal(found, wanted)


def test_files_are_resized_to_target_size_or_keep_theirs(
    spark: Any, mirror: Any, tmp_path: Path
) -> None:
    import tensorflow as tf

    image = picture(20, 30)
    frame = uris(spark, write_png(tmp_path, "a.png", image))
    found = outputs(stage(mirror, targetSize=(10, 6)).transform(frame))[0].reshape(10, 6, 3)
    wanted = tf.image.resize(image, (10, 6), method="area").numpy()
    np.testing.assert_allclose(found, wanted, atol=1)
    own = outputs(stage(mirror).transform(frame))[0]
    np.testing.assert_array_equal(own, image.ravel())
    with pytest.raises(SparkDLException, match="targetSize must be height and width"):
        stage(mirror, targetSize=(0, 5))


def test_an_image_comes_out_in_bgr_order(spark: Any, mirror: Any, tmp_path: Path) -> None:
    image = picture(5, 4)
    frame = uris(spark, write_png(tmp_path, "a.png", image))
    made = stage(mirror, outputMode="image").transform(frame).head().out
    assert made.mode == 21
    np.testing.assert_array_equal(as_array(made), image[:, :, ::-1])


def test_a_missing_file_is_an_invalid_row(spark: Any, network: Any, tmp_path: Path) -> None:
    good = write_png(tmp_path, "a.png", picture(8, 6))
    frame = uris(spark, good, "/no/such.png", None, good)
    with pytest.raises(InvalidInputException, match="there is no file '/no/such.png'"):
        stage(network).transform(frame).collect()
    kept = stage(network, handleInvalid="keep", errorCol="why").transform(frame).collect()
    assert [r.out is None for r in kept] == [False, True, True, False]
    assert kept[1].why == "there is no file '/no/such.png'"
    assert "is null" in kept[2].why


def test_a_loader_gives_the_images_and_keras_the_same_numbers(
    spark: Any, network: Any, tmp_path: Path
) -> None:
    def load(uri: str) -> Any:
        from PIL import Image

        pixels = np.asarray(Image.open(uri).convert("RGB").resize((6, 8)), np.float64)
        return pixels[None] / 127.5 - 1

    files = [write_png(tmp_path, f"{i}.png", picture(20 + i, 9, seed=i)) for i in range(5)]
    wanted = np.asarray(network(np.concatenate([load(f) for f in files]).astype(np.float32)))
    made = stage(network, imageLoader=load).transform(uris(spark, *files))
    assert made.columns == ["id", "uri", "out"]
    assert_close(outputs(made), wanted)


def test_what_a_loader_may_return(spark: Any, mirror: Any) -> None:
    def load(uri: str) -> Any:
        image = np.arange(2 * 3 * 4).reshape(2, 3, 4)
        return {
            "uint8": image[:, :, :3].astype("uint8"),
            "batch of one": image[None, :, :, :3].astype("float16"),
            "alpha": image.astype(">f8"),
            "grey": image[:, :, :1].astype("uint8"),
        }[uri]

    names = ["uint8", "batch of one", "alpha", "grey"]
    found = outputs(stage(mirror, imageLoader=load).transform(uris(spark, *names)))
    for name, values in zip(names, found, strict=True):
        np.testing.assert_array_equal(values, rgb(load(name).reshape(2, 3, -1)).ravel(), name)


def test_a_loader_takes_a_column_of_any_type(spark: Any, mirror: Any) -> None:
    def load(value: Any) -> Any:
        return np.full((2, 2, 3), value["shade"], "uint8")

    rows = spark.range(2).selectExpr("named_struct('shade', id + 7) AS uri").coalesce(1)
    found = outputs(stage(mirror, imageLoader=load).transform(rows))
    assert [np.unique(f).tolist() for f in found] == [[7], [8]]


def test_a_failing_loader_is_an_invalid_row_with_its_reason(spark: Any, network: Any) -> None:
    def load(uri: str) -> Any:
        results = {
            "fine": np.zeros((8, 6, 3), np.uint8),
            "none": None,
            "flat": np.zeros(144, np.uint8),
            "two": np.zeros((2, 8, 6, 3), np.uint8),
            "whole": np.zeros((8, 6, 3), np.int64),
            "large": np.zeros((9, 6, 3), np.float32),
        }
        return results[uri]

    names = ["fine", "none", "flat", "two", "whole", "large", "raises", None, "fine"]
    frame = uris(spark, *names)
    made = stage(network, imageLoader=load, errorCol="why")
    kept = made.setHandleInvalid("keep").transform(frame).collect()
    assert [r.uri for r in kept] == names
    assert [r.out is None for r in kept] == [False, *[True] * 7, False]
    assert kept[1].why.startswith("ValueError: expected an array [1, height, width, channels]")
    assert kept[1].why.endswith("got no array (imageLoader on 'none')")
    assert "got [144] (" in kept[2].why
    assert "got [2, 8, 6, 3]" in kept[3].why
    assert kept[4].why.startswith("TypeError: expected uint8 or float pixels, got int64")
    assert kept[5].why.startswith("the image has float pixels, which are not resized")
    assert kept[6].why == "KeyError: 'raises' (imageLoader on 'raises')"
    assert "is null" in kept[7].why
    assert made.setHandleInvalid("skip").transform(frame).count() == 2
    with pytest.raises(
        InvalidInputException, match=r"(?s)Cannot feed 'raises'.*KeyError: 'raises'"
    ):
        made.setHandleInvalid("error").transform(frame.where("uri = 'raises'")).collect()


def test_a_loader_is_called_once_per_row_that_is_needed(
    spark: Any, network: Any, tmp_path: Path
) -> None:
    folder = str(tmp_path)

    def load(uri: str) -> Any:
        (Path(folder) / uuid.uuid4().hex).touch()
        return np.zeros((8, 6, 3), np.uint8)

    def calls() -> int:
        found = list(tmp_path.iterdir())
        for f in found:
            f.unlink()
        return len(found)

    frame = uris(spark, *map(str, range(10)))
    made = stage(network, imageLoader=load, handleInvalid="keep", errorCol="why").transform(frame)
    made.collect()
    assert calls() == 10
    made.where("id < 3 AND why IS NULL").select("out", "why").collect()
    assert calls() == 3
    made.select("id").collect()
    assert calls() == 0


def test_images_leave_a_worker_in_batches_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_image_loading, "_BATCH_BYTES", 100)
    load = lambda uri: np.zeros((4, 4, 3), np.uint8)  # noqa: E731
    made = list(_image_loading._in_batches(iter(["a", None, "b", "c", "d", "e", "f"]), load))
    assert [len(a) for a in made] == [4, 3]
    assert made[0][1].as_py() == {"image": None, "reason": None}


def test_what_is_wrong_is_said_before_a_loader_runs(spark: Any, network: Any) -> None:
    def load(uri: str) -> Any:
        raise AssertionError("ran")

    made = stage(network, imageLoader=load)
    frame = uris(spark, "a")
    with pytest.raises(SchemaMismatchException, match="there is no column 'nope'"):
        made.copy({made.inputCol: "nope"}).transform(frame)
    with pytest.raises(
        SchemaMismatchException, match=r"expected string \(paths or URIs\), got int"
    ):
        stage(network).setInputCol("id").transform(frame)
    with pytest.raises(SchemaMismatchException, match="has a column 'uri' already"):
        made.copy({made.outputCol: "uri"}).transform(frame)
    with pytest.raises(TypeError, match="Expected a function"):
        made.setImageLoader(3)  # type: ignore[arg-type]


def test_load_images_internal_is_that_of_1x(spark: Any, network: Any) -> None:
    def load(uri: str) -> Any:
        return np.full((2, 2, 3), [1, 2, int(uri)], np.uint8)

    frame = uris(spark, "3", "x")
    made = stage(network, imageLoader=load).loadImagesInternal(frame, "uri")
    assert made.columns == ["id", "uri", "__sdl_img"]
    first, second = (r["__sdl_img"] for r in made.collect())
    assert (first.origin, first.mode, bytes(first.data[:3])) == ("3", 16, bytes([3, 2, 1]))
    assert second is None
    with pytest.raises(SettingsException, match="imageLoader is not set"):
        stage(network).loadImagesInternal(frame, "uri")


def test_a_cleared_loader_leaves_the_files_to_the_jvm(
    spark: Any, network: Any, tmp_path: Path
) -> None:
    image = picture(8, 6)
    frame = uris(spark, write_png(tmp_path, "a.png", image))
    made = stage(network, imageLoader=lambda uri: np.zeros((8, 6, 3), np.uint8))
    made.transform(frame).collect()
    made.clear(made.imageLoader)
    assert_close(outputs(made.transform(frame)), np.asarray(network(rgb(image)[None])))


@pytest.fixture
def consent(spark: Any) -> Iterator[None]:
    spark.conf.set(CONSENT, "true")
    yield
    spark.conf.unset(CONSENT)


def saved_pipeline(network: Any, frame: Any, loader: Any, path: Path) -> str:
    pipeline = Pipeline(stages=[stage(network, imageLoader=loader)]).fit(frame)
    pipeline.write().overwrite().save(str(path))
    return str(path)


def numbers(spark: Any, tmp_path: Path) -> tuple[Any, Array]:
    pixels = picture(8, 6).astype(np.float32)
    np.save(tmp_path / "a.npy", pixels)
    return uris(spark, str(tmp_path / "a.npy")), pixels


def test_a_loader_that_can_be_imported_is_saved_by_its_address(
    spark: Any, network: Any, tmp_path: Path, consent: None
) -> None:
    assert text_of(np.load) == "import:numpy:load"
    frame, pixels = numbers(spark, tmp_path)
    path = saved_pipeline(network, frame, np.load, tmp_path / "p")
    loaded = PipelineModel.load(path)
    wanted = np.asarray(network(pixels[None]))
    assert_close(outputs(loaded.transform(frame)), wanted)
    again = KerasImageFileTransformer.load(f"{path}/stages/0_{loaded.stages[0].uid}")
    assert_close(outputs(again.transform(frame)), wanted)


def test_a_loader_that_cannot_be_imported_is_saved_as_a_pickle(
    spark: Any, network: Any, tmp_path: Path, consent: None
) -> None:
    frame, pixels = numbers(spark, tmp_path)
    half = 0.5
    path = saved_pipeline(network, frame, lambda uri: np.load(uri) * half, tmp_path / "p")
    loaded = PipelineModel.load(path)
    assert loaded.stages[0].getImageLoader().text.startswith("pickle:")
    assert_close(outputs(loaded.transform(frame)), np.asarray(network(pixels[None] * half)))


def test_without_consent_a_saved_loader_is_not_loaded(
    spark: Any, network: Any, tmp_path: Path
) -> None:
    frame, pixels = numbers(spark, tmp_path)
    loaded = PipelineModel.load(saved_pipeline(network, frame, np.load, tmp_path / "p"))
    loader = loaded.stages[0].getImageLoader()
    assert isinstance(loader, SavedFunction)
    for use in (lambda: loaded.transform(frame), lambda: loader("a")):
        with pytest.raises(SettingsException, match=r"setImageLoader\(f\).*" + CONSENT):
            use()
    loaded.write().overwrite().save(str(tmp_path / "again"))  # what was not loaded is kept
    again = PipelineModel.load(str(tmp_path / "again")).stages[0]
    assert again.getImageLoader() == loader
    again.setImageLoader(lambda uri: np.load(uri))
    assert_close(outputs(again.transform(frame)), np.asarray(network(pixels[None])))


def test_a_loader_that_is_not_there_says_so(spark: Any, network: Any, consent: None) -> None:
    made = stage(network).setImageLoader("import:no_such_module:load")  # type: ignore[arg-type]
    with pytest.raises(SparkDLException, match="ModuleNotFoundError: No module named 'no_such"):
        made.transform(uris(spark, "a"))
    spark.conf.set(CONSENT, "perhaps")
    with pytest.raises(SettingsException, match="'perhaps': expected 'true' or 'false'"):
        made.transform(uris(spark, "a"))


def test_scala_refuses_a_stage_with_a_loader(spark: Any, network: Any, tmp_path: Path) -> None:
    frame, _ = numbers(spark, tmp_path)
    made = stage(network, imageLoader=np.load)
    made.write().save(str(tmp_path / "s"))
    scala = spark._jvm.org.sparkdl.ml.KerasImageFileTransformer.load(str(tmp_path / "s"))
    with pytest.raises(SparkDLException, match=r"import:numpy:load\), which the JVM cannot call"):
        scala.transform(frame._jdf)


def test_a_function_that_cannot_be_pickled_says_so(network: Any) -> None:
    import threading

    lock = threading.Lock()
    made = stage(network, imageLoader=lambda uri: lock)
    with pytest.raises(SparkDLException, match="cannot be sent to executors or saved: TypeError"):
        made.copy()


def test_the_stage_is_where_1x_had_it() -> None:
    from sparkdl.transformers.keras_image import KerasImageFileTransformer as Moved

    assert Moved is sparkdl.KerasImageFileTransformer
