"""What each worker does: epochs of steps that all workers take together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkdl._placement.local_arrays import Rows
from sparkdl._placement.placement import TRAINING, VALIDATION
from sparkdl._processes.child_process import set_threads
from sparkdl._processes.link import Payload
from sparkdl._processes.worker import Worker
from sparkdl.plot.metric_values import to_message
from sparkdl.training._loop.frugal_adam import spare_memory
from sparkdl.training._loop.ring import Ring
from sparkdl.training._loop.step_functions import Steps
from sparkdl.training._loop.step_sizes import sizes_of_steps
from sparkdl.training._loop.stepping import Stepping
from sparkdl.training._loop.training_spec import Spec, build_model
from sparkdl.training._loop.training_state import state_parts, unpack_state
from sparkdl.training._loop.variables import assign, seed_variables, state_variables, values

if TYPE_CHECKING:
    import keras

# Kinds of messages to the driver, see `training._driver.dialogue`.
MODEL, BEGIN, EPOCH, STATE = "model", "begin", "epoch", "state"
_LARGEST_SEED = 0xFFFF_FFFF


def train(worker: Worker, spec: Spec) -> None:
    """Train until the driver, which keeps the result, says that it is enough."""
    set_threads(worker.threads)
    Training(worker, spec).run()


class Training:
    """One worker's training."""

    def __init__(self, worker: Worker, spec: Spec) -> None:
        import keras

        self._worker, self._spec = worker, spec
        keras.utils.set_random_seed(spec.seed)
        file = _fetch_model(worker, spec)
        self._model = build_model(spec, file)
        file.unlink()
        spare_memory(self._model.optimizer)
        layout, place = spec.layout, (spec.batch, worker.count, worker.rank)
        self._orders = {k: layout.order(k, *place) for k in (TRAINING, VALIDATION)}
        self._rows = {
            k: Rows(worker.folder, layout, k, o.mine, self._model, spec.loss)
            for k, o in self._orders.items()
        }
        fields = layout.fields
        weighted = fields.weight is not None
        self._steps = Steps(self._model, self._rows[TRAINING], len(fields.labels), weighted)

    def run(self) -> None:
        """Train with the other workers, from the state that the driver sends."""
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
        facts = self._restore(begin.payload)
        self._set_rate(begin.fields.get("rate"))
        epoch, step, losses = facts["epoch"], facts["step"], facts["losses"]
        stop = begin.fields["stop"]
        while not stop:
            stop = self._epoch(epoch, step, losses)
            epoch, step, losses = epoch + 1, 0, []

    def _restore(self, state: Payload) -> dict[str, Any]:
        """Take over a state, if there is one; return where in the training it is."""
        facts: dict[str, Any] = {"epoch": 0, "step": 0, "losses": []}
        if len(state):
            facts, arrays = unpack_state(state)
            variables = state_variables(self._model)
            assign(variables, arrays[: len(variables)])
            if len(arrays) > len(variables):
                self._stepping.metrics.restore(arrays[len(variables) :])
        self._spread_seeds()
        return facts

    def _spread_seeds(self) -> None:
        """Let workers drop out different units: seeds are those of worker 0, plus the rank."""
        for variable in seed_variables(self._model):
            seed, counter = (int(n) for n in np.asarray(variable.value))
            _set_seed(variable, (seed + self._worker.rank) & _LARGEST_SEED, counter)

    def _epoch(self, epoch: int, first: int, losses: list[float]) -> bool:
        """Train for the rest of an epoch, from step `first` on; return whether to stop."""
        spec, order = self._spec, self._orders[TRAINING]
        own = self._rows[TRAINING]
        lengths = own.lengths if spec.by_length else None
        batches = order.batches(epoch, spec.seed if spec.shuffle else None, lengths)
        sizes = sizes_of_steps(own, batches, self._ring, self._worker)
        for step in range(first, order.steps):
            share = own.take(batches.rows(step), sizes[step])
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
        own, batches = self._rows[VALIDATION], order.batches(0, None)
        sizes = sizes_of_steps(own, batches, self._ring, self._worker)
        for step in range(order.steps):
            share = own.take(batches.rows(step), sizes[step])
            self._stepping.evaluate(share, order.size(step))
        return {f"val_{name}": value for name, value in self._stepping.result().items()}

    def _checkpoint(self, epoch: int, step: int, losses: list[float]) -> None:
        """Send the state within an epoch to the driver."""
        self._stepping.settle()
        self._align_seeds()
        if self._worker.rank == 0:
            facts = {"epoch": epoch, "step": step, "losses": losses}
            arrays = [*values(state_variables(self._model)), *self._stepping.metrics.arrays()]
            self._worker.tell(STATE, state_parts(facts, arrays))

    def _end(self, epoch: int, logs: dict[str, Any], losses: list[float]) -> bool:
        """Tell the driver how the epoch went; all workers do what it answers to worker 0."""
        self._align_seeds()
        decision = np.zeros(2)  # whether to stop, and the learning rate
        if self._worker.rank == 0:
            # Logs are in the payload: fields have a limit, and a metric may be a large matrix.
            facts = {"epoch": epoch + 1, "step": 0, "losses": [], "logs": to_message(logs)}
            state = state_parts(facts, values(state_variables(self._model)))
            answer = self._worker.ask(EPOCH, state, epoch=epoch, losses=losses).fields
            decision[:] = answer["stop"], np.nan if answer["rate"] is None else answer["rate"]
        self._ring.sum(decision)
        self._set_rate(None if np.isnan(decision[1]) else float(decision[1]))
        return bool(decision[0])

    def _set_rate(self, rate: float | None) -> None:
        if rate is not None:
            self._model.optimizer.learning_rate = rate

    def _align_seeds(self) -> None:
        """Count random numbers as worker 0 does: a worker without rows in a step drew none."""
        variables = seed_variables(self._model)
        counters = np.array([np.asarray(v.value)[1] for v in variables], "float64")
        if self._worker.rank:
            counters[:] = 0
        self._ring.sum(counters)
        for variable, counter in zip(variables, counters, strict=True):
            _set_seed(variable, int(np.asarray(variable.value)[0]), int(counter))


def _fetch_model(worker: Worker, spec: Spec) -> Path:
    """Copy the model's file from the driver; nobody has all of it in memory."""
    file = worker.folder / f"model{spec.model.suffix}"
    with open(file, "wb") as copy:
        while len(piece := worker.ask(MODEL, start=copy.tell()).payload):
            copy.write(piece)
    return file


def _set_seed(variable: keras.Variable, seed: int, counter: int) -> None:
    variable.assign(np.array([seed, counter], str(variable.dtype)))
