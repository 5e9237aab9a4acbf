"""`ImageSchema` under the name that sparkdl and Spark have always used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparkdl.image.read_images import readImages

if TYPE_CHECKING:
    import numpy.typing as npt
    from pyspark.sql.types import Row, StructType


class _ImageSchema:
    """Reading images, and what `pyspark.ml.image.ImageSchema` knows about image structs.

    Examples
    --------
    >>> ImageSchema.readImages("/data/flowers")  # doctest: +SKIP
    >>> ImageSchema.toNDArray(row.image).shape  # doctest: +SKIP
    (333, 500, 3)
    """

    readImages = staticmethod(readImages)

    @property
    def imageSchema(self) -> StructType:
        """Type of a DataFrame with one column `image`."""
        schema: StructType = _spark().imageSchema
        return schema

    @property
    def columnSchema(self) -> StructType:
        """Type of an image column."""
        schema: StructType = _spark().columnSchema
        return schema

    @property
    def imageFields(self) -> list[str]:
        """Names of an image's fields."""
        return list(_spark().imageFields)

    @property
    def ocvTypes(self) -> dict[str, int]:
        """OpenCV's types: from name to the number in `mode`."""
        return dict(_spark().ocvTypes)

    @property
    def undefinedImageType(self) -> str:
        """Name of the type of an image that could not be read."""
        return str(_spark().undefinedImageType)

    def toNDArray(self, image: Row) -> Any:
        """Return the pixels of an image as a numpy array ``[height, width, nChannels]``, BGR."""
        return _spark().toNDArray(image)

    def toImage(self, array: npt.NDArray[Any], origin: str = "") -> Row:
        """Return the image struct of a numpy array ``[height, width, nChannels]``, uint8, BGR."""
        image: Row = _spark().toImage(array, origin)
        return image


def _spark() -> Any:
    # At first use: pyspark.ml takes a second to import.
    from pyspark.ml.image import ImageSchema as spark_schema

    return spark_schema


ImageSchema = _ImageSchema()
