"""The loop of KerasEstimator's workers against plain Keras, with workers that are threads."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_threads import replace, spec_of, trained

from sparkdl.errors import SettingsException
from sparkdl.training._estimator.model_checks import activities_are_means, check_activities
from sparkdl.training._loop.training_spec import check_shares

CLASSES = "sparse_categorical_crossentropy"
ROWS = 410  # 13 batches of 32, the last of 26


@pytest.fixture(scope="module")
def data() -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(ROWS, 6)).astype("float32")
    return x, ((x[:, 0] + x[:, 1] > 0).astype("float64") + (x[:, 2] > 1))


def network(*layers: Any) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    ends = [keras.Input((6,))], [keras.layers.Dense(3, activation="softmax")]
    return keras.Sequential([*ends[0], *(layers or [dense()]), *ends[1]])


def dense() -> Any:
    import keras

    return keras.layers.Dense(16, activation="relu", kernel_regularizer="l2")


def plain(model: Any, data: Any, epochs: int = 4, **compiled: Any) -> dict[str, list[float]]:
    """Return the history of Keras' own training of a copy."""
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile(**{"loss": CLASSES, **compiled})
    x, y, *weights = data
    fit_params = {"sample_weight": weights[0]} if weights else {}
    fitted = copy.fit(x, y, batch_size=32, epochs=epochs, shuffle=False, verbose=0, **fit_params)
    return dict(fitted.history)


def optimizer(name: str) -> Any:
    import keras

    return {"sgd": keras.optimizers.SGD(0.1, momentum=0.9), "adam": keras.optimizers.Adam(0.01)}[
        name
    ]


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_52_steps_follow_keras_with_1_2_and_4_workers(name: str, data: Any, tmp_path: Path) -> None:
    import keras

    model = network()
    expected = plain(model, data, optimizer=optimizer(name), metrics=["accuracy"])
    configuration = keras.optimizers.serialize(optimizer(name))
    spec = spec_of(
        model,
        *data,
        tmp_path,
        optimizer=configuration,
        loss=CLASSES,
        metrics=["accuracy"],
        epochs=4,
    )
    for workers in (1, 2, 4):
        _, history = trained(spec, data, workers, tmp_path / str(workers))
        assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)
        assert history["accuracy"] == pytest.approx(expected["accuracy"], abs=1e-6)


def test_shuffled_batches_do_not_depend_on_the_number_of_workers(data: Any, tmp_path: Path) -> None:
    spec = spec_of(network(), *data, tmp_path, loss=CLASSES, epochs=3, shuffle=True, fraction=0.2)
    histories = [trained(spec, data, n, tmp_path / str(n))[1] for n in (1, 3)]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-5)
    assert histories[0]["val_loss"] == pytest.approx(histories[1]["val_loss"], rel=1e-5)
    other = trained(replace(spec, seed=8), data, 1, tmp_path / "other")[1]
    assert other["loss"] != pytest.approx(histories[0]["loss"], rel=1e-4)


def test_fewer_rows_than_workers_and_weights_of_rows(tmp_path: Path) -> None:
    x = np.arange(18, dtype="float32").reshape(3, 6) / 18
    y, weights = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 3.0], "float32")
    model = network()
    expected = plain(model, (x, y, weights), epochs=3, optimizer="sgd")
    spec = spec_of(model, x, y, tmp_path, weights=weights, loss=CLASSES, epochs=3)
    _, history = trained(spec, (x, y, weights), 5, tmp_path / "w")
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)


