"""The head of a classifier: dense layers on features, trained by Keras on the driver."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from sparkdl._models.keras_configuration import optimizer_of
from sparkdl._processes.console import EpochLines, show
from sparkdl.errors import InvalidInputException
from sparkdl.errors.user_warnings import warn
from sparkdl.estimators._classifier.feature_table import FeatureTable
from sparkdl.estimators._classifier.head_state import HeadState
from sparkdl.labels import label_text
from sparkdl.networks.classifier_keras import CLASSIFIER
from sparkdl.plot.metric_values import text_of
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._loop.optimizer import with_rate

if TYPE_CHECKING:
    from sparkdl.estimators._classifier.classifier_params import ClassifierParams

_SHOWN = 8


def new_head(estimator: ClassifierParams, width: int, classes: int) -> keras.Model:
    """Return a head whose first weights depend on the seed alone."""
    seed = estimator.getSeed()
    layers = [keras.Input((width,), name="features")]
    if estimator.getHeadUnits():
        layers.append(_dense(estimator.getHeadUnits(), "relu", "head", seed))
    layers.append(_dense(classes, "softmax", "predictions", seed + 1))
    return keras.Sequential(layers, name=CLASSIFIER)


def _dense(units: int, activation: str, name: str, seed: int) -> keras.layers.Layer:
    start = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(units, activation=activation, kernel_initializer=start, name=name)


def new_optimizer(
    estimator: ClassifierParams, rate: float | None = None
) -> keras.optimizers.Optimizer:
    """Return the optimizer, with this learning rate instead of its own if there is one."""
    optimizer = optimizer_of(estimator.getOptimizer())
    return optimizer if rate is None else with_rate(optimizer, rate)


class FeatureBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of a table's rows, read when they are needed.

    Parameters
    ----------
    table : FeatureTable
    rows : ndarray of int
        Which rows.
    size : int
        Rows per batch.
    seed : int or None
        Of the order, which changes from epoch to epoch, and of the choice between an image and its
        copies; None: the images themselves, in the order of the table.
    weights : ndarray
        float32, how much a row of each class counts.
    """

    def __init__(
        self,
        table: FeatureTable,
        rows: NDArray[np.intp],
        size: int,
        seed: int | None,
        weights: NDArray[Any],
    ) -> None:
        super().__init__()
        self._table, self._rows, self._size, self._weights = table, rows, size, weights
        self._seed = seed
        self.begin(0)

    def __len__(self) -> int:
        return math.ceil(len(self._rows) / self._size)

    def __getitem__(self, batch: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
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


def split(table: FeatureTable) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on and those to validate on, both sorted."""
    if table.held_out.all():
        raise InvalidInputException(
            "No rows are left to train on: all are held out for validation. Mend validationCol, "
            "or make validationFraction smaller."
        )
    return np.flatnonzero(~table.held_out), np.flatnonzero(table.held_out)


def class_weights(
    estimator: ClassifierParams, labels: NDArray[np.int32], classes: int
) -> NDArray[np.float32]:
    """Return how much a row of each class counts: balanced ones sum up to the number of rows."""
    if estimator.getClassWeight() == "none":
        return np.ones(classes, np.float32)
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * np.maximum(counts, 1))).astype(np.float32)


def train_head(
    estimator: ClassifierParams, table: FeatureTable, states: Checkpoints | None = None
) -> tuple[keras.Model, dict[str, list[float]], dict[str, Any]]:
    """Train a new head; return it, its history, and facts for the summary.

    Parameters
    ----------
    estimator : ImageClassifierEstimator
    table : FeatureTable
    states : Checkpoints, optional
        Where to keep the state after each epoch.
    """
    training, validation = split(table)
    _warn_of_unseen(table, training)
    classes = len(table.classes)
    head = new_head(estimator, table.features[0].shape[1], classes)
    rate = estimator.getLearningRate() if estimator.isSet("learningRate") else None
    optimizer, loss = new_optimizer(estimator, rate), "sparse_categorical_crossentropy"
    head.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    size, equal = estimator.getBatchSize(), np.ones(classes, "float32")
    weights = class_weights(estimator, table.labels[training], classes)
    batches = FeatureBatches(table, training, size, estimator.getSeed(), weights)
    held_out = FeatureBatches(table, validation, size, None, equal) if len(validation) else None
    history = _fit(estimator, head, batches, held_out, states)
    return head, history, {"rows": len(training), "validation rows": len(validation)}


def _warn_of_unseen(table: FeatureTable, training: NDArray[np.intp]) -> None:
    counts = np.bincount(table.labels[training], minlength=len(table.classes))
    unseen = [label_text(table.classes[i]) for i in np.flatnonzero(counts == 0)]
    if unseen:
        warn(
            f"{len(unseen)} class(es) have no rows to train on, since all are held out: "
            f"{', '.join(unseen[:_SHOWN])}. Choose the rows for validation yourself "
            "(validationCol)."
        )


def _fit(
    estimator: ClassifierParams,
    head: keras.Model,
    batches: FeatureBatches,
    held_out: FeatureBatches | None,
    states: Checkpoints | None,
) -> dict[str, list[float]]:
    """Train a head and return the history."""
    # Not the batches' on_epoch_end, which Keras also calls before the first epoch.
    order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: batches.begin(epoch))
    stopping = early_stopping(estimator) if held_out is not None else []
    state = None if states is None else HeadState(states, next(iter(stopping), None))
    if state is not None and state.epoch and estimator.getVerbose():
        show(f"{estimator.uid}: resumes after epoch {state.epoch}")
    begun = 0 if state is None else state.begin(estimator.getEpochs())
    fitted = head.fit(
        batches,
        validation_data=held_out,
        epochs=estimator.getEpochs(),
        initial_epoch=begun,
        callbacks=[
            order,
            *stopping,
            *(estimator.getCallbacks() or []),
            *([state] if state else []),
            *callbacks(estimator, begun),
        ],
        shuffle=False,  # Keras shuffles by Python's random numbers, the batches by the seed
        verbose=0,
    )
    history = fitted.history if state is None else state.history
    if not np.isfinite(history["loss"]).all():
        warn("The loss is no longer a number. A smaller learningRate may help.")
    return {name: [float(v) for v in values] for name, values in history.items()}


def callbacks(estimator: ClassifierParams, begun: int) -> list[keras.callbacks.Callback]:
    """Return the callbacks of Keras that show what the params ask for, after epochs of before."""
    wanted: list[keras.callbacks.Callback] = []
    if estimator.isSet("tensorBoardDir"):
        from sparkdl.training._driver.tensor_board import Board

        wanted.append(Board(f"{estimator.getTensorBoardDir().rstrip('/')}/head", histograms=0))
    if estimator.getVerbose():
        wanted.append(_shown_epochs(estimator, begun))
    return wanted


def early_stopping(estimator: ClassifierParams) -> list[keras.callbacks.EarlyStopping]:
    """Return the callback that stops training when validation stops improving, if one is wanted."""
    patience = estimator.getEarlyStoppingPatience()
    if not patience:
        return []
    stop = keras.callbacks.EarlyStopping
    return [stop(monitor="val_loss", patience=patience, restore_best_weights=True)]


def _shown_epochs(estimator: ClassifierParams, begun: int) -> keras.callbacks.Callback:
    epochs = estimator.getEpochs()
    lines = EpochLines(epochs, begun)

    def show_epoch(epoch: int, logs: Mapping[str, Any]) -> None:
        lines.show(f"{estimator.uid}: epoch {epoch + 1}/{epochs}: {text_of(logs)}")

    return keras.callbacks.LambdaCallback(
        on_epoch_end=show_epoch, on_train_end=lambda _: lines.close()
    )
