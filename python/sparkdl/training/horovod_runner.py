"""`HorovodRunner`, with the signature of sparkdl 1.x, and no Horovod."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from sparkdl._processes.cluster import task_slots
from sparkdl._processes.workers import SECONDS
from sparkdl.errors import SettingsException
from sparkdl.training.tensorflow_distributor import TensorFlowDistributor, _context

_HOROVOD = "horovod"
_VERBOSITIES = ("all", "log_callback_only")

R = TypeVar("R")


class HorovodRunner:
    """Runs a training function in several processes, as `TensorFlowDistributor` does.

    Horovod itself has no release for this TensorFlow and is neither needed nor started: processes
    find each other by ``TF_CONFIG``. Replace ``hvd.init()`` and ``hvd.DistributedOptimizer`` by
    ``tf.distribute.MultiWorkerMirroredStrategy``, or the whole by `sparkdl.KerasEstimator`. A
    function that imports Horovod fails at once, instead of training alone in each process.

    Parameters
    ----------
    np : int
        Negative: that many processes on the driver's machine, so that -1 is one process, and not
        this one (in sparkdl 1.x it was this one, on Databricks one of its own). Positive: that many
        on the cluster, each in a task slot. 0: one per task slot.
    driver_log_verbosity : {"all", "log_callback_only"}
        Taken because Databricks' runner has it, and without effect: the driver always shows what
        all processes write.
    useGpu, timeout
        As in `TensorFlowDistributor`.

    Examples
    --------
    >>> def main(rate):  # doctest: +SKIP
    ...     strategy = tf.distribute.MultiWorkerMirroredStrategy()
    ...     ...
    >>> HorovodRunner(np=4).run(main, rate=0.1)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        np: int,
        driver_log_verbosity: str = "all",
        useGpu: bool = False,
        timeout: float = SECONDS,
    ) -> None:
        if driver_log_verbosity not in _VERBOSITIES:
            raise SettingsException(
                f"driver_log_verbosity must be one of {', '.join(_VERBOSITIES)}, got "
                f"{driver_log_verbosity!r}."
            )
        self.num_processor = np
        self._use_gpu, self._timeout = useGpu, timeout

    def run(self, main: Callable[..., R], **kwargs: Any) -> R:
        """Call ``main(**kwargs)`` in each process, and return the result of process 0.

        Raises
        ------
        SettingsException
            There are fewer task slots than processes.
        ModelExecutionException
            As `TensorFlowDistributor.run`.
        """
        count = self.num_processor or task_slots(_context())
        distributor = TensorFlowDistributor(
            abs(count), count < 0, self._use_gpu, timeout=self._timeout
        )
        result: R = distributor.run(_without_horovod, main, abs(count) == 1, **kwargs)
        return result


def _without_horovod(main: Callable[..., R], alone: bool, /, **kwargs: Any) -> R:
    """Call the function without Horovod, which would believe that each process is the only one."""
    if not alone:
        sys.modules[_HOROVOD] = None  # type: ignore[assignment]
    try:
        return main(**kwargs)
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] != _HOROVOD:
            raise
        raise SettingsException(
            "HorovodRunner does not start Horovod, so main must not import it. Processes find each "
            "other by TF_CONFIG: use tf.distribute.MultiWorkerMirroredStrategy() instead of "
            "hvd.init() and hvd.DistributedOptimizer, or sparkdl.KerasEstimator."
        ) from e
