"""The task of one trial: writes the arrays to local disk and starts a process that trains."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkdl._placement.blocks import Block
from sparkdl._placement.placement import Layout, receiver, splitter
from sparkdl._processes.listener import Address
from sparkdl._processes.progress import Reporter
from sparkdl._processes.run_process import local_folder, run_process
from sparkdl._processes.surroundings import Keeping, starter
from sparkdl.estimators._trials.trial_process import BUNDLE, JOB, RESULT, TrialJob, main

_PIECE_BYTES = 8 << 20
_ADVICE = "Smaller batches, smaller images or fewer trials at once (spark.task.cpus) need less."


@dataclass(frozen=True)
class TrialsWork:
    """What is broadcast to every trial's task."""

    model: bytes  # the content of the file of Keras
    suffix: str
    safe_mode: bool
    trials: tuple[bytes, ...]
    layout: Layout
    threads: int
    idle_seconds: float
    address: Address | None


@dataclass(frozen=True)
class TrialOutcome:
    """What became of a trial: a history or a failure, and how long it took."""

    trial: int
    seconds: float
    history: dict[str, list[Any]] | None = None
    failure: str | None = None


def run_trial(
    trial: int, work: TrialsWork, blocks: Iterable[Block]
) -> Iterator[TrialOutcome | bytes]:
    """Yield the outcome, then the trial's bundle as a zip in pieces; a failure has none."""
    with local_folder("sparkdl-trial-") as folder:
        _receive(work.layout, blocks, folder)
        model = f"model{work.suffix}"
        (folder / model).write_bytes(work.model)
        job = TrialJob(
            trial=work.trials[trial],
            model=model,
            safe_mode=work.safe_mode,
            layout=work.layout,
            threads=work.threads,
            address=work.address,
        )
        (folder / JOB).write_bytes(pickle.dumps(job))
        start = time.monotonic()
        modules = (main.__module__, "keras")
        result = _result(folder, Keeping(modules, starter(), work.idle_seconds))
        outcome = TrialOutcome(trial, time.monotonic() - start, **result)
        Reporter(work.address, trial).report(_ending(outcome))
        yield outcome
        if outcome.failure is None:
            yield from _pieces(
                Path(shutil.make_archive(str(folder / "zip"), "zip", folder / BUNDLE))
            )


def _receive(layout: Layout, blocks: Iterable[Block], folder: Path) -> None:
    """Write the arrays of all blocks: a trial is the only worker on them."""
    split = splitter(layout, batch=1, workers=1)
    pieces = (piece for block in blocks for _, piece in split(block))
    receiver(layout, batch=1, workers=1)(0, pieces, folder)


def _ending(outcome: TrialOutcome) -> str:
    if outcome.failure is not None:
        return f"FAILED after {outcome.seconds:.0f} s: {outcome.failure}"
    return f"trained in {outcome.seconds:.1f} s"


def _result(folder: Path, keeping: Keeping) -> dict[str, Any]:
    """Run the process that trains, and return its result: a history or a failure."""
    end = run_process(main, folder, keeping)
    file = folder / RESULT
    result = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if "history" not in result:
        sys.stderr.write(end.output)  # of the executor
        result.setdefault("failure", end.describe(_ADVICE))
    return dict(result)


def _pieces(file: Path) -> Iterator[bytes]:
    with open(file, "rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece
