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

from sparkdl._bundles.other_backend.one_backend import LAYERS, explained
from sparkdl._bundles.other_backend.process import Outcome, Surroundings
from sparkdl.errors import InvalidModelException


def main(job: Path, file: Path) -> None:
    """Carry out a call and write down what comes of it."""
    outcome = Outcome()
    with job.open("rb") as read, _heard(outcome):
        around: Surroundings = pickle.load(read)
        sys.path[:] = around.path
        try:
            outcome.value = _called(read, around)
        except Exception as e:  # it is raised where the call comes from
            outcome.trace = "".join(traceback.format_exception(e))
            outcome.error = _portable(e)
    file.write_bytes(_pickled(outcome))


def _called(job: BinaryIO, around: Surroundings) -> Any:
    from sparkdl._models.libraries import keras

    for name, value in around.settings.items():
        getattr(keras().config, f"set_{name}")(value)
    with explained(around.backend, LAYERS):
        return pickle.load(job)()


@contextmanager
def _heard(outcome: Outcome) -> Iterator[None]:
    """Keep warnings, and what sparkdl logs."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            outcome.records.append((record.name, record.levelno, record.getMessage()))

    logging.getLogger("sparkdl").addHandler(Handler(logging.WARNING))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default", UserWarning)
        yield
    outcome.warnings += [str(w.message) for w in found if w.category is UserWarning]


def _portable(error: Exception) -> Exception:
    """Return an error as it is, if it survives pickling, else its kind and text in one of ours."""
    try:
        again = pickle.loads(_pickled(error))
        if type(again) is type(error) and str(again) == str(error):
            return error
    except Exception:  # whatever the class of an error may do
        pass
    return InvalidModelException(f"{type(error).__name__}: {error}")


def _pickled(value: Any) -> bytes:
    from pyspark import cloudpickle

    return bytes(cloudpickle.dumps(value))  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
