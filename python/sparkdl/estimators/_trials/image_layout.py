"""The arrays that trials are trained on, according to the accounts of all partitions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sparkdl._placement.placement import TRAINING, VALIDATION, Layout
from sparkdl._placement.training_columns import Field, Fields
from sparkdl.errors import InvalidInputException
from sparkdl.estimators._trials.image_blocks import REASONS, ImageAccount


@dataclass(frozen=True)
class TrainingImages:
    """The images that are sent to every trial, and those that are left out.

    Attributes
    ----------
    layout : Layout
        Of an input (uint8, or float32 if any pixel needs it) and labels (float64) if there are any.
    rejected : int
    reasons : tuple of str
        Why, for the first of them.
    """

    layout: Layout
    rejected: int = 0
    reasons: tuple[str, ...] = ()


def images_in(accounts: Iterable[ImageAccount], policy: str) -> TrainingImages:
    """Return what the trials are trained on.

    Raises
    ------
    InvalidInputException
        No row is left, one cannot be used and the policy is "error", or images or labels are not
        of one shape.
    """
    parts = sorted(accounts, key=lambda a: a.partition)
    rejected = sum(p.rejected for p in parts)
    reasons = tuple(r for p in parts for r in p.reasons)[:REASONS]
    if rejected and policy == "error":
        raise InvalidInputException(
            f"Cannot train on {reasons[0]}. Mend the file or the loader, or set handleInvalid to "
            "'skip' to train on the others."
        )
    if not any(p.rows for p in parts):
        why = f" {rejected} were rejected: " + "; ".join(reasons) if rejected else ""
        raise InvalidInputException(
            f"Cannot extract any feature: there is no image to train on.{why or ' No rows came.'}"
        )
    return TrainingImages(_layout(parts), rejected, reasons)


def _layout(parts: list[ImageAccount]) -> Layout:
    image = _only_shape("images", [p.images for p in parts])
    dtype = "float32" if any(p.floats for p in parts) else "uint8"
    labelled = any(p.labels for p in parts)
    shapes = (image, *([_only_shape("labels", [p.labels for p in parts])] if labelled else []))
    labels = tuple(Field("label", "float64", shape) for shape in shapes[1:])
    starts, rows = {}, 0
    for part in parts:
        starts[part.partition] = (rows, 0)
        rows += part.rows
    return Layout(
        fields=Fields((Field("image", dtype, image),), labels, None),
        shapes=shapes,
        rows={TRAINING: rows, VALIDATION: 0},
        starts=starts,
        fraction=None,
        digest=0,
        digests=None,
    )


def _only_shape(what: str, parts: list[dict[tuple[int, ...], str]]) -> tuple[int, ...]:
    """Return the only shape there is; raise if there are several, naming two."""
    examples: dict[tuple[int, ...], str] = {}
    for part in parts:
        for shape, uri in part.items():
            examples.setdefault(shape, uri)
    if len(examples) > 1:
        shapes = [f"{list(s)} ({uri!r})" for s, uri in list(examples.items())[:2]]
        mend = " Set targetSize, or let the loader resize them." if what == "images" else ""
        raise InvalidInputException(
            f"All {what} must have one shape, got {' and '.join(shapes)}.{mend}"
        )
    return next(iter(examples))
