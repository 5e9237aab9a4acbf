"""Fits classifiers of images: features from the cluster, a head from Keras, one graph of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.training_record import remember
from sparkdl._models.libraries import eagerly
from sparkdl._places.temporary_folders import new_folder, remove_folder
from sparkdl._processes.console import show
from sparkdl._processes.encryption import check_encryption
from sparkdl._processes.spark_jobs import describe_jobs
from sparkdl.estimators._classifier.base_network import (
    BaseNetwork,
    base_of,
    own_network,
    write_augmented,
)
from sparkdl.estimators._classifier.classifier_bundle import (
    write_classifier,
    write_tuned_classifier,
)
from sparkdl.estimators._classifier.feature_table import FeatureTable, fetch
from sparkdl.estimators._classifier.labelled_images import labelled_images
from sparkdl.networks.classifier_keras import (
    BASE,
    HEAD,
    HEAD_EPOCHS,
    INPUT_SIZE,
    KERAS_FILE_CONTENT,
    WEIGHTS,
    WHOLE,
    pixel_layer,
    whole_model,
)
from sparkdl.networks.named_models import named_model
from sparkdl.training._driver.checkpoints import Checkpoints

if TYPE_CHECKING:
    import keras
    from pyspark.sql import DataFrame

    from sparkdl.estimators._classifier.classifier_params import ClassifierParams
    from sparkdl.transformers import ImageClassifierModel

# The params that features depend on. Combinations of the others share the features.
_OF_FEATURES = (
    "baseModel",
    "inputSize",
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

    Models are trained in turn, each when it is asked for: Keras uses all cores of the driver for
    one. Those whose features would be the same share them.
    """

    def __init__(self, estimators: Sequence[ClassifierParams], dataset: DataFrame) -> None:
        check_encryption(dataset.sparkSession.sparkContext)
        self._estimators = estimators
        self._dataset = dataset
        self._lock = threading.Lock()
        self._next = 0
        self._shared: tuple[list[object], BaseNetwork, FeatureTable, Path] | None = None
        self._loaded: tuple[str, keras.Model] | None = None

    def __iter__(self) -> Iterator[tuple[int, ImageClassifierModel]]:
        return self

    def __next__(self) -> tuple[int, ImageClassifierModel]:
        with self._lock:
            index = self._next
            if index >= len(self._estimators):
                raise StopIteration
            self._next += 1
            try:
                with eagerly():
                    fitted = self._fit(self._estimators[index])
            except BaseException:
                self._forget()
                raise
            if self._next == len(self._estimators):
                self._forget()
            return index, fitted

    def _fit(self, estimator: ClassifierParams) -> ImageClassifierModel:
        from sparkdl.estimators._classifier.head import train_head

        start = time.monotonic()
        own = self._own(estimator)
        network = self._network(estimator, own)
        base, table = self._features(estimator, own)
        head, history, about = train_head(estimator, table, self._states(estimator, table, own))
        if network is not None:
            from sparkdl.estimators._classifier.fine_tuning import fine_tune

            tuned = fine_tune(estimator, network, (base, table), head, self._dataset)
            about[HEAD_EPOCHS] = len(history["loss"])
            history = {k: [*history.get(k, []), *v] for k, v in tuned.history.items()}
            bundle = write_tuned_classifier(base, tuned.byte_model, table.classes)
            kept = tuned.model
        else:
            bundle = write_classifier(base, head, table.classes)
            kept = _kept_model(estimator, head, own)
        about = {**_facts(estimator, base), **about, "seconds": f"{time.monotonic() - start:.1f}"}
        remember(bundle, history=history, about=about, model=kept)
        return estimator._model_of(bundle)

    def _own(self, estimator: ClassifierParams) -> keras.Model | None:
        """Load the user's own network, once for all that need it."""
        if not estimator.isSet("modelFile"):
            return None
        file = estimator.getModelFile()
        if self._loaded is None or self._loaded[0] != file:
            self._loaded = file, own_network(estimator)
        return self._loaded[1]

    def _network(
        self, estimator: ClassifierParams, own: keras.Model | None
    ) -> tuple[keras.Model, keras.layers.Layer | None] | None:
        """Make the network that is to be trained, so that its faults are known now."""
        if not estimator.isSet("unfreezeFrom"):
            return None
        from sparkdl._processes.cluster import check_slots
        from sparkdl.estimators._classifier.fine_tuning import network_of

        if estimator.isSet("numWorkers"):
            check_slots(self._dataset.sparkSession.sparkContext, estimator.getNumWorkers())
        self._loaded = None  # from now on other layers of it can be trained than in the file
        return network_of(estimator, own)

    def _states(
        self, estimator: ClassifierParams, table: FeatureTable, own: keras.Model | None
    ) -> Checkpoints | None:
        if not estimator.isSet("checkpointDir"):
            return None
        from sparkdl.estimators._classifier.head_state import state_folder

        return Checkpoints(state_folder(estimator, table, "head", own))

    def _features(
        self, estimator: ClassifierParams, own: keras.Model | None
    ) -> tuple[BaseNetwork, FeatureTable]:
        key = [estimator.getOrDefault(p) if estimator.isDefined(p) else None for p in _OF_FEATURES]
        if self._shared is None or self._shared[0] != key:
            self._forget()
            base, folder = base_of(estimator, own), new_folder("features")
            self._shared = key, base, features(estimator, base, self._dataset, folder), folder
        return self._shared[1], self._shared[2]

    def _forget(self) -> None:
        if self._shared is not None:
            remove_folder(self._shared[3])
            self._shared = None


def features(
    estimator: ClassifierParams, base: BaseNetwork, dataset: DataFrame, folder: Path
) -> FeatureTable:
    """Compute the features of all images, and of their augmented copies, on the cluster."""
    from pyspark.sql.functions import coalesce, col

    start = time.monotonic()
    bundles = [base.path]
    if estimator.isSet("augment") and estimator.getAugment():
        copies = estimator.getAugmentCopies()
        bundles += write_augmented(base, estimator.getAugment(), estimator.getSeed(), copies)
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


def _facts(estimator: ClassifierParams, base: BaseNetwork) -> dict[str, Any]:
    named = estimator.isSet("baseModel")
    unfrozen = estimator.getUnfreezeFrom() if estimator.isSet("unfreezeFrom") else "nothing"
    return {
        "kind": "sparkdl.ImageClassifierEstimator",
        BASE: base.name,
        WEIGHTS: _weights(estimator) if named else estimator.getModelFile(),
        KERAS_FILE_CONTENT: HEAD if named and unfrozen == "nothing" else WHOLE,
        **({INPUT_SIZE: "{}x{}".format(*size)} if (size := estimator._size()) else {}),
        "head units": estimator.getHeadUnits(),
        "unfrozen from": unfrozen,
    }


def _weights(estimator: ClassifierParams) -> str:
    given = estimator.getWeights()
    own = given == "imagenet" and named_model(estimator.getBaseModel()).resource is not None
    return "those that come with sparkdl" if own else given


def _kept_model(
    estimator: ClassifierParams, head: keras.Model, own: keras.Model | None
) -> keras.Model:
    """Return what Keras needs to go on and cannot get elsewhere, when the network is frozen."""
    if own is None:
        return head
    return whole_model(own, pixel_layer(estimator.getPreprocessing()), head)
