"""The state of a head's training after each epoch, from which an interrupted one goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from sparkdl.estimators._classifier.base_network import own_network
from sparkdl.estimators._classifier.feature_table import FeatureTable
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._driver.fingerprint import without_names
from sparkdl.training._loop.training_state import pack_state
from sparkdl.training._loop.variables import assign, values

# What may be another when a training goes on.
_FREE = {
    "epochs",
    "verbose",
    "numWorkers",
    "modelFile",  # a live model gets another file each time
    "modelDir",
    "checkpointDir",
    "tensorBoardDir",
}
_OF_NETWORK = {"unfreezeFrom", "fineTuneLearningRate"}  # the head does not depend on them
_STOPPING = ("wait", "best", "best_epoch", "stopped_epoch")


def folder(estimator: Any, table: FeatureTable, part: str) -> str:
    """Return where the states of this very training are kept.

    Trainings that must not go on from each other's states have different directories. What
    tells them apart are params, labels, which rows are held out, and the weights of a network of
    the user's own.

    Parameters
    ----------
    estimator : ImageClassifierEstimator
        With checkpointDir.
    table : FeatureTable
    part : str
        "head" or "network".
    """
    free = _FREE | _OF_NETWORK if part == "head" else _FREE
    params = {p.name: v for p, v in estimator.extractParamMap().items() if p.name not in free}
    params["optimizer"] = without_names(params["optimizer"])  # Keras counts names up
    told = json.dumps([sorted(params.items()), table.classes], default=str).lower()
    digest = hashlib.sha256(told.encode())  # in lower case, for Keras writes Adam and adam
    weights = own_network(estimator).get_weights() if estimator.isSet("modelFile") else []
    for array in (table.labels, table.held_out, *weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"{estimator.getCheckpointDir().rstrip('/')}/{part}/{digest.hexdigest()[:16]}"


class HeadState(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes a state after each epoch, and removes all at the end of training.

    Its place is behind early stopping, of which it keeps the best weights.

    Parameters
    ----------
    states : Checkpoints
        Those of this very training.
    stopping : EarlyStopping or None

    Attributes
    ----------
    epoch : int
        How many epochs there were.
    history : dict of str to list of float
        The numbers of all epochs.
    """

    def __init__(self, states: Checkpoints, stopping: Any) -> None:
        super().__init__()
        self._states, self._stopping = states, stopping
        self._found = states.newest()
        facts = self._found[0] if self._found else {}
        self.epoch, self._stopped = facts.get("epoch", 0), facts.get("stopped", False)
        self.history: dict[str, list[float]] = facts.get("history", {})

    def begin(self, epochs: int) -> int:
        """Return the first epoch that is to be trained, `epochs` for none."""
        return epochs if self._stopped else min(self.epoch, epochs)

    def on_train_begin(self, logs: Any = None) -> None:
        """Go on from the newest state."""
        if self._found is None:
            return
        facts, arrays = self._found
        variables = self._variables()
        assign(variables, arrays[: len(variables)])
        if self._stopping is not None:
            self._stopping.best_weights = [np.array(a) for a in arrays[len(variables) :]]
            for name, value in facts["stopping"].items():
                setattr(self._stopping, name, value)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write a state."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        stopping = self._stopping
        best = [] if stopping is None else stopping.best_weights or []
        facts = {
            "epoch": epoch + 1,
            "stopped": self.model.stop_training,
            "history": self.history,
            "stopping": {n: float(getattr(stopping, n)) for n in _STOPPING} if best else {},
        }
        arrays = [*values(self._variables()), *best]
        self._states.write(epoch + 1, 0, pack_state(facts, arrays))

    def on_train_end(self, logs: Any = None) -> None:
        """Remove what is not needed any more."""
        self._states.clear()

    def _variables(self) -> list[Any]:
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        return [*self.model.weights, *self.model.optimizer.variables]
