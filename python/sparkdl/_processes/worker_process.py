"""The process of a worker: it alone suffers when the function leaks memory or crashes."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from sparkdl._models.files.travelling import dumps, loads
from sparkdl._processes import child_process
from sparkdl._processes.gpus import VISIBLE, visible_devices
from sparkdl._processes.link import LinkClosed
from sparkdl._processes.listener import Address
from sparkdl._processes.worker import Worker

JOB = "job.pickle"  # in a worker's folder
FAILURE_SENT = 10  # exit status of a process that has told the driver why it failed


class WorkerLost(ConnectionError):
    """Another worker is gone. It is not this worker's fault, so the run may be tried again."""


@dataclass(frozen=True)
class WorkerJob:
    """All that a worker's process needs to know."""

    rank: int
    count: int
    attempt: int
    host: str
    threads: int
    gpus: tuple[str, ...]
    address: Address
    seconds: float
    call: bytes  # (function, arguments) by cloudpickle; read here, for it may import Keras


def main(folder: str) -> None:
    """Run the function of the folder's job, and send the driver its result or why it failed.

    Ends the process, with status 0 if all went well, FAILURE_SENT if the driver knows of a failure.
    """
    place = Path(folder)
    child_process.begin(place)
    job: WorkerJob = pickle.loads((place / JOB).read_bytes())
    _prepare(job)
    worker = Worker(
        rank=job.rank,
        count=job.count,
        attempt=job.attempt,
        host=job.host,
        folder=place,
        threads=job.threads,
        address=job.address,
        seconds=job.seconds,
    )
    status = _run(worker, job)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads that the function left behind, such as gRPC's, must not delay it


def _prepare(job: WorkerJob) -> None:
    """Set what TensorFlow reads from the environment when it starts."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(job.threads))
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(job.threads))
    if job.gpus:
        os.environ[VISIBLE] = visible_devices(job.gpus, os.environ)


def _run(worker: Worker, job: WorkerJob) -> int:
    try:
        function, arguments = loads(job.call)
        worker.hand_over(_pickle(function(worker, *arguments)))
        return 0
    except BaseException as e:  # SystemExit too: the function should have returned
        trace = traceback.format_exc()
        try:
            worker.fail(e, trace, not isinstance(e, WorkerLost))
        except (LinkClosed, TimeoutError):
            sys.stderr.write(trace)
            return 1
        return FAILURE_SENT


def _pickle(result: object) -> bytes:
    try:
        return dumps(result)
    except Exception as e:
        raise TypeError(
            f"what the function returned, of type {type(result).__name__}, cannot be sent to the "
            f"driver: {e}. Return numbers, arrays or text, or save it and return the path."
        ) from e
