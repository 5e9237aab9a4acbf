"""Fits classifiers of images: features from the cluster, a head from Keras, one graph of both."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.training_record import remember
from sparkdl._places.temporary_folders import new_folder
from sparkdl._processes.console import show
from sparkdl._processes.spark_jobs import describe_jobs
from sparkdl.estimators._classifier.base_network import BaseNetwork, augmented, base_of, own_network
from sparkdl.estimators._classifier.classifier_bundle import frozen_bundle, tuned_bundle
from sparkdl.estimators._classifier.feature_table import FeatureTable, fetch
from sparkdl.estimators._classifier.labelled_images import labelled_images
from sparkdl.networks.classifier_keras import (
    BASE,
    HEAD,
    HEAD_EPOCHS,
    KEPT,
    WEIGHTS,
    WHOLE,
    pixel_layer,
    whole_model,
)
from sparkdl.training._driver.checkpoints import Checkpoints

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.transformers import ImageClassifierModel

# The params that features depend on. Combinations of the others share them.
_OF_FEATURES = (
    "baseModel",
    "modelFile",
    "weights",
    "modelDir",
    "preprocessing",
    "scaleHint",
    "precision",
    "inputCol",
    "labelCol",
    "validationCol",
    "validationFraction",
    "seed",
    "augment",
    "augmentCopies",
    "handleInvalid",
)


class FittedClassifiers:
    """A thread-safe iterator of (index, model), as `Estimator.fitMultiple` returns it.

    A model is trained when its turn comes, one after the other: Keras uses all cores of the driver
    for one. Those that agree in what features depend on share them.
    """

    def __init__(self, estimators: Sequence[Any], dataset: DataFrame) -> None:
        self._estimators = estimators
        self._dataset = dataset
        self._lock = threading.Lock()
        self._next = 0
        self._shared: tuple[Any, BaseNetwork, FeatureTable, Path] | None = None

    def __iter__(self) -> Iterator[tuple[int, ImageClassifierModel]]:
        return self

    def __next__(self) -> tuple[int, ImageClassifierModel]:
        with self._lock:
            index = self._next
            if index >= len(self._estimators):
                raise StopIteration
            self._next += 1
            try:
                fitted = self._fit(self._estimators[index])
            except BaseException:
                self._forget()
                raise
            if self._next == len(self._estimators):
                self._forget()
            return index, fitted

    def _fit(self, estimator: Any) -> ImageClassifierModel:
        from sparkdl.estimators._classifier.head import train_head

        start = time.monotonic()
        network = self._network(estimator)
        base, table = self._features(estimator)
        head, history, about = train_head(estimator, table, self._states(estimator, table))
        if network is not None:
            from sparkdl.estimators._classifier.fine_tuning import fine_tuned

            tuned = fine_tuned(estimator, network, (base, table), head, self._dataset)
            about[HEAD_EPOCHS] = len(history["loss"])
            history = {k: [*history.get(k, []), *v] for k, v in tuned.history.items()}
            bundle, kept = tuned_bundle(base, tuned.fed, table.classes), tuned.model
        else:
            bundle, kept = frozen_bundle(base, head, table.classes), _kept(estimator, head)
        about = {**_facts(estimator, base), **about, "seconds": f"{time.monotonic() - start:.1f}"}
        remember(bundle, history=history, about=about, model=kept)
        return estimator._fitted(bundle)  # type: ignore[no-any-return]

    def _network(self, estimator: Any) -> Any:
        """Make the network that is to be trained, so that what is wrong with it is known now."""
        if not estimator.isSet("unfreezeFrom"):
            return None
        from sparkdl._processes.cluster import check_slots
        from sparkdl.estimators._classifier.fine_tuning import network_of

        if estimator.isSet("numWorkers"):
            check_slots(self._dataset.sparkSession.sparkContext, estimator.getNumWorkers())
        return network_of(estimator)

    def _states(self, estimator: Any, table: FeatureTable) -> Checkpoints | None:
        if not estimator.isSet("checkpointDir"):
            return None
        from sparkdl.estimators._classifier.head_state import folder

        return Checkpoints(folder(estimator, table, "head"))

    def _features(self, estimator: Any) -> tuple[BaseNetwork, FeatureTable]:
        key = [estimator.getOrDefault(p) if estimator.isDefined(p) else None for p in _OF_FEATURES]
        if self._shared is None or self._shared[0] != key:
            self._forget()
            base, folder = base_of(estimator), new_folder("features")
            self._shared = key, base, features(estimator, base, self._dataset, folder), folder
        return self._shared[1], self._shared[2]

    def _forget(self) -> None:
        if self._shared is not None:
            shutil.rmtree(self._shared[3], ignore_errors=True)
            self._shared = None


def features(estimator: Any, base: BaseNetwork, dataset: DataFrame, folder: Path) -> FeatureTable:
    """Compute the features of all images, and of their augmented copies, on the cluster."""
    from pyspark.sql.functions import coalesce, col

    start = time.monotonic()
    bundles = [base.bundle]
    if estimator.isSet("augment") and estimator.getAugment():
        copies = estimator.getAugmentCopies()
        bundles += augmented(base, estimator.getAugment(), estimator.getSeed(), copies)
    rows = labelled_images(estimator, dataset)
    shared = {"handleInvalid": "keep", "scaleHint": estimator.getScaleHint()}
    if estimator.isSet("precision"):
        shared["precision"] = estimator.getPrecision()
    kinds, reasons = [], []
    for i, bundle in enumerate(bundles):
        kinds.append(f"features{i}")
        reasons.append(f"reason{i}")
        columns = {"inputCol": "image", "outputCol": kinds[-1], "errorCol": reasons[-1]}
        rows = base.featurizer(bundle, **columns, **shared).transform(rows)
    rows = rows.withColumn("reason", coalesce(*map(col, reasons)))
    policy = "error" if estimator.getHandleInvalid() == "error" else "skip"
    with describe_jobs(
        dataset.sparkSession.sparkContext, f"{estimator.uid}: features of {base.name}"
    ):
        table = fetch(rows, kinds, policy, folder)
    if estimator.getVerbose():
        seconds = time.monotonic() - start
        show(f"{estimator.uid}: features of {len(table.labels)} images in {seconds:.1f} s")
    return table


def _facts(estimator: Any, base: BaseNetwork) -> dict[str, Any]:
    named = estimator.isSet("baseModel")
    unfrozen = estimator.getUnfreezeFrom() if estimator.isSet("unfreezeFrom") else "nothing"
    return {
        "kind": "sparkdl.ImageClassifierEstimator",
        BASE: base.name,
        WEIGHTS: estimator.getWeights() if named else estimator.getModelFile(),
        KEPT: HEAD if named and unfrozen == "nothing" else WHOLE,
        "head units": estimator.getHeadUnits(),
        "unfrozen from": unfrozen,
    }


def _kept(estimator: Any, head: Any) -> Any:
    """Return what Keras needs to go on and cannot get elsewhere: the network is frozen."""
    if estimator.isSet("baseModel"):
        return head
    return whole_model(own_network(estimator), pixel_layer(estimator.getPreprocessing()), head)
