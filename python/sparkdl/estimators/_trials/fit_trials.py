"""Trains an estimator's combinations of params, and returns a transformer for each."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._places.held_folders import hold_new
from sparkdl._places.temporary_folders import new_folder
from sparkdl._processes.cluster import idle_seconds, threads_per_process
from sparkdl._processes.encryption import check_encryption
from sparkdl._processes.progress import print_reports
from sparkdl._processes.spark_jobs import describe_jobs
from sparkdl.estimators._trials.announcements import announce, report, warn_of_rejected
from sparkdl.estimators._trials.image_blocks import ImageRules, shuffled
from sparkdl.estimators._trials.image_layout import TrainingImages, images_in
from sparkdl.estimators._trials.stand_in import write_stand_in
from sparkdl.estimators._trials.start_model import load_image_model
from sparkdl.estimators._trials.training_images import label_col, training_images
from sparkdl.estimators._trials.trial_process import Trial
from sparkdl.estimators._trials.trial_task import TrialOutcome, TrialsWork
from sparkdl.estimators._trials.trials_job import Trials, accounts
from sparkdl.transformers._model_to_train import Loading, keras_file, loading_of

if TYPE_CHECKING:
    import keras
    from pyspark import RDD
    from pyspark.sql import DataFrame

    from sparkdl.estimators._trials.trial_params import TrialParams
    from sparkdl.transformers import KerasImageFileTransformer


def fit_all(estimators: Sequence[TrialParams], dataset: DataFrame) -> FittedTrials:
    """Train copies of one estimator that differ in what can be tuned.

    Raises
    ------
    ModelExecutionException
        Every trial failed; the message has all reasons.
    SettingsException
        Spark is told to encrypt, which training does not.
    """
    check_encryption(dataset.sparkSession.sparkContext)
    first = estimators[0]
    file, loading = keras_file(first), loading_of(first)
    model = load_image_model(file, loading.custom_objects, loading.safe_mode)
    data, images = _load_images(first, model, dataset)
    warn_of_rejected(images)
    names = announce(estimators, images)
    trials, outcomes = _train(estimators, (file, loading), (data, images), names)
    report(outcomes)
    return FittedTrials(estimators, model, trials, outcomes)


def _load_images(
    estimator: TrialParams, model: keras.Model, dataset: DataFrame
) -> tuple[RDD[Any], TrainingImages]:
    """Load and shuffle the images; return their blocks, and what is in them."""
    sc = dataset.sparkSession.sparkContext
    policy = estimator.getHandleInvalid()
    rules = ImageRules(
        reverse=estimator.getPreprocessing() != "caffe",  # it takes BGR, as image structs have it
        labelled=label_col(estimator) is not None,
        stop=policy == "error",
    )
    with describe_jobs(sc, f"{estimator.uid}: load images"):
        data, partitions = shuffled(training_images(estimator, model, dataset), rules)
        return data, images_in(accounts(sc, data, partitions), policy)


def _train(
    estimators: Sequence[TrialParams],
    source: tuple[Path, Loading],
    loaded: tuple[RDD[Any], TrainingImages],
    names: Mapping[int, str],
) -> tuple[Trials, list[TrialOutcome]]:
    first, (data, images), (file, loading) = estimators[0], loaded, source
    sc = data.context
    host = str(sc.getConf().get("spark.driver.host", "localhost"))
    epochs = sum(int(estimators[i].getKerasFitParams().get("epochs", 1)) for i in names)
    with describe_jobs(sc, f"{first.uid}: train"), print_reports(host, names, epochs) as address:
        work = TrialsWork(
            model=file.read_bytes(),
            suffix=file.suffix,
            safe_mode=loading.safe_mode,
            trials=tuple(_trial(i, e, loading) for i, e in enumerate(estimators)),
            layout=images.layout,
            threads=threads_per_process(sc, len(estimators)),
            idle_seconds=idle_seconds(),
            address=address,
        )
        trials = Trials(sc, data, work)
        return trials, trials.outcomes()


def _trial(number: int, estimator: TrialParams, loading: Loading) -> bytes:
    from sparkdl._models.files.travelling import dumps

    trial = Trial(
        number=number,
        optimizer=estimator.getKerasOptimizer(),
        loss=estimator.getKerasLoss(),
        fit_params=estimator.getKerasFitParams(),
        seed=estimator.getSeed() if estimator.isSet("seed") else None,
        custom_objects=loading.custom_objects,
    )
    return dumps(trial)


class FittedTrials:
    """A thread-safe iterator of (index, transformer), as `Estimator.fitMultiple` returns it."""

    def __init__(
        self,
        estimators: Sequence[TrialParams],
        model: keras.Model,
        trials: Trials,
        outcomes: Sequence[TrialOutcome],
    ) -> None:
        self._estimators = estimators
        self._model = model
        self._trials = trials
        self._outcomes = outcomes
        self._lock = threading.Lock()
        self._started = self._finished = 0

    def __iter__(self) -> Iterator[tuple[int, KerasImageFileTransformer]]:
        return self

    def __next__(self) -> tuple[int, KerasImageFileTransformer]:
        with self._lock:
            index = self._started
            if index >= len(self._outcomes):
                raise StopIteration
            self._started += 1
        fitted = self._estimators[index]._transformer_of(self._bundle(index))
        with self._lock:
            self._finished += 1
            if self._finished == len(self._outcomes):
                self._trials.close()
        return index, fitted

    def _bundle(self, index: int) -> str:
        folder = new_folder("trained") / "model"
        failure = self._outcomes[index].failure
        if failure is None:
            self._trials.fetch(index, folder)
        else:
            write_stand_in(self._model, folder, failure)
        return hold_new(folder)
