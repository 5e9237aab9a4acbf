"""What each worker does: epochs of steps that all workers take together."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparkdl._placement.local_arrays import Rows
from sparkdl._placement.placement import TRAINING, VALIDATION
from sparkdl._processes.child_process import set_threads
from sparkdl.plot.metric_values import to_message
from sparkdl.training._loop.ring import Ring
from sparkdl.training._loop.step_functions import Steps
from sparkdl.training._loop.stepping import Stepping
from sparkdl.training._loop.training_spec import Spec, built
from sparkdl.training._loop.training_state import packed, unpacked
from sparkdl.training._loop.variables import assign, kept, seeds, values

# Kinds of messages to the driver, see `_dialogue`.
BEGIN, EPOCH, STATE = "begin", "epoch", "state"
_SEEDS = 0xFFFF_FFFF


def train(worker: Any, spec: Spec) -> None:
    """Train until the driver says that it is enough; it has the result."""
    set_threads(worker.threads)
    Training(worker, spec).run()


class Training:
    """One worker's training."""

    def __init__(self, worker: Any, spec: Spec) -> None:
        import keras

        self._worker, self._spec = worker, spec
        keras.utils.set_random_seed(spec.seed)
        self._model = built(spec, worker.folder)
        layout, place = spec.layout, (spec.batch, worker.count, worker.rank)
        self._orders = {k: layout.order(k, *place) for k in (TRAINING, VALIDATION)}
        self._rows = {
            k: Rows(worker.folder, layout, k, o.mine, self._model, spec.loss)
            for k, o in self._orders.items()
        }
        fields = layout.fields
        kinds, weighted = self._rows[TRAINING].kinds(), fields.weight is not None
        self._steps = Steps(self._model, kinds, len(fields.labels), weighted)

    def run(self) -> None:
        """Train with the other workers, from where the driver says on."""
        self._ring = Ring(self._worker)
        try:
            self._run()
        finally:
            self._ring.close()

    def _run(self) -> None:
        self._stepping = Stepping(
            self._model, self._steps, self._ring, self._worker, self._spec.sync_every
        )
        begin = self._worker.ask(BEGIN)
        about = self._restore(begin.payload)
        self._set_rate(begin.fields.get("rate"))
        epoch, step, losses = about["epoch"], about["step"], about["losses"]
        stop = begin.fields["stop"]
        while not stop:
            stop = self._epoch(epoch, step, losses)
            epoch, step, losses = epoch + 1, 0, []

    def _restore(self, payload: Any) -> dict[str, Any]:
        """Take over a state; without one, begin."""
        about: dict[str, Any] = {"epoch": 0, "step": 0, "losses": []}
        if len(payload):
            about, arrays = unpacked(payload)
            count = len(kept(self._model))
            assign(kept(self._model), arrays[:count])
            if len(arrays) > count:
                self._stepping.metrics.restore(arrays[count:])
        self._spread_seeds()
        return about

    def _spread_seeds(self) -> None:
        """Let workers drop out different units: seeds are those of worker 0, plus the rank."""
        for variable in seeds(self._model):
            seed, counter = (int(n) for n in np.asarray(variable.value))
            _set_seed(variable, (seed + self._worker.rank) & _SEEDS, counter)

    def _epoch(self, epoch: int, first: int, losses: list[float]) -> bool:
        """Train for the rest of an epoch; return whether to stop."""
        spec, order = self._spec, self._orders[TRAINING]
        batches = order.batches(epoch, spec.seed if spec.shuffle else None)
        for step in range(first, order.steps):
            rows = batches.rows(step)
            share = self._rows[TRAINING].take(rows)
            last = step + 1 == order.steps
            losses.append(self._stepping.step(share, order.size(step), last))
            done = step + 1
            if spec.checkpoint_steps and done % spec.checkpoint_steps == 0 and done < order.steps:
                self._checkpoint(epoch, done, losses)
        logs = {**self._stepping.result(), **self._validate()}
        return self._end(epoch, logs, losses)

    def _validate(self) -> dict[str, Any]:
        order = self._orders[VALIDATION]
        if not order.rows:
            return {}
        batches = order.batches(0, None)
        for step in range(order.steps):
            share = self._rows[VALIDATION].take(batches.rows(step))
            self._stepping.evaluate(share, order.size(step))
        return {f"val_{name}": value for name, value in self._stepping.result().items()}

    def _checkpoint(self, epoch: int, step: int, losses: list[float]) -> None:
        """Send the state within an epoch to the driver."""
        self._stepping.settle()
        self._same_seeds()
        if self._worker.rank == 0:
            about = {"epoch": epoch, "step": step, "losses": losses}
            arrays = [*values(kept(self._model)), *self._stepping.metrics.arrays()]
            self._worker.tell(STATE, packed(about, arrays))

    def _end(self, epoch: int, logs: dict[str, Any], losses: list[float]) -> bool:
        """Tell the driver how the epoch went; all workers do what it answers to worker 0."""
        self._same_seeds()
        answer = np.zeros(2)
        if self._worker.rank == 0:
            # Logs are in the payload: fields have a limit, and a metric may be a large matrix.
            about = {"epoch": epoch + 1, "step": 0, "losses": [], "logs": to_message(logs)}
            state = packed(about, values(kept(self._model)))
            told = self._worker.ask(EPOCH, state, epoch=epoch, losses=losses).fields
            answer[:] = told["stop"], np.nan if told["rate"] is None else told["rate"]
        self._ring.sum(answer)
        self._set_rate(None if np.isnan(answer[1]) else float(answer[1]))
        return bool(answer[0])

    def _set_rate(self, rate: float | None) -> None:
        if rate is not None:
            self._model.optimizer.learning_rate = rate

    def _same_seeds(self) -> None:
        """Count random numbers as worker 0 does: who had no rows in a step has drawn none."""
        variables = seeds(self._model)
        counters = np.array([np.asarray(v.value)[1] for v in variables], "float64")
        if self._worker.rank:
            counters[:] = 0
        self._ring.sum(counters)
        for variable, counter in zip(variables, counters, strict=True):
            _set_seed(variable, int(np.asarray(variable.value)[0]), int(counter))


def _set_seed(variable: Any, seed: int, counter: int) -> None:
    variable.assign(np.array([seed, counter], str(variable.dtype)))