def test_moving_averages_of_batch_normalisation_are_the_same_on_all_workers(
    data: Any, tmp_path: Path
) -> None:
    import keras

    frozen = keras.layers.BatchNormalization(trainable=False)
    model = network(dense(), keras.layers.BatchNormalization(), frozen)
    before = [np.array(w) for w in model.layers[2].get_weights()]
    spec = spec_of(model, *data, tmp_path, loss=CLASSES, epochs=2)
    one, expected = trained(spec, data, 1, tmp_path / "1")
    two, _ = trained(spec, data, 2, tmp_path / "2")
    assert expected["loss"] == pytest.approx(plain(model, data, 2, optimizer="sgd")["loss"], 1e-5)
    mean, alone = (m.layers[1].get_weights()[2] for m in (two, one))
    np.testing.assert_allclose(mean, alone, atol=0.02)  # the mean of halves is that of the whole
    for a, b in zip(before, two.layers[2].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_draws_what_keras_draws_and_other_units_in_each_worker(
    data: Any, tmp_path: Path
) -> None:
    import keras

    model = network(dense(), keras.layers.Dropout(0.5, seed=3))
    spec = spec_of(model, *data, tmp_path, loss=CLASSES, epochs=2)
    one = trained(spec, data, 1, tmp_path / "1")[1]
    assert one["loss"] == pytest.approx(plain(model, data, 2, optimizer="sgd")["loss"], rel=1e-5)
    two = trained(spec, data, 2, tmp_path / "2")[1]
    assert two["loss"] != pytest.approx(one["loss"], rel=1e-5)
    assert trained(spec, data, 2, tmp_path / "3")[1]["loss"] == pytest.approx(two["loss"], 1e-6)


@pytest.mark.parametrize("every", [1, 3])
def test_a_training_that_is_resumed_within_an_epoch_gives_the_same_curve(
    every: int, data: Any, tmp_path: Path
) -> None:
    import keras

    model = network(dense(), keras.layers.Dropout(0.3), keras.layers.BatchNormalization())
    spec = spec_of(
        model,
        *data,
        tmp_path,
        optimizer="adam",
        loss=CLASSES,
        metrics=["accuracy"],
        epochs=4,
        shuffle=True,
        checkpoint_steps=5,
        sync_every=every,
    )

    def calls() -> list[Any]:
        return [scheduler(), keras.callbacks.ReduceLROnPlateau("loss", 0.5, 1, min_delta=0.2)]

    _, expected = trained(spec, data, 2, tmp_path / "whole", calls())
    assert len(set(expected["learning_rate"])) > 1  # the plateau was in the third epoch
    stopped = Stop("state", 6)  # in the third epoch
    again = tmp_path / "again"
    with pytest.raises(InterruptedError):
        trained(spec, data, 2, again, calls(), stopped)
    _, history = trained(spec, data, 2, again, calls())
    assert set(history) == {"loss", "accuracy", "learning_rate"}
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-5)
    assert trained(spec, data, 2, again)[1]["loss"] == history["loss"]  # there is nothing to do


def scheduler() -> Any:
    import keras

    return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch else 0.02)


class Stop:
    """Ends a training when the driver gets a message of a kind for the n-th time."""

    def __init__(self, kind: str, count: int) -> None:
        self.kind, self.count = kind, count

    def __call__(self, rank: int, message: Any) -> None:
        if message.kind == self.kind:
            self.count -= 1
        if self.count < 0:
            raise InterruptedError


