"""The task of one trial: writes the arrays to local disk and has a process train on them."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparkdl._processes.child_process import death, local_folder, start_server
from sparkdl._processes.progress import Address, Sender
from sparkdl.estimators._trials import trial_process
from sparkdl.estimators._trials.image_blocks import Block, Layout
from sparkdl.estimators._trials.trial_process import BUNDLE, IMAGES, JOB, LABELS, LOG, RESULT, Job

_MODEL_FILE = "model"
_PIECE_BYTES = 8 << 20
_LOG_LENGTH = 20_000  # characters
_ADVICE = "Smaller batches, smaller images or fewer trials at once (spark.task.cpus) need less."


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
    history: dict[str, list[Any]] | None = None
    failure: str | None = None


def run_trial(trial: int, work: Work, blocks: Iterable[Block]) -> Iterator[Outcome | bytes]:
    """Give the outcome, then the trial's bundle as a zip in pieces; a failure has none."""
    with local_folder("sparkdl-trial-") as folder:
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
    """Run `trial_process.train` and return what it left: a history or a failure."""
    start_server(folder / LOG, ["keras", trial_process.__name__])
    process = multiprocessing.get_context("forkserver").Process(
        target=trial_process.train, args=(str(folder),)
    )
    process.start()
    process.join()
    left = folder / RESULT
    result = json.loads(left.read_text(encoding="utf-8")) if left.is_file() else {}
    if "history" not in result:
        log = (folder / LOG).read_text(encoding="utf-8", errors="replace")
        sys.stderr.write(log[-_LOG_LENGTH:])  # of the executor
        result.setdefault("failure", death(process.exitcode, log, _ADVICE))
    return dict(result)


def _pieces(file: Path) -> Iterator[bytes]:
    with open(file, "rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece
