"""readImages from Python, and the pixels against TensorFlow in Python."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import sparkdl
from sparkdl.errors import SparkDLException
from sparkdl.image import ImageSchema, readImages

Image = pytest.importorskip("PIL.Image")


def picture(height: int, width: int, seed: int = 1) -> np.ndarray:
    """Return smooth gradients with a little noise, as in photos."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / (9 + c) + seed) * np.cos(y / (13 - c)) for c in range(3)]
    noise = random.integers(-12, 12, (height, width, 3))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("images")
    for i in range(6):
        pixels = picture(30 + i, 40, i)
        (root / f"{i}.jpg").write_bytes(encoded(pixels, "JPEG", progressive=i % 2 == 0))
        (root / f"{i}.png").write_bytes(encoded(pixels, "PNG"))
    (root / "grey.jpg").write_bytes(encoded(picture(20, 20)[..., 0], "JPEG"))
    (root / "colours.bmp").write_bytes(encoded(picture(20, 21), "BMP"))
    (root / "text.jpg").write_bytes(b"not a picture")
    (root / "below").mkdir()
    (root / "below" / "deep.png").write_bytes(encoded(picture(5, 5), "PNG"))
    return root


def test_a_folder_of_folders_gets_a_hint(
    spark: object, folder: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "_hidden.txt").write_text("no image")
    (tmp_path / "cats").symlink_to(folder)
    with pytest.warns(
        UserWarning, match=r"reads nothing from '.*', which has folders but no files.*True"
    ):
        assert readImages(tmp_path).count() == 0
    recwarn.clear()
    assert readImages(tmp_path, recursive=True).count() == 16
    readImages(folder)
    assert not recwarn.list


def test_decoded_pixels_equal_tensorflows_bit_for_bit(spark: object, folder: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    rows = readImages(str(folder)).where("error is null").collect()
    assert len(rows) == 14
    for row in rows:
        path = row.image.origin.removeprefix("file:")
        expected = tf.io.decode_image(Path(path).read_bytes(), expand_animations=False).numpy()
        ours = ImageSchema.toNDArray(row.image)
        # tf.io.decode_image takes libjpeg's fast DCT; decode_jpeg is what sparkdl runs.
        if path.endswith("jpg"):
            expected = tf.io.decode_jpeg(Path(path).read_bytes()).numpy()
        np.testing.assert_array_equal(ours, expected[..., ::-1], err_msg=path)


def resized(spark: object, content: bytes, size: tuple[int, int], hint: str) -> np.ndarray:
    ours = spark._jvm.org.sparkdl
    target = ours.image.ImageTarget(size[0], size[1], "RGB", hint)
    runtime = ours.runtime.NativeRuntime("", 0)
    answer = ours.image.ImageDecoder.decodeTo(runtime, content, target, 1 << 40)
    assert answer.isRight(), answer
    return np.frombuffer(answer.toOption().get(), np.uint8).reshape(*size, 3)


@pytest.mark.parametrize(
    ("hint", "method", "antialias"),
    [
        ("SCALE_AREA_AVERAGING", "area", False),
        ("SCALE_SMOOTH", "bilinear", True),
        ("SCALE_DEFAULT", "bilinear", False),
        ("SCALE_FAST", "bilinear", False),
        ("SCALE_REPLICATE", "nearest", False),
    ],
)
@pytest.mark.parametrize("shape", [(375, 500), (100, 90), (900, 1400)])
def test_resized_pixels_equal_tf_image_resize(
    spark: object, hint: str, method: str, antialias: bool, shape: tuple[int, int]
) -> None:
    tf = pytest.importorskip("tensorflow")
    content = encoded(picture(*shape), "JPEG", quality=92)
    averages = hint in ("SCALE_AREA_AVERAGING", "SCALE_SMOOTH")
    ratio = 2 if averages and min(shape) >= 2 * 2 * 224 else 1
    decoded = tf.io.decode_jpeg(content, channels=3, ratio=ratio)
    floats = tf.image.resize(decoded, (224, 224), method=method, antialias=antialias)
    expected = tf.cast(tf.clip_by_value(tf.round(tf.cast(floats, tf.float32)), 0, 255), tf.int32)
    difference = np.abs(resized(spark, content, (224, 224), hint) - expected.numpy())
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.99


def test_a_file_that_is_no_image_keeps_its_origin_and_has_a_reason(
    spark: object, folder: Path
) -> None:
    (row,) = readImages([folder / "text.jpg"]).collect()
    assert row.image.origin.endswith("/text.jpg")
    assert (row.image.height, row.image.width, row.image.nChannels, row.image.mode) == (-1,) * 4
    assert bytes(row.image.data) == b""
    assert row.error == "the bytes are text; supported are JPEG, PNG, BMP, GIF, WebP and TIFF"


def test_params_mean_what_they_say(spark: object, folder: Path) -> None:
    assert readImages(folder).count() == 15
    assert readImages(folder, recursive=True).count() == 16
    assert readImages(folder, dropImageFailures=True).count() == 14
    assert readImages(folder, numPartitions=3).rdd.getNumPartitions() == 3
    assert readImages(str(folder / "*.png")).count() == 6
    half = [r.image.origin for r in readImages(folder, sampleRatio=0.5, seed=5).collect()]
    again = [r.image.origin for r in readImages(folder, sampleRatio=0.5, seed=5).collect()]
    assert 0 < len(half) < 15
    assert half == again
    assert readImages(folder, sampleRatio=0.5, seed=2**40 + 1).count() < 15


def test_wrong_params_are_named(spark: object, folder: Path) -> None:
    with pytest.raises(SparkDLException, match="sampleRatio must be between 0 and 1, got 2.0."):
        readImages(folder, sampleRatio=2)
    with pytest.raises(SparkDLException, match="numPartitions must be at least 1"):
        readImages(folder, numPartitions=0)
    with pytest.raises(SparkDLException, match="at least one path"):
        readImages([])


def test_the_old_names_are_there(spark: object) -> None:
    assert sparkdl.readImages is readImages
    assert ImageSchema.readImages is readImages
    assert ImageSchema.imageFields == ["origin", "height", "width", "nChannels", "mode", "data"]
    assert ImageSchema.ocvTypes["CV_8UC3"] == 16
    assert ImageSchema.undefinedImageType == "Undefined"
    array = picture(3, 4)
    np.testing.assert_array_equal(ImageSchema.toNDArray(ImageSchema.toImage(array)), array)


def test_equals_sparks_schema(spark: object, folder: Path) -> None:
    assert readImages(folder).schema["image"].dataType == ImageSchema.columnSchema
