"""A call carried out by another Python process, in which Keras runs on TensorFlow."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparkdl._models.libraries import keras, other_backend
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import InvalidModelException
from sparkdl.errors.user_warnings import warn

_JOB, _OUTCOME, _LOG = "job", "outcome", "log"
# What layers ask Keras for when they are created.
_SETTINGS = ("floatx", "epsilon", "image_data_format")


class RemoteTraceback(Exception):
    """The traceback of the other process."""


@dataclass(frozen=True)
class Surroundings:
    """What the other process has in common with this one.

    Attributes
    ----------
    path : list of str
        Where modules are found.
    backend : str
        What Keras runs on in this process.
    settings : dict
        Of `keras.config`, by name.
    """

    path: list[str]
    backend: str
    settings: dict[str, Any]


@dataclass
class Outcome:
    """What a call returned, raised and logged.

    Attributes
    ----------
    value : object
    error : Exception or None
    trace : str
        Where in the other process the error came from.
    warnings : list of str
    records : list of (str, int, str)
        Of the log: logger, level, message.
    """

    value: Any = None
    error: Exception | None = None
    trace: str = ""
    warnings: list[str] = field(default_factory=list)
    records: list[tuple[str, int, str]] = field(default_factory=list)


def run(call: Callable[[], Any]) -> Any:
    """Return what a call returns, raise what it raises, warn of what it warns of.

    Raises
    ------
    InvalidModelException
        Something that belongs to the model cannot be pickled; or the process ended early.
    """
    with scratch_folder() as folder:
        (folder / _JOB).write_bytes(_job(call))
        with (folder / _LOG).open("wb") as log:
            process = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "sparkdl._bundles.other_backend",
                    folder / _JOB,
                    folder / _OUTCOME,
                ],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
        return _result(_outcome(folder, process.returncode))


def _job(call: Callable[[], Any]) -> bytes:
    """Return the surroundings followed by the call, whose unpickling needs them."""
    from pyspark import cloudpickle

    config = keras().config
    settings = {name: getattr(config, name)() for name in _SETTINGS}
    settings["dtype_policy"] = config.dtype_policy().name
    backend = str(other_backend())
    surroundings = pickle.dumps(Surroundings(list(sys.path), backend, settings))
    try:
        return surroundings + bytes(cloudpickle.dumps(call))  # type: ignore[no-untyped-call]
    except Exception as e:  # whatever an object may raise
        raise InvalidModelException(
            f"Keras runs on {backend!r} here, so the model is converted in a process in which it "
            f"runs on TensorFlow, and a class or function of the model cannot be sent there: {e}. "
            "Functions and classes must not use what cannot be pickled, such as locks and open "
            "files; or set KERAS_BACKEND=tensorflow in the environment before Python starts."
        ) from e


def _environment() -> dict[str, str]:
    return {
        "TF_CPP_MIN_LOG_LEVEL": "2",
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "PYTHONPATH": os.pathsep.join(sys.path),
        # The memory of GPUs is taken by this process' Keras, and converting needs none.
        "CUDA_VISIBLE_DEVICES": "-1",
    }


def _outcome(folder: Path, code: int) -> Outcome:
    file = folder / _OUTCOME
    if not file.is_file():
        lines = (folder / _LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise InvalidModelException(
            f"Keras runs on {other_backend()!r} here, and the process that converts the model on "
            f"TensorFlow ended with exit status {code}. Its last words: "
            f"{' '.join(lines[-3:]) or 'none'}"
        )
    outcome: Outcome = pickle.loads(file.read_bytes())
    return outcome


def _result(outcome: Outcome) -> Any:
    for text in outcome.warnings:
        warn(text)
    for logger, level, message in outcome.records:
        logging.getLogger(logger).log(level, "%s", message)
    if outcome.error is not None:
        raise outcome.error from RemoteTraceback(outcome.trace)
    return outcome.value
