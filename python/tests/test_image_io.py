"""`sparkdl.image.imageIO`: structs, arrays and PIL images, and reading with a function."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyspark.ml.image import ImageSchema
from pyspark.sql.types import BinaryType, StringType

import sparkdl
from sparkdl.errors import SparkDLException
from sparkdl.image import imageIO

RNG = np.random.default_rng(1)


def pixels(channels: int = 3, height: int = 4, width: int = 6) -> Any:
    return RNG.integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_types_by_number_and_by_name() -> None:
    for name, number in (("CV_8UC1", 0), ("CV_32FC1", 5), ("CV_8UC3", 16), ("CV_32FC4", 29)):
        assert imageIO.imageTypeByName(name) is imageIO.imageTypeByOrdinal(number)
    assert imageIO.imageTypeByOrdinal(24) == ("CV_8UC4", 24, 4, "uint8")
    with pytest.raises(KeyError, match=r"Unknown type of image: 7. Expected one of CV_8UC1 \(0\)"):
        imageIO.imageTypeByOrdinal(7)
    with pytest.raises(KeyError, match="Unknown type of image: 'CV_8U'"):
        imageIO.imageTypeByName("CV_8U")


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_an_array_survives_the_way_into_a_struct_and_back(
    spark: Any, channels: int, dtype: str
) -> None:
    image = pixels(channels).astype(dtype)
    struct = imageIO.imageArrayToStruct(image, "here")
    assert (struct.origin, struct.height, struct.width) == ("here", 4, 6)
    np.testing.assert_array_equal(imageIO.imageStructToArray(struct), image)
    assert imageIO.imageArrayToStruct(image[None], "here") == struct
    frame = spark.createDataFrame([(struct,)], ImageSchema.imageSchema)
    found = imageIO.imageStructToArray(frame.first()[0])
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, image)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected one image, got a batch of shape"):
        imageIO.imageArrayToStruct(np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(AssertionError, match=r"got shape \(4, 4\). A grey image has one channel"):
        imageIO.imageArrayToStruct(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="holds uint8 or float32, got an array of float64"):
        imageIO.imageArrayToStruct(np.zeros((4, 4, 3)))
    with pytest.raises(KeyError, match="1, 3 or 4 channels, got shape"):
        imageIO.imageArrayToStruct(np.zeros((4, 4, 2), np.uint8))
    row = imageIO.imageArrayToStruct(pixels(), "x").asDict()
    with pytest.raises(ValueError, match="'x' could not be decoded"):
        imageIO.imageStructToArray(_row({**row, "mode": -1}))
    with pytest.raises(ValueError, match="should have 72 bytes of data, got 71"):
        imageIO.imageStructToArray(_row({**row, "data": row["data"][1:]}))


def _row(fields: dict[str, Any]) -> Any:
    from pyspark.sql import Row

    return Row(**fields)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_pil_images_have_the_same_colours(channels: int, mode: str) -> None:
    image = pixels(channels)
    made = imageIO.imageStructToPIL(imageIO.imageArrayToStruct(image))
    assert (made.mode, made.size) == (mode, (6, 4))
    blue, green, red = (image[1, 2, min(c, channels - 1)] for c in range(3))
    expected = {1: image[1, 2, 0], 3: (red, green, blue), 4: (red, green, blue, image[1, 2, -1])}
    assert made.getpixel((2, 1)) == expected[channels]
    np.testing.assert_array_equal(imageIO.PIL_to_imageStruct(made), image)


def test_a_float_image_is_none_of_pil() -> None:
    struct = imageIO.imageArrayToStruct(pixels().astype(np.float32))
    with pytest.raises(ValueError, match=r"PIL takes images of uint8, got CV_32FC3"):
        imageIO.imageStructToPIL(struct)


def test_palettes_and_the_like_are_converted() -> None:
    photo = Image.fromarray(pixels())
    for mode, channels in (("P", 3), ("CMYK", 3), ("1", 1), ("LA", 4), ("YCbCr", 3)):
        found = imageIO.PIL_to_imageStruct(
            photo.convert("L" if mode == "LA" else "RGB").convert(mode)
        )
        assert found.shape == (4, 6, channels), mode
        assert found.dtype == np.uint8


def test_channels_are_reversed_and_alpha_and_grey_stay() -> None:
    import tensorflow as tf

    image = pixels(4)
    for given in (image, tf.constant(image)):
        fix = imageIO.fixColorChannelOrdering
        np.testing.assert_array_equal(fix("RGB", given), image[..., [2, 1, 0, 3]])
        np.testing.assert_array_equal(fix("RGB", given[..., :3]), image[..., [2, 1, 0]])
        np.testing.assert_array_equal(fix("RGB", given[..., :1]), image[..., :1])
        np.testing.assert_array_equal(fix("RGB", given[..., 0]), image[..., 0])
        np.testing.assert_array_equal(fix("BGR", given), image)
        np.testing.assert_array_equal(fix("L", given[..., :1]), image[..., :1])
        with pytest.raises(ValueError, match="order L has 1 channel, got 4"):
            fix("L", given)
        with pytest.raises(ValueError, match="Unknown channel order 'GBR'. Expected RGB, BGR or L"):
            fix("GBR", given)


def test_resizing_keeps_orientation_origin_and_the_pixels_of_the_same_size() -> None:
    resize = imageIO.createResizeImageUDF((4, 6)).func
    same = imageIO.imageArrayToStruct(pixels(), "o")
    assert resize(same) is same
    turned = imageIO.imageArrayToStruct(pixels(3, 6, 4), "o")
    found = resize(turned)
    assert (found.height, found.width, found.origin) == (4, 6, "o"), "h x w are not w x h"
    for channels in (1, 3, 4):
        image = pixels(channels, 8, 12)
        if channels == 4:
            image[..., 3] = 255
        found = imageIO.imageStructToArray(resize(imageIO.imageArrayToStruct(image)))
        pil = Image.fromarray(image[..., 0] if channels == 1 else image)
        expected = np.asarray(pil.resize((6, 4), Image.Resampling.BILINEAR)).reshape(4, 6, -1)
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match=r"Expected a size \(height, width\), got \[1, 2, 3\]"):
        imageIO.createResizeImageUDF([1, 2, 3])


def test_resizing_a_column_gives_null_for_what_is_no_image(spark: Any, tmp_path: Path) -> None:
    struct = imageIO.imageArrayToStruct(pixels(), "o")
    broken = _row({**struct.asDict(), "mode": -1, "height": -1, "width": -1, "nChannels": -1})
    frame = spark.createDataFrame([(struct,), (None,), (broken,)], ImageSchema.imageSchema)
    made = frame.coalesce(1).select(imageIO.createResizeImageUDF([2, 3])("image").alias("image"))
    assert made.schema["image"].dataType == ImageSchema.columnSchema
    found = [r.image for r in made.collect()]
    assert (found[0].height, found[0].width) == (2, 3)
    assert found[1:] == [None, None]


def test_decoding_gives_bgr_and_turns_what_the_camera_turned() -> None:
    image = pixels()
    png = encoded(Image.fromarray(image[..., ::-1]))
    np.testing.assert_array_equal(imageIO.PIL_decode(png), image)
    small = imageIO.PIL_decode_and_resize((3, 2))(png)
    assert small.shape == (2, 3, 3), "the size is width and height"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    turned = encoded(Image.fromarray(image[..., ::-1]), exif=exif)
    np.testing.assert_array_equal(imageIO.PIL_decode(turned), np.rot90(image, -1))
    grey = encoded(Image.fromarray(image[..., 0]))
    np.testing.assert_array_equal(imageIO.PIL_decode(grey), image[..., :1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(encoded(Image.fromarray(pixels())))
    (tmp_path / "text.png").write_bytes(b"no image")
    return tmp_path


def test_files_become_rows_of_path_and_content(spark: Any, folder: Path) -> None:
    frame = imageIO.filesToDF(spark.sparkContext, str(folder), 3)
    assert frame.rdd.getNumPartitions() == 3
    assert [(f.name, f.dataType, f.nullable) for f in frame.schema] == [
        ("filePath", StringType(), False),
        ("fileData", BinaryType(), False),
    ]
    found = {Path(r.filePath).name: bytes(r.fileData) for r in frame.collect()}
    assert found == {f.name: f.read_bytes() for f in folder.iterdir()}
    default = imageIO.filesToDF(spark.sparkContext, str(folder))
    assert default.rdd.getNumPartitions() == spark.sparkContext.defaultParallelism


def test_images_are_read_with_a_function_and_failures_are_null(spark: Any, folder: Path) -> None:
    frame = imageIO.readImagesWithCustomFn(str(folder), imageIO.PIL_decode, 2)
    in_jvm = sparkdl.readImages(str(folder))
    assert frame.schema == in_jvm.schema
    rows = frame.collect()
    images = [r.image for r in rows]
    [reason] = [r.error for r in rows if r.image is None]
    assert reason.startswith("UnidentifiedImageError: cannot identify")
    assert sum(r.error is None for r in rows) == len(rows) - 1
    read = {r.image.origin: r.image for r in in_jvm.collect()}
    for image in filter(None, images):
        expected = next(v for k, v in read.items() if Path(k).name == Path(image.origin).name)
        assert (image.data, image.mode) == (expected.data, expected.mode)


def test_a_function_may_give_none_or_a_wrong_array(spark: Any, folder: Path) -> None:
    def decode(content: bytes) -> Any:
        return None if content.startswith(b"no") else np.zeros((2, 2))

    rows = imageIO.readImagesWithCustomFn(str(folder), decode).collect()
    assert [r.image for r in rows] == [None] * 4
    assert {r.error[:20] for r in rows} == {"decode_f returned No", "WrongStateException:"}


def test_what_both_readers_give_fits_together(spark: Any, folder: Path) -> None:
    own = imageIO.readImagesWithCustomFn(str(folder), imageIO.PIL_decode)
    both = sparkdl.readImages(str(folder)).unionAll(own)
    assert both.columns == ["image", "error"]
    assert both.where("error IS NULL").count() == 6


def test_errors_are_those_of_sparkdl() -> None:
    with pytest.raises(SparkDLException):
        imageIO.imageTypeByOrdinal(-3)
