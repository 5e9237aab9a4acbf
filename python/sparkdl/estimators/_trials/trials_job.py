"""The driver's side of training: one job that trains every trial, and the fetching of models."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._placement.whole_partitions import check_whole, until_end, with_end
from sparkdl.estimators._trials.image_blocks import ACCOUNTS, DATA, KEYS, ImageAccount
from sparkdl.estimators._trials.trial_task import TrialOutcome, TrialsWork, run_trial

if TYPE_CHECKING:
    from pyspark import RDD, Broadcast, SparkContext


class Trials:
    """Trials that were trained. Their models stay with the executors until they are fetched.

    Every trial is a partition that reads the same shuffled blocks. Its results are kept on the
    executors' disks; if they are lost before its model is fetched, the trial is trained again.
    """

    def __init__(self, sc: SparkContext, shuffled: RDD[Any], work: TrialsWork) -> None:
        from pyspark import StorageLevel

        self._sc = sc
        self._partitions = [i * KEYS + DATA for i in range(len(work.trials))]
        self._work = sc.broadcast(work)
        count = len(work.trials)
        # Partition i * KEYS + k pairs trial i with partition k. (Spark would merge the members of
        # a union, since all are partitioned alike.)
        copies = sc.parallelize(range(count), count).cartesian(shuffled)
        results = copies.mapPartitionsWithIndex(_runner(self._work))
        self._results = results.persist(StorageLevel.DISK_ONLY)

    def outcomes(self) -> list[TrialOutcome]:
        """Return what became of each trial. The first call trains them."""
        outcomes = list(self._sc.runJob(self._results, _outcomes, self._partitions))
        check_whole(len(outcomes), len(self._partitions))
        return outcomes

    def fetch(self, trial: int, folder: Path) -> None:
        """Unpack the bundle of a trial that did not fail into a new local folder."""
        pieces = self._sc.runJob(self._results, _bytes, [self._partitions[trial]])
        with tempfile.TemporaryDirectory(prefix="sparkdl-fetched-") as place:
            file = Path(place) / "bundle.zip"
            with open(file, "wb") as stream:
                stream.writelines(until_end(pieces))
            shutil.unpack_archive(file, folder)

    def close(self) -> None:
        """Let the executors forget the results of these trials."""
        self._results.unpersist()
        self._work.unpersist()


def _runner(
    work: Broadcast[TrialsWork],
) -> Callable[[int, Iterable[Any]], Iterator[TrialOutcome | bytes]]:
    def run(partition: int, pairs: Iterable[Any]) -> Iterator[TrialOutcome | bytes]:
        blocks = (block for _, (_, block) in pairs)
        return with_end(run_trial(partition // KEYS, work.value, blocks))

    return run


def _outcomes(results: Iterable[TrialOutcome | bytes]) -> list[TrialOutcome]:
    return [r for r in results if isinstance(r, TrialOutcome)]


def _bytes(results: Iterable[TrialOutcome | bytes]) -> Iterator[bytes]:
    return (r for r in results if isinstance(r, bytes))


def accounts(sc: SparkContext, shuffled: RDD[Any], count: int) -> list[ImageAccount]:
    """Load all images and shuffle them; return the accounts of the partitions."""
    arrived = sc.runJob(shuffled, lambda pairs: [account for _, account in pairs], [ACCOUNTS])
    check_whole(len(arrived), count)
    return list(arrived)
