"""The task of one trial: writes the arrays to local disk and has a process train on them."""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.forkserver as forkserver
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparkdl.estimators import _train_process
from sparkdl.estimators._progress import Address, Sender
from sparkdl.estimators._train_process import BUNDLE, IMAGES, JOB, LABELS, LOG, RESULT, Job
from sparkdl.estimators._training_data import Block, Layout

_MODEL_FILE = "model"
_PIECE_BYTES = 8 << 20
_LOG_LENGTH = 20_000  # characters


@dataclass(frozen=True)
class Work:
    """What every trial's task is sent, by broadcast."""

    model: bytes  # of the file of Keras
    suffix: str
    safe_mode: bool
    trials: tuple[bytes, ...]
    layout: Layout
    threads: int
    address: Address | None


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: a history or a failure, and how long it took."""

    trial: int
    seconds: float
    history: dict[str, list[float]] | None = None
    failure: str | None = None


def run_trial(trial: int, work: Work, blocks: Iterable[Block]) -> Iterator[Outcome | bytes]:
    """Give the outcome, then the trial's bundle as a zip in pieces; a failure has none."""
    with _folder() as folder:
        _write_arrays(folder, work.layout, blocks)
        (folder / f"{_MODEL_FILE}{work.suffix}").write_bytes(work.model)
        job = Job(
            trial=work.trials[trial],
            model=f"{_MODEL_FILE}{work.suffix}",
            safe_mode=work.safe_mode,
            layout=work.layout,
            threads=work.threads,
            address=work.address,
        )
        (folder / JOB).write_bytes(pickle.dumps(job))
        start = time.monotonic()
        result = _in_a_process(folder)
        outcome = Outcome(trial, time.monotonic() - start, **result)
        Sender(work.address, trial).send(_ending(outcome))
        yield outcome
        if outcome.failure is None:
            yield from _pieces(
                Path(shutil.make_archive(str(folder / "zip"), "zip", folder / BUNDLE))
            )


def _ending(outcome: Outcome) -> str:
    if outcome.failure is not None:
        return f"FAILED after {outcome.seconds:.0f} s: {outcome.failure}"
    return f"trained in {outcome.seconds:.1f} s"


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder on Spark's local disks, which may be larger than /tmp."""
    disks = [d for d in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if os.path.isdir(d)]
    place = disks[os.getpid() % len(disks)] if disks else None
    folder = tempfile.mkdtemp(prefix="sparkdl-trial-", dir=place)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_arrays(folder: Path, layout: Layout, blocks: Iterable[Block]) -> None:
    """Write each block to its place, so that the order in which they arrive does not matter."""
    image_bytes = np.dtype(layout.dtype).itemsize * int(np.prod(layout.image))
    label_bytes = 0 if layout.label is None else 8 * int(np.prod(layout.label))
    rows = 0
    # Seeking leaves holes, which later blocks fill.
    with open(folder / IMAGES, "wb") as images, open(folder / LABELS, "wb") as labels:
        for block in blocks:
            row = layout.starts[block.partition] + block.first
            images.seek(row * image_bytes)
            pixels = np.frombuffer(block.images, block.dtype).astype(layout.dtype, copy=False)
            images.write(pixels.data)
            labels.seek(row * label_bytes)
            labels.write(block.labels)
            rows += pixels.nbytes // image_bytes
    if rows != layout.rows:
        raise RuntimeError(f"{rows} rows of {layout.rows} arrived at the trial")


def _in_a_process(folder: Path) -> dict[str, Any]:
    """Run `_train_process.train` and return what it left: a history or a failure."""
    _start_server(folder)
    process = multiprocessing.get_context("forkserver").Process(
        target=_train_process.train, args=(str(folder),)
    )
    process.start()
    process.join()
    left = folder / RESULT
    result = json.loads(left.read_text(encoding="utf-8")) if left.is_file() else {}
    if "history" not in result:
        log = (folder / LOG).read_text(encoding="utf-8", errors="replace")
        sys.stderr.write(log[-_LOG_LENGTH:])  # of the executor
        result.setdefault("failure", _death(process.exitcode, log))
    return dict(result)


def _start_server(folder: Path) -> None:
    """Start, once per worker, the process that trials are forked from.

    It has imported Keras and has not used TensorFlow, so that a trial starts at once, and leaves
    nothing behind in the worker. What TensorFlow writes while it is imported goes to the log.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no GPU is no error
    forkserver.set_forkserver_preload(["keras", "sparkdl.estimators._train_process"])
    own = os.dup(2)
    with open(folder / LOG, "ab") as log:
        os.dup2(log.fileno(), 2)
    try:
        forkserver.ensure_running()
    finally:
        os.dup2(own, 2)
        os.close(own)


def _death(code: int | None, log: str) -> str:
    last = next((f" It last wrote: {x.strip()}" for x in log.splitlines()[::-1] if x.strip()), "")
    if code is None or code >= 0:
        return f"the process that trained ended with exit status {code}.{last}"
    name = signal.Signals(-code).name
    memory = " The machine may be out of memory." if name == "SIGKILL" else ""
    return (
        f"the process that trained was ended by {name}.{memory} Smaller batches, smaller images or "
        f"fewer trials at once (spark.task.cpus) need less.{last}"
    )


def _pieces(file: Path) -> Iterator[bytes]:
    with open(file, "rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece
