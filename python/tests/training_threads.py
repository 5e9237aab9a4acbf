"""Workers of a training as threads of this process: the loop, the ring and the driver's side."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from sparkdl._placement.blocks import block_of
from sparkdl._placement.placement import TRAINING, VALIDATION, Layout, receiver, splitter
from sparkdl._placement.ragged import RaggedRows
from sparkdl._placement.training_columns import Field, Fields
from sparkdl._placement.validation import Fraction
from sparkdl._processes.link import Message
from sparkdl._processes.network import ANY_PORT
from sparkdl.training._driver.checkpoints import Checkpoints
from sparkdl.training._driver.dialogue import Dialogue
from sparkdl.training._loop.epochs import Training
from sparkdl.training._loop.training_spec import Spec, build_model

BLOCK = 50  # rows
_numbers = count(1)
SPLIT_SEED = 5  # of the rows to validate on


def spec_of(
    model: Any,
    x: Any,
    y: Any,
    folder: Path,
    *,
    weights: Any = None,
    labels: int = 1,
    **settings: Any,
) -> Spec:
    """Return a training of a model on arrays, of which y is the labels of so many outputs."""
    return spec_for(model, [x], [y] * labels, folder, weights=weights, **settings)


def spec_for(
    model: Any,
    inputs: Sequence[Any],
    labels: Sequence[Any],
    folder: Path,
    *,
    weights: Any = None,
    fraction: float = 0,
    padding: float = 0,
    **settings: Any,
) -> Spec:
    """Return a training of a model on arrays, in the order of its inputs and outputs."""
    file = folder / f"start-{next(_numbers)}.keras"
    model.save(file)
    rows = len(inputs[0])
    data = [_contiguous(a) for a in (*inputs, *labels, weights) if a is not None]
    columns = [_field(f"c{i}", a, padding) for i, a in enumerate(data)]
    input_fields, label_fields = (
        columns[: len(inputs)],
        columns[len(inputs) : len(inputs) + len(labels)],
    )
    fields = Fields(
        tuple(input_fields), tuple(label_fields), columns[-1] if weights is not None else None
    )
    chosen = Fraction(fraction, SPLIT_SEED) if fraction else None
    count = chosen.before(rows) if chosen else 0
    digests = {(0, start): "" for start in range(0, rows, BLOCK)}
    shapes = tuple(tuple(a.most()) if isinstance(a, RaggedRows) else a.shape[1:] for a in data)
    kinds = {TRAINING: rows - count, VALIDATION: count}
    usual: dict[str, Any] = {
        "optimizer": "sgd",
        "loss": "mse",
        "metrics": None,
        "batch": 32,
        "epochs": 1,
        "shuffle": False,
        "seed": 7,
        "sync_every": 1,
        "checkpoint_steps": 0,
    }
    return Spec(
        model=file,
        custom_objects={},
        safe_mode=True,
        layout=Layout(fields, shapes, kinds, {0: (0, 0)}, chosen, 1, digests),
        **{**usual, **settings},
    )


def _contiguous(array: Any) -> Any:
    return array if isinstance(array, RaggedRows) else np.ascontiguousarray(array)


def _field(name: str, array: Any, padding: float) -> Field:
    if not isinstance(array, RaggedRows):
        return Field(name, str(array.dtype), array.shape[1:])
    sizes = zip(array.least(), array.most(), strict=True)
    known = tuple(a if a == b else None for a, b in sizes)
    return Field(name, str(array.dtype), known, padding=padding)


def trained(
    spec: Spec,
    arrays: Sequence[Any],
    workers: int,
    folder: Path,
    callbacks: Sequence[Any] = (),
    fail: Any = None,
) -> tuple[Any, dict[str, list[Any]]]:
    """Train with workers that are threads; return the model and its history.

    `fail` is called with every message that the driver gets, and may raise.
    """
    import keras

    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(spec.seed)
    model = build_model(spec, spec.model)
    dialogue = Dialogue(spec, model, callbacks, Checkpoints(str(folder / "states")), False)
    exchange = Exchange(workers)

    def handler(rank: int, message: Message) -> Any:
        if fail is not None:
            fail(rank, message)
        return dialogue(rank, message)

    parts = placed(spec, arrays, workers)
    making = threading.Lock()

    def work(rank: int) -> None:
        place = folder / f"worker-{rank}"
        place.mkdir(exist_ok=True)
        receiver(spec.layout, spec.batch, workers)(rank, parts[rank], place)
        worker = Thread(rank, workers, place, exchange, handler)
        with making:  # keras.utils.set_random_seed is one for the process
            training = Training(worker, spec)
        training.run()

    if not dialogue.stop:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(workers)))
    return dialogue.finish(), dialogue.history


def placed(spec: Spec, arrays: Sequence[Any], workers: int) -> list[list[Any]]:
    """Return what each worker is sent, in blocks that arrive in the wrong order."""
    pieces: list[list[Any]] = [[] for _ in range(workers)]
    split = splitter(spec.layout, spec.batch, workers)
    for start in reversed(range(0, len(arrays[0]), BLOCK)):
        block = block_of(0, start, [a[start : start + BLOCK] for a in arrays], digest="")
        for rank, piece in split(block):
            pieces[rank].append(piece)
    return pieces


class Exchange:
    """Texts of all workers."""

    def __init__(self, count: int) -> None:
        self._values = [""] * count
        self._all = threading.Barrier(count)

    def __call__(self, rank: int, value: str) -> list[str]:
        self._values[rank] = value
        self._all.wait(60)
        values = list(self._values)
        self._all.wait(60)
        return values


class Thread:
    """What a `Worker` is to a training."""

    def __init__(self, rank: int, count: int, folder: Path, exchange: Any, handler: Any) -> None:
        self.rank, self.count, self.folder = rank, count, folder
        self.host, self.seconds = "localhost", 60.0
        self.secret, self.ports = "the secret of a run", ANY_PORT
        self._exchange, self._handler = exchange, handler

    def exchange(self, value: str) -> list[str]:
        return list(self._exchange(self.rank, value))

    def ask(self, kind: str, payload: Any = b"", **fields: Any) -> Any:
        sent = payload if isinstance(payload, bytes) else b"".join(payload)
        answered, data = self._handler(self.rank, Message(kind, fields, bytearray(sent)))
        return SimpleNamespace(fields=answered, payload=data)

    def tell(self, kind: str, payload: Any = b"", **fields: Any) -> None:
        self.ask(kind, payload, **fields)


__all__ = ["replace", "spec_for", "spec_of", "trained"]
