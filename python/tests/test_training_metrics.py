"""Metrics with several results: history, callbacks, states and pictures have all of them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_cases import SeveralErrors
from training_threads import spec_of, trained

from sparkdl import plot
from sparkdl.errors import SettingsException
from sparkdl.plot.metric_values import as_keras_logs, from_message, text_of, to_message
from sparkdl.training._estimator import training_converters

ROWS = 90


def metrics() -> list[Any]:
    import keras

    return [
        keras.metrics.Precision(thresholds=[0.3, 0.5, 0.6], name="p"),
        keras.metrics.F1Score(average=None, threshold=0.5),
        SeveralErrors(),
        "mae",
    ]


@pytest.fixture(scope="module")
def data() -> tuple[Any, Any]:
    draw = np.random.default_rng(4)
    return draw.normal(size=(ROWS, 3)).astype("float32"), draw.integers(0, 2, (ROWS, 2)) * 1.0


def network() -> Any:
    import keras

    keras.utils.set_random_seed(2)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "sigmoid")])


def spec(data: Any, folder: Path, **settings: Any) -> Any:
    usual = {"loss": "binary_crossentropy", "metrics": training_converters.metrics(metrics())}
    return spec_of(network(), *data, folder, batch=20, fraction=0.3, **{**usual, **settings})


@pytest.fixture(scope="module")
def expected(data: Any) -> dict[str, list[Any]]:
    """The history of Keras' own training."""
    from training_threads import SPLIT_SEED

    from sparkdl._placement.validation import Fraction

    chosen = Fraction(0.3, SPLIT_SEED).chosen(0, ROWS)
    rest = np.setdiff1d(np.arange(ROWS), chosen)
    x, y = data
    model = network()
    model.compile("sgd", "binary_crossentropy", metrics=metrics())
    held_out = x[chosen], y[chosen]
    fit_params = {"batch_size": 20, "epochs": 3, "shuffle": False, "verbose": 0}
    return dict(model.fit(x[rest], y[rest], validation_data=held_out, **fit_params).history)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_history_has_all_results_as_keras_has_them(
    workers: int, data: Any, expected: dict[str, list[Any]], tmp_path: Path
) -> None:
    _, history = trained(spec(data, tmp_path, epochs=3), data, workers, tmp_path / "w")
    assert set(history) == set(expected)
    assert {"p", "f1_score", "all_errors", "errors", "val_errors", "val_p"} < set(history)
    for name, values in expected.items():
        assert np.shape(history[name]) == np.shape(values), name
        np.testing.assert_allclose(history[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    assert isinstance(history["p"][0], list)


def test_callbacks_get_arrays_also_after_a_restart(
    data: Any, expected: dict[str, list[Any]], tmp_path: Path
) -> None:
    import keras

    logged: list[Any] = []

    def calls() -> list[Any]:
        return [
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: logged.append(logs["val_p"]),
                on_train_end=lambda logs: logged.append(logs["p"]),
            ),
            keras.callbacks.CSVLogger(str(tmp_path / "log.csv"), append=True),
            keras.callbacks.EarlyStopping("val_mae", patience=5),
        ]

    for epochs in (2, 3):  # the second one resumes
        _, history = trained(spec(data, tmp_path, epochs=epochs), data, 2, tmp_path / "w", calls())
    assert [type(t) for t in logged] == [np.ndarray] * 5
    assert logged[0].dtype == np.float32
    np.testing.assert_allclose(history["p"], expected["p"], rtol=1e-4)
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [len(row["p"].strip('"[]').split(", ")) for row in rows] == [3, 3, 3]


def test_a_callback_that_compares_epochs_by_several_numbers_is_refused_before_training(
    data: Any, tmp_path: Path
) -> None:
    import keras

    training = spec(data, tmp_path)
    for callback in (
        keras.callbacks.EarlyStopping("val_p", mode="max"),
        keras.callbacks.ReduceLROnPlateau("errors", mode="min"),
    ):
        with pytest.raises(SettingsException, match=r"watches '(val_p|errors)', which has [23] "):
            trained(training, data, 1, tmp_path / "w", [callback])
    saving = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "best.keras"), "p", save_best_only=True, mode="max"
    )
    with pytest.warns(UserWarning, match="Falling back to `save_best_only=False`"):
        trained(training, data, 1, tmp_path / "w", [saving])
    assert (tmp_path / "best.keras").is_file()


def test_tensor_board_has_a_curve_for_each_result(data: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    from sparkdl.training._driver.tensor_board import Board

    trained(spec(data, tmp_path), data, 1, tmp_path / "w", [Board(str(tmp_path / "board"), 0)])
    tags = {
        f"{file.parent.name}/{value.tag}"
        for file in (tmp_path / "board").rglob("events*")
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert {f"{p}/epoch_p[{i}]" for p in ("train", "validation") for i in range(3)} < tags
    assert "train/epoch_mae" in tags


def test_each_result_has_a_line_in_its_panel_and_not_more_than_ten() -> None:
    values = {"p": [[1, 2], [3, 4]], "val_p": [[5, 6], [7, 8]], "many": [list(range(30))] * 2}
    few, many = plot.history(values).axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in few.lines}
    assert drawn == {
        "training [0]": [1, 3],
        "training [1]": [2, 4],
        "validation [0]": [5, 7],
        "validation [1]": [6, 8],
    }
    assert few.lines[0].get_color() == few.lines[2].get_color() != few.lines[1].get_color()
    assert (len(many.lines), many.get_title()) == (10, "many (first 10 of 30)")


def test_a_line_for_people_names_each_number_and_shortens_many() -> None:
    logs = as_keras_logs({"loss": np.float32(0.5), "a": {"c": [[1, 2]], "b": np.ones(())}})
    assert list(logs) == ["b", "c", "loss"]
    assert text_of(logs) == "b 1, c[0][0] 1, c[0][1] 2, loss 0.5"
    assert text_of({"iou": np.zeros(21)}).endswith("iou[7] 0, ... (21 of iou)")


def test_messages_keep_the_kinds_of_numbers() -> None:
    logs = {"a": 0.25, "b": np.array([[1, 2]], "int32"), "c": np.array([0.1, np.nan], "float32")}
    restored = from_message(to_message(logs))
    assert restored["a"] == 0.25
    for name in ("b", "c"):
        np.testing.assert_array_equal(restored[name], logs[name])
        assert restored[name].dtype == logs[name].dtype


def test_trials_keep_all_results_of_metrics_that_layers_have() -> None:
    import keras

    from sparkdl._processes.progress import Reporter
    from sparkdl.estimators._trials.trial_process import Trial, _fit

    class Measured(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.seen = SeveralErrors("seen")

        def call(self, x: Any) -> Any:
            self.seen.update_state(x, x - 1.0)
            return x

    model = keras.Sequential([keras.Input((2,)), Measured(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    trial = Trial(0, "sgd", "mse", {"epochs": 2}, None, {})
    history = _fit(model, np.ones((6, 2)), np.ones((6, 1)), trial, Reporter(None, 0))
    assert history["errors"] == [[1.0, 1.0]] * 2
    assert history["all_errors"] == [1.0, 1.0]
