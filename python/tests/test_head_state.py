"""The head's training; one that is interrupted goes on with the same curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digit_rows import estimator, network

from sparkdl.estimators._classifier.feature_table import FeatureTable

ROWS, CLASSES = 200, 4


@pytest.fixture(scope="module")
def table() -> FeatureTable:
    random = np.random.default_rng(0)
    features = random.normal(size=(ROWS, 12)).astype("float32")
    labels = np.argmax(features[:, :CLASSES] + random.normal(size=(ROWS, CLASSES)), axis=1)
    held_out = np.arange(ROWS) % 4 == 0
    return FeatureTable([features], labels.astype("int32"), ["a", "b", "c", "d"], held_out)


def trained(classifier: Any, table: FeatureTable, folder: Path, stop: int | None = None) -> Any:
    """Return weights and history of a training, or None if it was interrupted after an epoch."""
    import keras

    from sparkdl.estimators._classifier import head as head_module
    from sparkdl.estimators._classifier.head_state import state_folder
    from sparkdl.training._driver.checkpoints import Checkpoints

    def interrupt(epoch: int, _: Any) -> None:
        if epoch == stop:
            raise KeyboardInterrupt

    classifier = classifier.copy().setParams(checkpointDir=folder)
    states = Checkpoints(state_folder(classifier, table, "head", None))
    with pytest.MonkeyPatch.context() as patch:
        callback = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
        patch.setattr(head_module, "callbacks", lambda *_: [callback])
        try:
            head, history, _ = head_module.train_head(classifier, table, states)
        except KeyboardInterrupt:
            return None
    return head.get_weights(), history


def test_early_stopping_and_the_curve_are_those_of_a_training_without_a_break(
    table: FeatureTable, tmp_path: Path
) -> None:
    classifier = estimator(epochs=40, earlyStoppingPatience=3, learningRate=0.02)
    weights, history = trained(classifier, table, tmp_path / "whole")
    epochs = len(history["loss"])
    assert 4 < epochs < 40
    for stop in (epochs - 3, epochs - 2, epochs - 1):  # while it waits, and when it has stopped
        folder = tmp_path / str(stop)
        assert trained(classifier, table, folder, stop) is None
        again, whole = trained(classifier, table, folder)
        assert whole == history
        for a, b in zip(again, weights, strict=True):
            np.testing.assert_array_equal(a, b)
        assert not list(folder.rglob("*.state"))


def test_without_validation_the_last_weights_are_kept(table: FeatureTable, tmp_path: Path) -> None:
    alone = FeatureTable(table.features, table.labels, table.classes, np.zeros(ROWS, bool))
    classifier = estimator(epochs=4, optimizer="sgd")
    weights, history = trained(classifier, alone, tmp_path / "whole")
    assert trained(classifier, alone, tmp_path / "c", 1) is None
    again, whole = trained(classifier, alone, tmp_path / "c")
    assert whole == history
    np.testing.assert_array_equal(again[0], weights[0])


def test_classes_without_rows_to_train_on_are_warned_of(
    table: FeatureTable, tmp_path: Path
) -> None:
    held_out = table.held_out | (table.labels == 2)
    few = FeatureTable(table.features, table.labels, table.classes, held_out)
    with pytest.warns(UserWarning, match=r"1 class\(es\) have no rows to train on, .*: c\. Choose"):
        trained(estimator(epochs=1), few, tmp_path)


def test_a_loss_that_is_not_a_number_is_warned_of(table: FeatureTable, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no longer a number. A smaller learningRate may help"):
        trained(estimator(epochs=2, learningRate=1e30), table, tmp_path)


def test_a_damaged_state_is_skipped(table: FeatureTable, tmp_path: Path) -> None:
    classifier = estimator(epochs=5)
    _, history = trained(classifier, table, tmp_path / "whole")
    assert trained(classifier, table, tmp_path / "c", 3) is None
    newest = max((tmp_path / "c").rglob("*.state"))
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="Checkpoint epoch-000004.* is skipped: .* damaged"):
        assert trained(classifier, table, tmp_path / "c")[1] == history


def test_another_training_does_not_resume_from_a_state(table: FeatureTable, tmp_path: Path) -> None:
    import keras

    from sparkdl.estimators._classifier.head_state import state_folder

    def place(
        part: str = "head", rows: FeatureTable = table, own: Any = None, **params: Any
    ) -> str:
        return state_folder(estimator(**{"checkpointDir": tmp_path, **params}), rows, part, own)

    first = place()
    assert first.startswith(f"{tmp_path}/head/")
    other = FeatureTable(table.features, table.labels, table.classes, ~table.held_out)
    changes: list[dict[str, Any]] = [{"headUnits": 16}, {"seed": 1}, {"learningRate": 0.1}]
    for changed in (*changes, {"rows": other}, {"own": network()}):
        assert place(**changed) != first
    for same in ({"epochs": 99}, {"verbose": 1}, {"unfreezeFrom": "x"}):
        assert place(**same) == first
    assert place("network", unfreezeFrom="x") != place("network", unfreezeFrom="y")
    live = place(optimizer=keras.optimizers.Adam(0.01))
    assert live == place(optimizer=keras.optimizers.Adam(0.01))
