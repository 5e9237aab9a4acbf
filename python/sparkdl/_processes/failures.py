"""Why runs of workers end, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sparkdl import errors
from sparkdl._processes.link import DriverUnreachable
from sparkdl.errors import ModelExecutionException, SparkDLException

_STACK = "\nDriver stacktrace:"  # begins the part of Spark's messages that says little
_NOT_FOUND = ("ModuleNotFoundError", "ImportError")
# What will fail again in the same way: faults of the executors' Python and of the program.
_HOPELESS = (
    DriverUnreachable,
    ImportError,
    NameError,
    TypeError,
    AttributeError,
    LookupError,
    SparkDLException,
)
# The same in Spark's words, with the traceback of a task.
_IN_SPARK_MESSAGE = re.compile(
    rf"(?:^|[\s.])((?:{'|'.join((DriverUnreachable.__name__, *_NOT_FOUND))}): .*"
    r"|\[PYTHON_VERSION_MISMATCH\] .*)",
    re.MULTILINE,
)
_PACKAGES = (
    "Executors need sparkdl, TensorFlow, Keras and pyarrow (pip install 'sparkdl-py[tensorflow]'), "
    "and your own modules (spark.submit.pyFiles).\n"
)


@dataclass(frozen=True)
class Failure:
    """Why a worker ended. After one that is not final, another attempt may succeed.

    Attributes
    ----------
    rank : int
        -1 for the driver.
    error : str
        Name of the class of the exception.
    late : int or None
        The worker that this one has waited for in vain.
    """

    rank: int
    error: str
    reason: str
    trace: str = ""
    final: bool = True
    late: int | None = None


def is_hopeless(error: BaseException) -> bool:
    """Say whether a task that fails with this error would fail with it on every attempt."""
    return isinstance(error, _HOPELESS)


def hopeless_job_error(error: BaseException | None, count: int) -> ModelExecutionException | None:
    """Return what to raise when a job has failed for a reason that no other attempt mends.

    The driver hears only from Spark, as text, of tasks that could not connect to it.
    """
    if isinstance(error, DriverUnreachable):
        return ModelExecutionException(str(error))
    match = _IN_SPARK_MESSAGE.search(str(error))
    if match is None:
        return None
    reason = match[1].strip()
    advice = _PACKAGES if reason.startswith(_NOT_FOUND) else ""
    reason = reason.removeprefix(f"{DriverUnreachable.__name__}: ")
    return ModelExecutionException(f"{count} worker(s) cannot run: {reason}\n{advice}".rstrip())


def failure_error(failure: Failure, count: int) -> SparkDLException:
    """Return what to raise: an exception of sparkdl's as itself, others with their traceback."""
    known = getattr(errors, failure.error, None)
    if isinstance(known, type) and issubclass(known, SparkDLException):
        return known(failure.reason)
    who = "The driver" if failure.rank < 0 else f"Worker {failure.rank} of {count}"
    advice = _PACKAGES if failure.error in _NOT_FOUND and failure.rank >= 0 else ""
    text = f"{who} failed: {failure.error}: {failure.reason}\n{advice}{failure.trace}"
    return ModelExecutionException(text.rstrip())


def culprit(failures: Sequence[Failure]) -> Failure:
    """Return the failure that accuses the worker at fault, of several that have waited in vain.

    Where one hangs, those behind it wait for each other, too, but they can say so.
    """
    alive = {f.rank for f in failures}
    return next((f for f in failures if f.late not in alive), failures[0])


def late_worker(failure: Failure, count: int, seconds: float) -> str:
    """Say which worker hangs."""
    return (
        f"worker {failure.late} of {count} hangs: worker {failure.rank} has waited for it for "
        f"{seconds:g} s"
    )


def deadline_error(why: str) -> ModelExecutionException:
    """Return what to raise when a deadline has passed."""
    return ModelExecutionException(f"The run was ended: {why} (param timeout).")


def slow_driver(seconds: float) -> str:
    """Say that workers have waited too long for the driver."""
    return f"callbacks or a checkpoint on the driver took more than {seconds:g} s"


def no_slots(count: int, seconds: float) -> str:
    """Say that workers cannot begin."""
    return f"no task slots for {count} workers became free within {seconds:g} s"


def describe_lost(lost: Sequence[Failure], error: BaseException | None, count: int) -> str:
    """Say which workers were lost and why; if none of them could say, what Spark says."""
    reasons = dict.fromkeys(f"- worker {f.rank} of {count}: {f.error}: {f.reason}" for f in lost)
    if not reasons:
        reasons[f"- {str(error).partition(_STACK)[0].strip()}"] = None
    return "\n".join(["The run lost workers:", *reasons])