def test_early_stopping_ends_all_workers_and_gives_the_best_weights_back(
    data: Any, tmp_path: Path
) -> None:
    import keras

    spec = spec_of(network(), *data, tmp_path, loss=CLASSES, epochs=30, fraction=0.2)
    worse = {"optimizer": keras.optimizers.serialize(keras.optimizers.SGD(20.0))}
    stopping = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    model, history = trained(replace(spec, **worse), data, 2, tmp_path / "w", [stopping])
    assert 2 < len(history["val_loss"]) < 30
    assert np.argmin(history["val_loss"]) == len(history["val_loss"]) - 3
    best = [np.array(w) for w in stopping.best_weights]
    for a, b in zip(best, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_callbacks_know_whether_a_metric_should_rise_or_fall(data: Any, tmp_path: Path) -> None:
    import keras

    usual: dict[str, Any] = {"loss": CLASSES, "metrics": ["accuracy"], "fraction": 0.2}
    spec = spec_of(network(), *data, tmp_path, epochs=9, optimizer="adam", **usual)
    stopping = keras.callbacks.EarlyStopping("val_accuracy", patience=1)
    _, history = trained(spec, data, 2, tmp_path / "w", [stopping])
    assert len(history["val_accuracy"]) > 2
    assert stopping.best == max(history["val_accuracy"])
    with pytest.raises(SettingsException, match="received monitor=mood.*Pass `mode='max'`"):
        trained(spec, data, 1, tmp_path / "no", [keras.callbacks.EarlyStopping("mood")])


def test_schedules_of_the_optimizer_and_of_callbacks_follow_keras(
    data: Any, tmp_path: Path
) -> None:
    import keras

    decay = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    falling = keras.optimizers.SGD(decay)
    expected = plain(network(), data, optimizer=falling)
    settings = {"optimizer": keras.optimizers.serialize(keras.optimizers.SGD(decay)), "epochs": 4}
    spec = spec_of(network(), *data, tmp_path, loss=CLASSES, **settings)
    assert trained(spec, data, 2, tmp_path / "a")[1]["loss"] == pytest.approx(
        expected["loss"], rel=1e-5
    )


def test_weights_that_the_optimizer_averages_are_the_result_as_in_keras(
    data: Any, tmp_path: Path
) -> None:
    import keras

    configuration = keras.optimizers.serialize(
        keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)
    )
    model = network()
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile(keras.optimizers.deserialize(configuration), CLASSES)
    copy.fit(*data, batch_size=32, shuffle=False, verbose=0)
    spec = spec_of(model, *data, tmp_path, optimizer=configuration, loss=CLASSES)
    averaged, _ = trained(spec, data, 2, tmp_path / "w")
    for a, b in zip(copy.get_weights(), averaged.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_callbacks_hear_of_every_step_and_write_the_same_as_with_keras(
    data: Any, tmp_path: Path
) -> None:
    import keras

    heard: list[tuple[int, float]] = []
    calls = [
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "best.keras"), save_best_only=True),
        keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda step, logs: heard.append((step, logs["loss"]))
        ),
    ]
    spec = spec_of(network(), *data, tmp_path, loss=CLASSES, epochs=2, fraction=0.1)
    model, history = trained(spec, data, 2, tmp_path / "w", calls)
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["val_loss"]) for r in rows] == pytest.approx(history["val_loss"])
    steps = -(-spec.layout.rows["training"] // 32)
    assert [step for step, _ in heard] == [*range(steps), *range(steps)]
    saved = keras.saving.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(saved.get_weights()[0], model.get_weights()[0])


def test_tensor_board_gets_losses_per_step_and_epoch_and_histograms(
    data: Any, tmp_path: Path
) -> None:
    import tensorflow as tf

    from sparkdl.training._driver.tensor_board import Board

    spec = spec_of(network(), *data, tmp_path, loss=CLASSES, epochs=2, fraction=0.1)
    trained(spec, data, 1, tmp_path / "w", [Board(str(tmp_path / "board"), 2)])
    tags: dict[str, int] = {}
    for file in (tmp_path / "board").rglob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                name = f"{file.parent.name}/{value.tag}"
                tags[name] = tags.get(name, 0) + 1
    assert tags["train/batch_loss"] == 2 * -(-spec.layout.rows["training"] // 32)
    assert tags["train/epoch_loss"] == tags["validation/epoch_loss"] == 2
    assert sum(n for name, n in tags.items() if name.endswith("kernel/histogram")) == 2


def test_local_steps_between_averages_learn_and_end_with_the_same_weights(
    data: Any, tmp_path: Path
) -> None:
    spec = spec_of(
        network(), *data, tmp_path, optimizer="adam", loss=CLASSES, epochs=6, sync_every=4
    )
    _, history = trained(spec, data, 3, tmp_path / "w")
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    alone = trained(spec, data, 1, tmp_path / "1")[1]
    assert alone["loss"] == pytest.approx(plain(network(), data, 6, optimizer="adam")["loss"], 1e-5)


def test_models_with_several_ends_and_frozen_or_unused_layers(tmp_path: Path) -> None:
    import keras

    layers = keras.layers
    draw = np.random.default_rng(2)
    x, y = draw.normal(size=(70, 6)).astype("float32"), draw.normal(size=70)
    inputs = keras.Input((6,), name="x")
    frozen = layers.Dense(4, trainable=False)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.Concatenate()([frozen, inputs])))
    keras.utils.set_random_seed(1)
    expected = plain(model, (x, y), epochs=2, optimizer="adam", loss="mse", metrics=["mae"])
    spec = spec_of(model, x, y, tmp_path, optimizer="adam", epochs=2, metrics=["mae"])
    _, history = trained(spec, (x, y), 2, tmp_path / "w")
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    assert history["mae"] == pytest.approx(expected["mae"], rel=1e-5)


