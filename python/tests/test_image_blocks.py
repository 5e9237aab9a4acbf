"""Images on their way to the trials: blocks of rows, and the arrays that trials make of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sparkdl._placement.blocks import Block
from sparkdl._placement.local_arrays import arrays_of
from sparkdl._placement.placement import TRAINING
from sparkdl.errors import InvalidInputException
from sparkdl.estimators._trials.image_blocks import DATA, ImageAccount, ImageRules, _pack
from sparkdl.estimators._trials.image_layout import images_in
from sparkdl.estimators._trials.trial_task import _receive

FLOATS, BYTES = 21, 16  # modes of image structs with three channels


def row(name: str, pixels: Any, label: Any = 0.0) -> Any:
    """Return a row as Spark gives it, of an image as its bytes are in an image struct."""
    height, width, channels = pixels.shape
    return SimpleNamespace(
        uri=name,
        data=pixels.tobytes(),
        height=height,
        width=width,
        nChannels=channels,
        mode=FLOATS if pixels.dtype == np.float32 else BYTES,
        reason=None,
        label=label,
    )


def packed(partitions: list[list[Any]], labelled: bool = True) -> tuple[list[Block], list[Any]]:
    """Return the blocks and the accounts of partitions of rows."""
    rules = ImageRules(reverse=False, labelled=labelled, stop=False)
    pairs = [p for i, rows in enumerate(partitions) for p in _pack(ImageAccount(i), rows, rules)]
    return [x for k, x in pairs if k == DATA], [x for k, x in pairs if k != DATA]


def received(partitions: list[list[Any]], folder: Path, labelled: bool = True) -> list[Any]:
    """Return the arrays of a trial whose blocks arrive in the wrong order."""
    blocks, accounts = packed(partitions, labelled)
    images = images_in(accounts, "skip")
    _receive(images.layout, reversed(blocks), folder)
    return arrays_of(folder, images.layout, TRAINING, images.layout.rows[TRAINING])


def test_whole_numbers_stay_bytes_and_rows_keep_their_order(tmp_path: Path) -> None:
    pixels = np.arange(4 * 12, dtype="float32").reshape(4, 2, 2, 3)
    rows = [row(str(i), p, float(i)) for i, p in enumerate(pixels)]
    images, labels = received([rows[:1], [], rows[1:]], tmp_path)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, pixels)
    np.testing.assert_array_equal(labels, [0, 1, 2, 3])


def test_bytes_are_widened_where_another_partition_has_fractions(tmp_path: Path) -> None:
    black, grey = np.zeros((2, 2, 3), "float32"), np.full((2, 2, 3), 0.5, "float32")
    blocks, _ = packed([[row("black", black)], [row("grey", grey)]])
    assert [b.dtypes for b in blocks] == ['["uint8", "float64"]', '["float32", "float64"]']
    images, _ = received([[row("black", black)], [row("grey", grey)]], tmp_path)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, [black, grey])


def test_without_labels_there_is_one_array(tmp_path: Path) -> None:
    pixels = np.ones((1, 1, 3), "uint8")
    assert len(received([[row("a", pixels, None)]], tmp_path, labelled=False)) == 1


def test_labels_of_several_numbers_keep_their_shape(tmp_path: Path) -> None:
    pixels = np.ones((1, 1, 3), "uint8")
    _, labels = received([[row("a", pixels, [0.0, 1.0]), row("b", pixels, [1.0, 0.0])]], tmp_path)
    np.testing.assert_array_equal(labels, [[0, 1], [1, 0]])


def test_two_shapes_in_a_partition_are_named_with_an_example_each() -> None:
    small, large = np.ones((1, 1, 3), "uint8"), np.ones((2, 1, 3), "uint8")
    _, accounts = packed([[row("small", small), row("large", large)]])
    with pytest.raises(InvalidInputException, match=r"\[1, 1, 3\] \('small'\) and \[2, 1, 3\]"):
        images_in(accounts, "error")
    _, accounts = packed([[row("one", small, 1.0), row("two", small, [1.0, 0.0])]])
    with pytest.raises(InvalidInputException, match=r"labels must have one shape.*'one'.*'two'"):
        images_in(accounts, "error")


def test_rows_that_do_not_arrive_are_missed(tmp_path: Path) -> None:
    pixels = np.ones((1, 1, 3), "uint8")
    blocks, accounts = packed([[row("a", pixels)], [row("b", pixels)]])
    with pytest.raises(RuntimeError, match="1 of 2 rows for training arrived"):
        _receive(images_in(accounts, "error").layout, blocks[:1], tmp_path)
