"""The driver's side of a training: states, callbacks, what the user is told, when to stop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sparkdl._placement.local_arrays import Rows
from sparkdl._placement.placement import TRAINING
from sparkdl._processes.console import show
from sparkdl._processes.coordinator import Answer
from sparkdl._processes.link import Message
from sparkdl.plot.metric_values import as_keras_logs, from_message, text_of
from sparkdl.training._driver.callbacks import Callbacks
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._loop.epochs import BEGIN, EPOCH
from sparkdl.training._loop.step_functions import Steps
from sparkdl.training._loop.training_spec import Spec
from sparkdl.training._loop.training_state import packed, unpacked
from sparkdl.training._loop.variables import assign, kept


class Dialogue:
    """Answers the workers of one training.

    The newest state is a file, in the directory of checkpoints or of this process: what lost
    workers begin again with, and what training is resumed from.

    Parameters
    ----------
    spec : Spec
    model : keras.Model
        The driver's, made as the workers make theirs.
    callbacks : sequence of keras.callbacks.Callback
    checkpoints : Checkpoints
    verbose : bool
        Whether to print a line per epoch.
    """

    def __init__(
        self,
        spec: Spec,
        model: Any,
        callbacks: Sequence[Any],
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
        self._since = time.monotonic()
        if not self.stop:
            self._callbacks.begin(self.epoch)

    def __call__(self, rank: int, message: Message) -> Answer:
        """Answer a worker, see `run_workers`."""
        if message.kind == BEGIN:
            self._since = time.monotonic()
            return {"stop": self.stop, "rate": self._callbacks.rate}, self._newest()
        if message.kind == EPOCH:
            self._end(message)
            return {"stop": self.stop, "rate": self._callbacks.rate}, b""
        self._keep(message.payload, unpacked(message.payload)[0])
        return {}, b""

    @property
    def history(self) -> dict[str, list[Any]]:
        """Losses and metrics per epoch."""
        return self._callbacks.history

    def progress(self) -> tuple[int, int]:
        """Return epoch and step of the newest state."""
        return self.epoch, self.step

    def finish(self) -> Any:
        """Return the trained model, with what callbacks make of it at the end."""
        if not self._callbacks:
            self._take_over(unpacked(self._newest())[1])
        optimizer = self._model.optimizer
        optimizer.finalize_variable_values(self._model.trainable_weights)  # for use_ema
        self._callbacks.finish()
        return self._model

    def _end(self, message: Message) -> None:
        """Take note of an epoch that has ended."""
        fields = message.fields
        epoch, (about, arrays) = int(fields["epoch"]), unpacked(message.payload)
        logs = from_message(about["logs"])
        if self._callbacks:
            self._take_over(arrays)
        self._callbacks.end(epoch, fields["losses"], logs)
        self.stop = self._callbacks.stopped or epoch + 1 >= self._spec.epochs
        self._tell(epoch, logs)
        if not self.stop:
            self._callbacks.begin(epoch + 1)
        self._keep(message.payload, about)

    def _tell(self, epoch: int, logs: Mapping[str, Any]) -> None:
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        if self._verbose:
            rows = self._spec.layout.rows[TRAINING]
            place = f"epoch {epoch + 1}/{self._spec.epochs}"
            show(f"{place}: {text_of(logs)} ({seconds:.1f} s, {rows / seconds:.0f} rows/s)")

    def _keep(self, state: Any, about: Mapping[str, Any]) -> None:
        """Write a state of the workers, with what the driver knows besides."""
        self.epoch, self.step = about["epoch"], about["step"]
        notes, arrays = self._callbacks.memory()
        facts = {
            **about,
            "history": self.history,
            "stopped": self._callbacks.stopped,
            "rate": self._callbacks.rate,
            "callbacks": notes,
        }
        facts.pop("losses")
        facts.pop("logs", None)
        inner = np.frombuffer(state, "uint8")
        self._checkpoints.write(self.epoch, self.step, packed(facts, [inner, *arrays]))

    def _newest(self) -> Any:
        """Return the workers' part of the newest state; nothing if there is none."""
        found = self._checkpoints.newest()
        return b"" if found is None else found[1][0]

    def _resume(self) -> None:
        found = self._checkpoints.newest()
        if found is None:
            return
        facts, (state, *arrays) = found
        self.epoch, self.step = facts["epoch"], facts["step"]
        self.stop = facts["stopped"] or self.epoch >= self._spec.epochs
        self._callbacks.rate = facts["rate"]
        self._callbacks.remember(facts["history"], facts["callbacks"], arrays)
        if self._callbacks:
            self._take_over(unpacked(state)[1])
        if self._verbose:
            show(f"resumed after {self.epoch} epoch(s) and {self.step} step(s)")

    def _take_over(self, arrays: list[Any]) -> None:
        """Give the driver's model the weights of a state."""
        variables = kept(self._model)
        assign(variables, arrays[: len(variables)])
        if self._callbacks.rate is not None:
            self._model.optimizer.learning_rate = self._callbacks.rate


def _make_metrics(spec: Spec, model: Any) -> dict[str, Any]:
    """Have Keras make the metrics: callbacks ask them whether they should rise or fall.

    Return what they give without rows, which has the shape of what they will give.
    """
    fields = spec.layout.fields
    with suppress(Exception):  # workers find the same, and tell it with a traceback
        rows = Rows(Path(), spec.layout, TRAINING, 0, model, spec.loss)
        Steps(model, rows.kinds(), len(fields.labels), fields.weight is not None)
        return as_keras_logs(model.get_metrics_result())
    return {}
