"""What `TensorFlowDistributor` does in each process before and after the user's function."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sparkdl._processes.coordinator import Answer
from sparkdl._processes.gpus import VISIBLE, visible_devices
from sparkdl._processes.link import Message
from sparkdl._processes.network import authority, free_port
from sparkdl._processes.worker import Worker
from sparkdl._processes.worker_process import WorkerLost
from sparkdl.data._shards import Share

_FINISH_POLL_SECONDS = 0.2
# What TensorFlow raises in a process when another one is gone.
_LOST = ("UnavailableError", "AbortedError", "CancelledError")


@dataclass(frozen=True)
class Call:
    """The user's function, and the GPUs of each process: None hides all, () leaves the task's."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    gpus: tuple[tuple[str, ...], ...] | None


def train(worker: Worker, call: Call) -> Any:
    """Call the function with `TF_CONFIG` set; return its result in process 0."""
    with _reserved_port() as port:
        addresses = worker.exchange(authority(worker.host, port))
        os.environ.update(environment(worker.rank, addresses, _gpus(worker, call)))
        try:
            args, kwargs = _with_datasets(worker, call)
            result = call.function(*args, **kwargs)
        except Exception as e:
            if _another_is_gone(e):
                raise WorkerLost(f"another process is gone: {e}") from e
            raise
        _wait_for_the_others(worker)
    return result if worker.rank == 0 else None


def _with_datasets(worker: Worker, call: Call) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments, with a function in place of each share of rows.

    The function makes the dataset, once the user has made the strategy: TensorFlow has to know of
    the other processes before it does anything else.
    """

    def value(argument: object) -> object:
        if isinstance(argument, Share):
            return partial(argument.dataset, worker.folder, worker.count, worker.rank)
        return argument

    return [value(a) for a in call.args], {k: value(v) for k, v in call.kwargs.items()}


def environment(rank: int, addresses: Sequence[str], gpus: Sequence[str] | None) -> dict[str, str]:
    """Return what TensorFlow reads: who is there, who this is, and which GPUs it sees.

    Without GPUs in the tuple, those of the worker's process stay.

    >>> environment(1, ["a:1", "b:2"], None)["TF_CONFIG"]
    '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}'
    """
    task = {"type": "worker", "index": rank}
    config = {"cluster": {"worker": list(addresses)}, "task": task}
    variables = {"TF_CONFIG": json.dumps(config), "TF_GRPC_REUSE_PORT": "true"}
    if gpus is None:
        variables[VISIBLE] = "-1"
    elif gpus:
        variables[VISIBLE] = visible_devices(gpus, os.environ)
    return variables


def _gpus(worker: Worker, call: Call) -> Sequence[str] | None:
    if not call.gpus:
        return None if call.gpus is None else ()
    return call.gpus[worker.rank]


@contextmanager
def _reserved_port() -> Iterator[int]:
    """Yield a free port on which nobody but TensorFlow may listen until the block ends.

    This socket does not listen: connections go to TensorFlow's.
    """
    with free_port(reuse=True) as reserved:
        yield reserved.getsockname()[1]


def _another_is_gone(error: Exception) -> bool:
    """Say whether the error is that another process no longer answers TensorFlow."""
    module = type(error).__module__ or ""
    return module.startswith("tensorflow") and type(error).__name__ in _LOST


def _wait_for_the_others(worker: Worker) -> None:
    """Stay until all are done: a process that ended would take its part of TensorFlow's service.

    While others train there is no time limit; a process that fails or is lost ends the run for all.
    """
    while not worker.ask("finished", attempt=worker.attempt).fields["all"]:
        time.sleep(_FINISH_POLL_SECONDS)


class Finish:
    """The driver's side of `_wait_for_the_others`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._done: dict[int, set[int]] = {}

    def __call__(self, rank: int, message: Message) -> Answer:
        """Note that a worker has finished; say whether all have."""
        done = self._done.setdefault(int(message.fields["attempt"]), set())
        done.add(rank)
        return {"all": len(done) == self._count}, b""
