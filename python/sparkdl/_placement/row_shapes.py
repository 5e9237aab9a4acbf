"""The shapes of the rows of all blocks: one for each column, or the largest where rows differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sparkdl._placement.training_columns import Field, Fields
from sparkdl.errors import InvalidInputException


def common_shapes(
    fields: Fields, blocks: Sequence[Sequence[Any]]
) -> tuple[Fields, tuple[tuple[int, ...], ...]]:
    """Return the fields, without padding where all rows are alike, and the shape of a row of each.

    `blocks` are the shapes of all blocks, see `Block.shapes`.

    Raises
    ------
    InvalidInputException
        Rows differ that must not.
    """
    found = [
        _common(field, shapes)
        for field, shapes in zip(fields.all(), zip(*blocks, strict=True), strict=True)
    ]
    inputs = len(fields.inputs)
    return replace(fields, inputs=tuple(f for f, _ in found[:inputs])), tuple(s for _, s in found)


def _common(field: Field, shapes: Sequence[Any]) -> tuple[Field, tuple[int, ...]]:
    if field.padding is None:
        first, second = min(shapes), max(shapes)
        if first != second:
            raise InvalidInputException(
                f"All rows of column '{field.name}' must have the same shape, got {first} and "
                f"{second}. Pad or crop them."
            )
        return field, tuple(first)
    least = [min(sizes) for sizes in zip(*(s["least"] for s in shapes), strict=True)]
    most = [max(sizes) for sizes in zip(*(s["most"] for s in shapes), strict=True)]
    return (replace(field, padding=None) if least == most else field), tuple(most)
