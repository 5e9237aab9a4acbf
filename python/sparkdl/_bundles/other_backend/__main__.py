"""The process that converts: `python -m sparkdl._bundles.other_backend JOB OUTCOME`."""

from __future__ import annotations

import logging
import pickle
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from sparkdl._bundles.other_backend.one_backend import LAYERS, explain_errors
from sparkdl._bundles.other_backend.process import Outcome, Surroundings
from sparkdl.errors import InvalidModelException


def main(job: Path, file: Path) -> None:
    """Make a call and write its outcome to a file."""
    outcome = Outcome()
    with job.open("rb") as job_file, _recording(outcome):
        surroundings: Surroundings = pickle.load(job_file)
        sys.path[:] = surroundings.path
        try:
            outcome.value = _call(job_file, surroundings)
        except Exception as e:  # it is raised where the call comes from
            outcome.trace = "".join(traceback.format_exception(e))
            outcome.error = _to_portable(e)
    file.write_bytes(_pickle(outcome))


def _call(job: BinaryIO, surroundings: Surroundings) -> Any:
    from sparkdl._models.libraries import keras

    for name, value in surroundings.settings.items():
        getattr(keras().config, f"set_{name}")(value)
    with explain_errors(surroundings.backend, LAYERS):
        return pickle.load(job)()


@contextmanager
def _recording(outcome: Outcome) -> Iterator[None]:
    """Record warnings, and what sparkdl logs, for a block."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            outcome.records.append((record.name, record.levelno, record.getMessage()))

    logging.getLogger("sparkdl").addHandler(Handler(logging.WARNING))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", UserWarning)
        yield
    outcome.warnings += [str(w.message) for w in caught if w.category is UserWarning]


def _to_portable(error: Exception) -> Exception:
    """Return an error that survives pickling as it is, of others the class and text in ours."""
    try:
        copy = pickle.loads(_pickle(error))
        if type(copy) is type(error) and str(copy) == str(error):
            return error
    except Exception:  # whatever the class of an error may do
        pass
    return InvalidModelException(f"{type(error).__name__}: {error}")


def _pickle(value: object) -> bytes:
    from pyspark import cloudpickle

    return bytes(cloudpickle.dumps(value))  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
