"""How labels become what a loss takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparkdl._placement.training_labels import targets
from sparkdl.errors import InvalidInputException

SPARSE, ONE_HOT = "sparse_categorical_crossentropy", "categorical_crossentropy"
CLASSES, HOT = np.array([2.0, 0.0]), np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


@pytest.mark.parametrize("labels", [CLASSES, CLASSES[:, None], HOT])
def test_categorical_losses_take_classes_and_one_hot_vectors(labels: Any) -> None:
    sparse = targets(labels, SPARSE, (3,))
    assert sparse.dtype == "int32"
    assert sparse.tolist() == [2, 0]
    hot = targets(labels, ONE_HOT, (3,))
    assert hot.dtype == "float32"
    assert hot.tolist() == HOT.tolist()


def test_other_losses_take_the_numbers_as_they_are() -> None:
    assert targets(np.array([0.5, -1]), "mse", (1,)).tolist() == [0.5, -1]
    assert targets(HOT, "binary_crossentropy", (3,)).tolist() == HOT.tolist()
    assert targets(np.arange(12.0).reshape(1, 12), "mae", (2, 3, 2)).shape == (1, 2, 3, 2)


def test_labels_of_places_take_the_shape_of_the_output() -> None:
    assert targets(np.array([[0.0, 1, 2, 1]]), SPARSE, (2, 2, 3)).shape == (1, 2, 2)
    assert targets(np.array([[0.0, 1, 2, 1]]), ONE_HOT, (2, 2, 3)).shape == (1, 2, 2, 3)


def test_losses_are_known_by_objects_and_configurations_too() -> None:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy()
    for form in (loss, keras.losses.serialize(loss), keras.losses.sparse_categorical_crossentropy):
        assert targets(HOT, form, (3,)).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("labels", "loss", "output", "message"),
    [
        (np.array([0.0, 3]), SPARSE, (3,), "Label 3 is not a class of the model.*0 to 2 .1 of 2"),
        (np.array([-1.0]), ONE_HOT, (3,), "Label -1 is not a class"),
        (np.array([0.5]), SPARSE, (3,), "Label 0.5 is not a class"),
        (HOT, SPARSE, (4,), "has 4 classes, a label has 3 numbers"),
        (HOT * 0.5, SPARSE, (3,), "2 labels are not one-hot"),
        (HOT, ONE_HOT, (4,), r"returns 4 number.s. per row .shape \[4\]., a label has 3"),
        (CLASSES, "mse", (3,), "every output needs its number"),
        (HOT, "binary_crossentropy", (1,), "returns 1 number.s. per row"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    labels: Any, loss: str, output: Any, message: str
) -> None:
    with pytest.raises(InvalidInputException, match=message):
        targets(labels, loss, output)
