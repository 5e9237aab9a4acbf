"""`sparkdl.show`: the first rows of a DataFrame, with its images as pictures."""

from __future__ import annotations

import base64
import io
import sys
from typing import TYPE_CHECKING, Any

from sparkdl._notebook import Html, html_table
from sparkdl.errors import InvalidInputException, SettingsException
from sparkdl.plot.figures import as_pixels

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row
    from pyspark.sql.types import DataType

_LETTERS = 80  # of a value


def show(df: DataFrame, rows: int = 10, *, height: int = 96) -> None:
    """Show the first rows of a DataFrame; in a notebook, images are pictures.

    Input: columns of any type. Images are Spark's image structs, and bytes of JPEG, PNG, BMP, GIF,
    WebP or TIFF files. Elsewhere it prints a text, in which an image is its size. Cost: as
    `df.limit(rows).collect()`.

    Parameters
    ----------
    df : DataFrame
    rows : int
        How many rows, 1 or more.
    height : int
        Of a picture, in pixels.

    Raises
    ------
    SettingsException
        `rows` or `height` is less than 1.

    Examples
    --------
    >>> sparkdl.show(sparkdl.readImages("photos"))  # doctest: +SKIP
    """
    if rows < 1 or height < 1:
        raise SettingsException(f"show: expected 1 or more, got rows={rows} and height={height}.")
    view = FrameView(df, rows, height)
    interactive = sys.modules.get("IPython")
    if interactive is None or interactive.get_ipython() is None:
        print(view)
    else:
        interactive.display.display(view)


class FrameView:
    """The first rows of a DataFrame, as a text and as HTML."""

    def __init__(self, df: DataFrame, rows: int, height: int) -> None:
        self._fields = df.schema.fields
        self._rows = df.limit(rows).collect()
        self._height = height

    def _repr_html_(self) -> str:
        """Return a table with pictures."""
        kinds = [f.dataType for f in self._fields]
        cells = [[self._cell(*cell) for cell in zip(r, kinds, strict=True)] for r in self._rows]
        return html_table([f.name for f in self._fields], cells)

    def __repr__(self) -> str:
        """Return a line per value."""
        lines = []
        for number, row in enumerate(self._rows):
            lines.append(f"row {number}")
            for value, field in zip(row, self._fields, strict=True):
                lines.append(f"  {field.name}: {_text(value, field.dataType)}")
        return "\n".join(lines)

    def _cell(self, value: Any, kind: DataType) -> str:
        if value is not None and _is_image(kind):
            try:
                return Html(_picture(value, self._height))
            except InvalidInputException:
                pass  # bytes that are no image, or an image that could not be read
        return _text(value, kind)


def _is_image(kind: DataType) -> bool:
    names: list[str] = getattr(kind, "names", [])
    return kind.typeName() == "binary" or names[1:] == [
        "height",
        "width",
        "nChannels",
        "mode",
        "data",
    ]


def _text(value: Any, kind: DataType) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value)} bytes"
    if value is not None and _is_image(kind):
        return _size(value)
    text = str(value)
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}..."


def _size(image: Row) -> str:
    if image.height < 0:
        return "no image"
    return f"{image.height} x {image.width} x {image.nChannels}"


def _picture(value: Row | bytes | bytearray, height: int) -> str:
    if not isinstance(value, (bytes, bytearray)) and value.height < 0:
        raise InvalidInputException("The image could not be read.")
    from PIL import Image

    pixels = as_pixels(value)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.thumbnail((4 * height, height))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return f'<img src="data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"/>'