def test_losses_of_several_outputs_count_by_their_weights(tmp_path: Path) -> None:
    import keras

    draw = np.random.default_rng(2)
    x, y = draw.normal(size=(70, 6)).astype("float32"), draw.normal(size=70).astype("float32")
    inputs = keras.Input((6,))
    ends = [keras.layers.Dense(1, name=name)(inputs) for name in ("near", "far")]
    model = keras.Model(inputs, ends)
    losses, factors = {"near": "mse", "far": "mae"}, {"near": 1.0, "far": 0.2}
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile("adam", losses, loss_weights=factors)
    expected = copy.fit(x, [y, y], batch_size=32, epochs=2, shuffle=False, verbose=0).history
    both = {"labels": 2, "loss": losses, "loss_weights": factors, "epochs": 2, "optimizer": "adam"}
    spec = spec_of(model, x, y, tmp_path, **both)
    for workers in (2, 3):  # and shares of 11, 11 and 10 rows
        _, history = trained(spec, (x, y, y), workers, tmp_path / str(workers))
        assert set(history) == set(expected)
        for name, values in expected.items():
            assert history[name] == pytest.approx(values, rel=1e-5)


def test_a_custom_loss_must_be_among_the_custom_objects(data: Any, tmp_path: Path) -> None:
    import keras

    class Mine(keras.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return y_pred[:, 0]

    spec = spec_of(network(), *data, tmp_path, loss=keras.losses.serialize(Mine()))
    with pytest.raises(SettingsException) as error:
        trained(spec, data, 1, tmp_path / "w")
    assert str(error.value).split("\n") == [
        "The optimizer, a loss or a metric has the custom class 'Mine', whose code is not in its "
        "configuration.",
        "Pass it: custom_objects={'Mine': Mine}.",
    ]
    history = trained(replace(spec, custom_objects={"Mine": Mine}), data, 1, tmp_path / "w")[1]
    assert 0 < history["loss"][0] < 1


def test_losses_that_are_not_means_are_refused(data: Any, tmp_path: Path) -> None:
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    spec = spec_of(network(), *data, tmp_path, loss=keras.losses.serialize(loss))
    with pytest.raises(SettingsException, match="reduction 'sum'.*the mean over its rows"):
        trained(spec, data, 1, tmp_path / "w")


def test_losses_of_a_whole_batch_are_refused_with_several_workers(tmp_path: Path) -> None:
    import keras

    x, y = np.zeros((4, 6), "float32"), np.zeros((4, 3), "float32")
    losses = keras.losses
    circle = [losses.Circle()] if hasattr(losses, "Circle") else []  # newer than Keras 3.4
    for whole in ("dice", losses.Tversky(), losses.Dice(axis=(0, 1)), *circle):
        loss = whole if isinstance(whole, str) else losses.serialize(whole)
        spec = spec_of(network(), x, y, tmp_path, loss=loss)
        check_shares(spec, 1)
        with pytest.raises(SettingsException, match="all rows of a batch together.*numWorkers=1"):
            check_shares(spec, 2)
    check_shares(spec_of(network(), x, y, tmp_path, loss=losses.serialize(losses.Dice(axis=1))), 2)
    check_shares(spec_of(network(), x, y, tmp_path, loss=["mse", None]), 2)

    def dice(y_true: Any, y_pred: Any) -> Any:
        return y_pred[:, 0]

    check_shares(spec_of(network(), x, y, tmp_path, loss=dice), 2)  # a custom one


def test_regularised_activities_count_as_in_keras(data: Any, tmp_path: Path) -> None:
    import keras

    layers = keras.layers
    l1 = layers.Dense(5, "tanh", activity_regularizer=keras.regularizers.L1(0.001))
    model = network(l1, layers.ActivityRegularization(l2=0.002))
    expected = plain(model, data, 2, optimizer="sgd")
    spec = spec_of(model, *data, tmp_path, loss=CLASSES, epochs=2)
    for workers in (1, 3):
        if workers > 1 and not activities_are_means():
            with pytest.raises(SettingsException, match="numWorkers=1, or install the newest"):
                check_activities(model, workers)
            continue
        check_activities(model, workers)
        _, history = trained(spec, data, workers, tmp_path / str(workers))
        assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)
