"""`TensorFlowDistributor`: a custom training function in several processes at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sparkdl._processes.cluster import check_slots
from sparkdl._processes.workers import SECONDS, run_workers
from sparkdl.data._shards import place_shards
from sparkdl.errors import SettingsException
from sparkdl.training._distributed_call import Call, Finish, train

if TYPE_CHECKING:
    from pyspark import SparkContext

_GPU = "gpu"

R = TypeVar("R")


class TensorFlowDistributor:
    """Runs a function in processes that TensorFlow's own collectives connect.

    Each process has the environment variable ``TF_CONFIG`` with the addresses of all, so that
    ``tf.distribute.MultiWorkerMirroredStrategy()`` in the function spans them. Keras 3's ``fit``
    does not work under that strategy: write the loop with ``strategy.run``, or use
    `sparkdl.KerasEstimator`, which needs no strategy.

    The processes are tasks of one barrier job of Spark: all start at the same time, or none. What
    they write is shown by the driver, line by line with the number of the process. If the function
    raises in one of them, all are ended, and `run` raises with its traceback. If a process or its
    machine is lost, all are started again, until that has happened four times: save checkpoints,
    and load the last one when there is one.

    Deadlines: `timeout` seconds for free task slots when nothing else of the application runs, for
    all processes to arrive after the first, and for each connection to the driver. The function may
    take as long as it likes: processes that wait for a lost one are ended with it. Ctrl-C cancels
    the job.

    Parameters
    ----------
    numProcesses : int
        Processes, 1 or more; on the cluster each needs a task slot.
    localMode : bool
        True runs all of them on the driver's machine, without a Spark job and without executors.
    useGpu : bool
        True gives each process the GPUs of its task (``spark.task.resource.gpu.amount``), and in
        local mode its share of the driver's (``spark.driver.resource.gpu.amount``). False hides
        all GPUs.
    timeout : float
        Seconds.

    Raises
    ------
    SettingsException
        There are no processes, fewer task slots than processes, or fewer GPUs than asked for.

    Examples
    --------
    >>> def train(steps):  # doctest: +SKIP
    ...     strategy = tf.distribute.MultiWorkerMirroredStrategy()
    ...     with strategy.scope():
    ...         model = build()
    ...     ...
    ...     return model.get_weights()
    >>> weights = TensorFlowDistributor(numProcesses=4, localMode=False).run(
    ...     train, 1000
    ... )  # doctest: +SKIP
    """

    def __init__(
        self,
        numProcesses: int = 1,
        localMode: bool = True,
        useGpu: bool = False,
        *,
        timeout: float = SECONDS,
    ) -> None:
        if numProcesses < 1:
            raise SettingsException(f"numProcesses must be at least 1, got {numProcesses}.")
        self.numProcesses = numProcesses
        self.localMode = localMode
        self.useGpu = useGpu
        self.timeout = timeout

    def run(self, train_fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
        """Call the function in each process, and return the result of process 0.

        Parameters
        ----------
        train_fn : callable
            Travels by cloudpickle: it may be a local function. It should import TensorFlow itself.
        *args, **kwargs
            Of the function, the same in all processes, except that ``tf_dataset(..., shard=True)``
            becomes in each a function without arguments, which returns the `tf.data.Dataset` of its
            own rows (not in local mode). Make the strategy before you call it.

        Returns
        -------
        object
            What the function returned in process 0, which must be picklable.

        Raises
        ------
        ModelExecutionException
            The function failed in a process (the message has its traceback), or processes were
            lost, or a deadline passed.
        """
        context = None if self.localMode else _context()
        gpus = _gpus(self.numProcesses, context) if self.useGpu else None
        check_slots(context, self.numProcesses)
        with place_shards((*args, *kwargs.values()), self.numProcesses, self.localMode) as (
            values,
            way,
        ):
            own, named = values[: len(args)], dict(zip(kwargs, values[len(args) :], strict=True))
            results = run_workers(
                context,
                self.numProcesses,
                train,
                (Call(train_fn, tuple(own), named, gpus),),
                **way,
                handler=Finish(self.numProcesses),
                seconds=self.timeout,
                description=f"TensorFlowDistributor: {getattr(train_fn, '__name__', 'train_fn')}",
            )
        return cast(R, results[0])


def _context() -> SparkContext:
    from sparkdl.session.jvm_door import active_session

    return active_session().sparkContext


def _gpus(count: int, sc: SparkContext | None) -> tuple[tuple[str, ...], ...]:
    """Return the GPUs of each process in local mode; on the cluster, tasks know theirs (())."""
    if sc is not None:
        amount = float(sc.getConf().get("spark.task.resource.gpu.amount", "0"))
        if amount < 1:
            raise SettingsException(
                f"useGpu=True, but a task has {amount:g} GPUs. Start Spark with "
                "spark.executor.resource.gpu.amount, spark.executor.resource.gpu.discoveryScript "
                "and spark.task.resource.gpu.amount=1 (or more), or set useGpu=False."
            )
        return ()
    resource = _context().resources.get(_GPU)
    addresses = list(resource.addresses) if resource else []
    if len(addresses) < count:
        raise SettingsException(
            f"useGpu=True needs a GPU for each of {count} processes, but the driver has "
            f"{len(addresses)}. Start Spark with spark.driver.resource.gpu.amount and "
            "spark.driver.resource.gpu.discoveryScript, or set useGpu=False."
        )
    return tuple(tuple(addresses[rank::count]) for rank in range(count))
