"""The state of a head's training after each epoch, from which an interrupted one resumes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from sparkdl.estimators._classifier.feature_table import FeatureTable
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._driver.fingerprint import without_names
from sparkdl.training._loop.training_state import state_parts
from sparkdl.training._loop.variables import assign, values

if TYPE_CHECKING:
    from sparkdl.estimators._classifier.classifier_params import ClassifierParams

# What may differ when a training is resumed.
_FREE = {
    "epochs",
    "verbose",
    "numWorkers",
    "modelFile",  # a live model gets a new file each time
    "modelDir",
    "checkpointDir",
    "tensorBoardDir",
    "callbacks",  # objects of this process
}
_OF_NETWORK = {"unfreezeFrom", "fineTuneLearningRate"}  # the head does not depend on them
_STOPPING = ("wait", "best", "best_epoch", "stopped_epoch")


def state_folder(
    estimator: ClassifierParams, table: FeatureTable, part: str, own: keras.Model | None
) -> str:
    """Return where the states of this very training are kept.

    Trainings that must not resume from each other's states have different directories. They differ
    in params, labels, the rows that are held out, or the weights of the user's own network.

    Parameters
    ----------
    estimator : ImageClassifierEstimator
        With checkpointDir.
    table : FeatureTable
    part : str
        "head" or "network".
    own : keras.Model or None
        The user's own network, if it is one.
    """
    free = _FREE | _OF_NETWORK if part == "head" else _FREE
    params = {p.name: v for p, v in estimator.extractParamMap().items() if p.name not in free}
    params["optimizer"] = without_names(params["optimizer"])  # Keras counts names up
    text = json.dumps([sorted(params.items()), table.classes], default=str).lower()
    digest = hashlib.sha256(text.encode())  # in lower case, since Keras writes Adam and adam
    weights = [] if own is None else own.get_weights()
    for array in (table.labels, table.held_out, *weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"{estimator.getCheckpointDir().rstrip('/')}/{part}/{digest.hexdigest()[:16]}"


class HeadState(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes a state after each epoch, and removes all of them at the end of training.

    It must come after early stopping, whose best weights it keeps.

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

    def __init__(self, states: Checkpoints, stopping: keras.callbacks.EarlyStopping | None) -> None:
        super().__init__()
        self._states, self._stopping = states, stopping
        self._newest = states.newest()
        facts = self._newest[0] if self._newest else {}
        self.epoch, self._stopped = facts.get("epoch", 0), facts.get("stopped", False)
        self.history: dict[str, list[float]] = facts.get("history", {})

    def begin(self, epochs: int) -> int:
        """Return the first epoch to train, `epochs` if there is none."""
        return epochs if self._stopped else min(self.epoch, epochs)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Resume from the newest state."""
        if self._newest is None:
            return
        facts, arrays = self._newest
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
        self._states.write(epoch + 1, 0, state_parts(facts, arrays))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Remove the states, which are no longer needed."""
        self._states.clear()

    def _variables(self) -> list[keras.Variable]:
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        return [*self.model.weights, *self.model.optimizer.variables]
