"""Why runs of workers end, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sparkdl import errors
from sparkdl._processes.link import DriverUnreachable
from sparkdl.errors import ModelExecutionException, SparkDLException

_STACK = "\nDriver stacktrace:"  # where the part of Spark's messages begins that says little
_NOT_FOUND = ("ModuleNotFoundError", "ImportError")
# What will fail again in the same way: the executors' Python, and what the program is.
_HOPELESS = (
    DriverUnreachable,
    ImportError,
    NameError,
    TypeError,
    AttributeError,
    LookupError,
    SparkDLException,
)
# The same where Spark tells it, with the traceback of a task.
_TOLD_BY_SPARK = re.compile(
    rf"(?:^|[\s.])((?:{'|'.join((DriverUnreachable.__name__, *_NOT_FOUND))}): .*"
    r"|\[PYTHON_VERSION_MISMATCH\] .*)",
    re.MULTILINE,
)
_PACKAGES = (
    "Executors need sparkdl, TensorFlow, Keras and pyarrow (pip install 'sparkdl[tensorflow]'), "
    "and modules of your own (spark.submit.pyFiles).\n"
)


@dataclass(frozen=True)
class Failure:
    """Why a worker ended. One that is not final may go well when it is tried again.

    Attributes
    ----------
    rank : int
        -1 for the driver.
    error : str
        Name of the class of the exception.
    """

    rank: int
    error: str
    reason: str
    trace: str = ""
    final: bool = True


def hopeless(error: BaseException) -> bool:
    """Say whether a task that has ended so would end so again, whenever it is tried."""
    return isinstance(error, _HOPELESS)


def hopeless_job(error: BaseException | None, count: int) -> ModelExecutionException | None:
    """Return what to raise when a job has failed for a reason that no other attempt mends.

    Tasks that could not tell the driver are heard of by Spark only, as text.
    """
    if isinstance(error, DriverUnreachable):
        return ModelExecutionException(str(error))
    found = _TOLD_BY_SPARK.search(str(error))
    if found is None:
        return None
    reason = found[1].strip()
    advice = _PACKAGES if reason.startswith(_NOT_FOUND) else ""
    reason = reason.removeprefix(f"{DriverUnreachable.__name__}: ")
    return ModelExecutionException(f"{count} worker(s) cannot run: {reason}\n{advice}".rstrip())


def error_of(failure: Failure, count: int) -> SparkDLException:
    """Return what to raise: an exception of sparkdl's as itself, others with their traceback."""
    known = getattr(errors, failure.error, None)
    if isinstance(known, type) and issubclass(known, SparkDLException):
        return known(failure.reason)
    who = "The driver" if failure.rank < 0 else f"Worker {failure.rank} of {count}"
    advice = _PACKAGES if failure.error in _NOT_FOUND and failure.rank >= 0 else ""
    text = f"{who} failed: {failure.error}: {failure.reason}\n{advice}{failure.trace}"
    return ModelExecutionException(text.rstrip())


def ended(why: str) -> ModelExecutionException:
    """Return what to raise when a deadline has passed."""
    return ModelExecutionException(f"The run was ended: {why} (param timeout).")


def slow_driver(seconds: float) -> str:
    """Say that workers cannot wait for the driver any longer."""
    return f"callbacks or a checkpoint on the driver took more than {seconds:g} s"


def no_slots(count: int, seconds: float) -> str:
    """Say that workers cannot begin."""
    return f"no task slots for {count} workers became free within {seconds:g} s"


def told_of_lost(lost: Sequence[Failure], error: BaseException | None, count: int) -> str:
    """Say which workers were lost; if none of them could tell, what Spark says."""
    reasons = dict.fromkeys(f"- worker {f.rank} of {count}: {f.error}: {f.reason}" for f in lost)
    if not reasons:
        reasons[f"- {str(error).partition(_STACK)[0].strip()}"] = None
    return "\n".join(["The run lost workers:", *reasons])
