"""The head of a classifier: dense layers on features, trained by Keras on the driver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from sparkdl._models.keras_configuration import optimizer_of
from sparkdl._processes.console import show
from sparkdl.errors import InvalidInputException
from sparkdl.errors.user_warnings import warn
from sparkdl.estimators._classifier.feature_table import FeatureTable
from sparkdl.estimators._classifier.head_state import HeadState
from sparkdl.labels import label_text
from sparkdl.networks.classifier_keras import CLASSIFIER
from sparkdl.plot.metric_values import text_of
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._loop.optimizer import with_rate

_SHOWN = 8


def new_head(estimator: Any, width: int, classes: int) -> Any:
    """Return a head with first weights that the seed decides."""
    seed = estimator.getSeed()
    layers = [keras.Input((width,), name="features")]
    if estimator.getHeadUnits():
        layers.append(_dense(estimator.getHeadUnits(), "relu", "head", seed))
    layers.append(_dense(classes, "softmax", "predictions", seed + 1))
    return keras.Sequential(layers, name=CLASSIFIER)


def _dense(units: int, activation: str, name: str, seed: int) -> Any:
    start = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, activation=activation, kernel_initializer=start, name=name)


def new_optimizer(estimator: Any, rate: float | None = None) -> Any:
    """Return the optimizer, with a learning rate instead of its own if one is given."""
    optimizer = optimizer_of(estimator.getOptimizer())
    return optimizer if rate is None else with_rate(optimizer, rate)


class FeatureBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of a table's rows, read when they are needed.

    Parameters
    ----------
    table : FeatureTable
    rows : ndarray of int
        Which of them.
    size : int
        Rows per batch.
    seed : int or None
        Of the order, another one in each epoch, and of the choice between an image and its
        copies; None: the images themselves, in the order of the table.
    weights : ndarray
        float32, how much a row of each class counts.
    """

    def __init__(
        self, table: FeatureTable, rows: Any, size: int, seed: int | None, weights: Any
    ) -> None:
        super().__init__()
        self._table, self._rows, self._size, self._weights = table, rows, size, weights
        self._seed = seed
        self.begin(0)

    def __len__(self) -> int:
        return math.ceil(len(self._rows) / self._size)

    def __getitem__(self, batch: int) -> tuple[Any, Any, Any]:
        """Return features, labels and weights."""
        part = slice(batch * self._size, (batch + 1) * self._size)
        rows, kinds = self._order[part], self._kinds[part]
        features = np.empty((len(rows), self._table.features[0].shape[1]), "float32")
        for kind, array in enumerate(self._table.features):
            features[kinds == kind] = array[rows[kinds == kind]]
        labels = self._table.labels[rows]
        return features, labels, self._weights[labels]

    def begin(self, epoch: int) -> None:
        """Draw the order of an epoch."""
        self._order, self._kinds = self._rows, np.zeros(len(self._rows), int)
        if self._seed is not None:
            random = np.random.default_rng([self._seed, epoch])
            self._order = random.permutation(self._rows)
            self._kinds = random.integers(0, len(self._table.features), len(self._rows))


def split(table: FeatureTable) -> tuple[Any, Any]:
    """Return the rows to train on and those to validate on, both sorted."""
    if table.held_out.all():
        raise InvalidInputException(
            "No rows are left to train on: all are held out for validation. Mend validationCol, "
            "or make validationFraction smaller."
        )
    return np.flatnonzero(~table.held_out), np.flatnonzero(table.held_out)


def class_weights(estimator: Any, labels: Any, classes: int) -> Any:
    """Return how much a row of each class counts: balanced ones sum up to the number of rows."""
    if estimator.getClassWeight() == "none":
        return np.ones(classes, "float32")
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * np.maximum(counts, 1))).astype("float32")


def train_head(
    estimator: Any, table: FeatureTable, states: Checkpoints | None = None
) -> tuple[Any, dict[str, list[float]], dict[str, Any]]:
    """Train a new head; return it, its history, and facts for the summary.

    Parameters
    ----------
    estimator : ImageClassifierEstimator
    table : FeatureTable
    states : Checkpoints, optional
        Where the state after each epoch is kept.
    """
    training, validation = split(table)
    _warn_of_unseen(table, training)
    classes = len(table.classes)
    head = new_head(estimator, table.features[0].shape[1], classes)
    rate = estimator.getLearningRate() if estimator.isSet("learningRate") else None
    optimizer, loss = new_optimizer(estimator, rate), "sparse_categorical_crossentropy"
    head.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    size, even = estimator.getBatchSize(), np.ones(classes, "float32")
    weights = class_weights(estimator, table.labels[training], classes)
    batches = FeatureBatches(table, training, size, estimator.getSeed(), weights)
    held_out = FeatureBatches(table, validation, size, None, even) if len(validation) else None
    history = _fitted(estimator, head, batches, held_out, states)
    return head, history, {"rows": len(training), "validation rows": len(validation)}


def _warn_of_unseen(table: FeatureTable, training: Any) -> None:
    counts = np.bincount(table.labels[training], minlength=len(table.classes))
    unseen = [label_text(table.classes[i]) for i in np.flatnonzero(counts == 0)]
    if unseen:
        warn(
            f"{len(unseen)} class(es) have no rows to train on, for all are held out: "
            f"{', '.join(unseen[:_SHOWN])}. Say which rows validate (validationCol)."
        )


def _fitted(
    estimator: Any,
    head: Any,
    batches: FeatureBatches,
    held_out: FeatureBatches | None,
    states: Checkpoints | None,
) -> dict[str, list[float]]:
    """Train a head and return the history."""
    # Not its on_epoch_end, which Keras calls once more before it begins.
    order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: batches.begin(epoch))
    stopping = early_stopping(estimator) if held_out is not None else []
    state = None if states is None else HeadState(states, next(iter(stopping), None))
    if state is not None and state.epoch and estimator.getVerbose():
        show(f"{estimator.uid}: goes on after epoch {state.epoch}")
    done = head.fit(
        batches,
        validation_data=held_out,
        epochs=estimator.getEpochs(),
        initial_epoch=0 if state is None else state.begin(estimator.getEpochs()),
        callbacks=[order, *stopping, *([state] if state else []), *callbacks(estimator)],
        shuffle=False,  # by random numbers of Python; the batches do it by the seed
        verbose=0,
    )
    history = done.history if state is None else state.history
    if not np.isfinite(history["loss"]).all():
        warn("The loss is no number any more. A smaller learningRate may help.")
    return {name: [float(v) for v in values] for name, values in history.items()}


def callbacks(estimator: Any) -> list[Any]:
    """Return Keras' callbacks for what the params ask to see."""
    made: list[Any] = []
    if estimator.isSet("tensorBoardDir"):
        from sparkdl.training._driver.tensor_board import Board

        made.append(Board(f"{estimator.getTensorBoardDir().rstrip('/')}/head", histograms=0))
    if estimator.getVerbose():
        made.append(keras.callbacks.LambdaCallback(on_epoch_end=_teller(estimator)))
    return made


def early_stopping(estimator: Any) -> list[Any]:
    """Return the callback that stops training when validation gets no better, if one is wanted."""
    patience = estimator.getEarlyStoppingPatience()
    if not patience:
        return []
    stop = keras.callbacks.EarlyStopping
    return [stop(monitor="val_loss", patience=patience, restore_best_weights=True)]


def _teller(estimator: Any) -> Any:
    epochs = estimator.getEpochs()

    def tell(epoch: int, logs: Mapping[str, Any]) -> None:
        show(f"{estimator.uid}: epoch {epoch + 1}/{epochs}: {text_of(logs)}")

    return tell
