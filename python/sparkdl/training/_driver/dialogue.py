"""The driver's side of a training: states, callbacks, lines for the user, when to stop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sparkdl._models.libraries import eagerly
from sparkdl._placement.local_arrays import Rows
from sparkdl._placement.placement import TRAINING
from sparkdl._processes.console import EpochLines, show
from sparkdl._processes.coordinator import Answer
from sparkdl._processes.link import Message, Payload
from sparkdl.plot.metric_values import as_keras_logs, from_message, text_of
from sparkdl.training._driver.callbacks import Callbacks
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._loop.epochs import BEGIN, EPOCH, MODEL
from sparkdl.training._loop.step_functions import Steps
from sparkdl.training._loop.training_spec import Spec
from sparkdl.training._loop.training_state import state_parts, unpack_state
from sparkdl.training._loop.variables import assign, state_variables

if TYPE_CHECKING:
    import keras

_PIECE = 4 << 20  # of the model's file, per message


class Dialogue:
    """Answers the workers of one training.

    The newest state is a file, in the directory of checkpoints or of this process. From it workers
    begin again after some were lost, and training is resumed.

    Parameters
    ----------
    spec : Spec
    model : keras.Model
        The driver's own, made as the workers make theirs.
    callbacks : sequence of keras.callbacks.Callback
    checkpoints : Checkpoints
    verbose : bool
        Whether to show what each epoch gave.
    """

    def __init__(
        self,
        spec: Spec,
        model: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        checkpoints: Checkpoints,
        verbose: bool,
    ) -> None:
        self._spec, self._model = spec, model
        self._checkpoints, self._verbose = checkpoints, verbose
        self.epoch, self.step = 0, 0  # where the newest state is
        self.stop = False
        steps = spec.layout.order(TRAINING, spec.batch, 1, 0).steps
        results = _make_metrics(spec, model) if callbacks else {}
        self._callbacks = Callbacks(callbacks, model, spec.epochs, steps, results)
        self._resume()
        self._lines = EpochLines(spec.epochs, self.epoch) if verbose else None
        self._since = time.monotonic()
        if not self.stop:
            self._callbacks.begin(self.epoch)

    def __call__(self, rank: int, message: Message) -> Answer:
        """Answer a worker, see `run_workers`. This is another thread than the one that fits."""
        with eagerly():
            return self._answer(message)

    def _answer(self, message: Message) -> Answer:
        if message.kind == MODEL:
            return {}, self._piece_of_model(int(message.fields["start"]))
        if message.kind == BEGIN:
            self._since = time.monotonic()
            return {"stop": self.stop, "rate": self._callbacks.rate}, self._newest()
        if message.kind == EPOCH:
            self._end(message)
            return {"stop": self.stop, "rate": self._callbacks.rate}, b""
        self._keep(message.payload, unpack_state(message.payload)[0])
        return {}, b""

    @property
    def history(self) -> dict[str, list[Any]]:
        """Losses and metrics per epoch."""
        return self._callbacks.history

    def progress(self) -> tuple[int, int]:
        """Return epoch and step of the newest state."""
        return self.epoch, self.step

    def finish(self) -> keras.Model:
        """Return the trained model, as callbacks leave it at the end."""
        if not self._callbacks:
            self._take_over(unpack_state(self._newest())[1])
        optimizer = self._model.optimizer
        optimizer.finalize_variable_values(self._model.trainable_weights)  # for use_ema
        self._callbacks.finish()
        if self._lines is not None:
            self._lines.close()
        return self._model

    def _piece_of_model(self, start: int) -> bytes:
        with open(self._spec.model, "rb") as file:
            file.seek(start)
            return file.read(_PIECE)

    def _end(self, message: Message) -> None:
        """Note the end of an epoch."""
        fields = message.fields
        epoch, (facts, arrays) = int(fields["epoch"]), unpack_state(message.payload)
        logs = from_message(facts["logs"])
        if self._callbacks:
            self._take_over(arrays)
        self._callbacks.end(epoch, fields["losses"], logs)
        self.stop = self._callbacks.stopped or epoch + 1 >= self._spec.epochs
        self._show(epoch, logs)
        if not self.stop:
            self._callbacks.begin(epoch + 1)
        self._keep(message.payload, facts)

    def _show(self, epoch: int, logs: Mapping[str, Any]) -> None:
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        if self._lines is not None:
            rows = self._spec.layout.rows[TRAINING]
            place = f"epoch {epoch + 1}/{self._spec.epochs}"
            results = f"{text_of(logs)} ({seconds:.1f} s, {rows / seconds:.0f} rows/s)"
            self._lines.show(f"{place}: {results}")

    def _keep(self, state: bytearray, workers_facts: Mapping[str, Any]) -> None:
        """Write a state of the workers, with what only the driver knows."""
        self.epoch, self.step = workers_facts["epoch"], workers_facts["step"]
        notes, arrays = self._callbacks.memory()
        facts = {
            **workers_facts,
            "history": self.history,
            "stopped": self._callbacks.stopped,
            "rate": self._callbacks.rate,
            "callbacks": notes,
        }
        facts.pop("losses")
        facts.pop("logs", None)
        workers_part = np.frombuffer(state, "uint8")
        self._checkpoints.write(self.epoch, self.step, state_parts(facts, [workers_part, *arrays]))

    def _newest(self) -> Payload:
        """Return the workers' part of the newest state; nothing if there is none."""
        newest = self._checkpoints.newest()
        return b"" if newest is None else newest[1][0].data

    def _resume(self) -> None:
        newest = self._checkpoints.newest()
        if newest is None:
            return
        facts, (state, *arrays) = newest
        self.epoch, self.step = facts["epoch"], facts["step"]
        self.stop = facts["stopped"] or self.epoch >= self._spec.epochs
        self._callbacks.rate = facts["rate"]
        self._callbacks.remember(facts["history"], facts["callbacks"], arrays)
        if self._callbacks:
            self._take_over(unpack_state(state.data)[1])
        if self._verbose:
            show(f"resumed after {self.epoch} epoch(s) and {self.step} step(s)")

    def _take_over(self, arrays: list[NDArray[Any]]) -> None:
        """Give the driver's model the weights of a state."""
        variables = state_variables(self._model)
        assign(variables, arrays[: len(variables)])
        if self._callbacks.rate is not None:
            self._model.optimizer.learning_rate = self._callbacks.rate


def _make_metrics(spec: Spec, model: keras.Model) -> dict[str, Any]:
    """Have Keras make the metrics: callbacks ask them whether they should rise or fall.

    Return their results without rows, which have the shapes that all results will have.
    """
    fields = spec.layout.fields
    with suppress(Exception):  # workers fail in the same way, and report it with a traceback
        rows = Rows(Path(), spec.layout, TRAINING, 0, model, spec.loss)
        Steps(model, rows, len(fields.labels), fields.weight is not None)
        return as_keras_logs(model.get_metrics_result())
    return {}
