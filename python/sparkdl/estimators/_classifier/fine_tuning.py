"""Trains a network together with its head, on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparkdl.estimators._classifier.base_network import BaseNetwork, own_network
from sparkdl.estimators._classifier.head import class_weights, early_stopping, new_optimizer, split
from sparkdl.estimators._classifier.head_state import folder
from sparkdl.estimators._classifier.labelled_images import labelled_images
from sparkdl.estimators._classifier.unfrozen_layers import changes, unfreeze
from sparkdl.networks.classifier_keras import named_network, pixel_layer, whole_model

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.estimators._classifier.feature_table import FeatureTable


@dataclass(frozen=True)
class Tuned:
    """What fine-tuning gives.

    Attributes
    ----------
    fed : keras.Model
        From uint8 images to probabilities.
    model : keras.Model
        The same for floats, without augmentation.
    history : dict of str to list of float
    """

    fed: Any
    model: Any
    history: dict[str, list[float]]


def network_of(estimator: Any) -> tuple[Any, Any]:
    """Return the network, of which the layers from `unfreezeFrom` on can be trained, and the layer
    for its pixels.

    Raises
    ------
    SettingsException
        The network has no such layer.
    InvalidModelException, ModelNotFoundException
        Keras does not have the network, or not its weights.
    """
    if estimator.isSet("baseModel"):
        network, pixels = named_network(estimator.getBaseModel(), estimator.getWeights())
    else:
        network, pixels = own_network(estimator), pixel_layer(estimator.getPreprocessing())
    unfreeze(network, estimator.getUnfreezeFrom())
    return network, pixels


def fine_tuned(
    estimator: Any,
    network: tuple[Any, Any],
    features: tuple[BaseNetwork, FeatureTable],
    head: Any,
    dataset: DataFrame,
) -> Tuned:
    """Train a network, as `network_of` returns it, and a head that was trained before."""
    from sparkdl.training.keras_estimator import KerasEstimator

    layers, pixels = network
    base, table = features
    augment = estimator.getAugment() if estimator.isSet("augment") else []
    start = whole_model(layers, pixels, head, changes(augment, estimator.getSeed()), "uint8")
    rows = _pixels(estimator, base, table, dataset)
    fitted = KerasEstimator(model=start, **_params(estimator, table)).fit(rows)
    trained = fitted.keras_model(estimator.custom_objects, estimator.safe_mode)
    parts = [_part(trained, p) for p in (layers, pixels, head)]
    return Tuned(trained, whole_model(*parts), fitted.history)


def _part(model: Any, layer: Any) -> Any:
    return None if layer is None else model.get_layer(layer.name)


def _pixels(
    estimator: Any, base: BaseNetwork, table: FeatureTable, dataset: DataFrame
) -> DataFrame:
    """Return columns pixels (the bytes of RGB images of the network's size), label, held_out.

    Also weight, if classes are balanced.
    """
    from pyspark.sql.functions import col

    from sparkdl.transformers import TFImageTransformer

    rows = labelled_images(estimator, dataset)
    policy = "error" if estimator.getHandleInvalid() == "error" else "skip"
    stage = TFImageTransformer(
        inputCol="image",
        outputCol="pixels",
        outputMode="image",
        tfInputGraph=_turned(base),
        scaleHint=estimator.getScaleHint(),
        handleInvalid=policy,
    )
    columns = [col("pixels.data").alias("pixels"), *_labels(estimator, table), col("held_out")]
    return stage.transform(rows).select(*columns).where("label is not null")


def _turned(base: BaseNetwork) -> str:
    """Return a bundle whose output, which becomes a struct in BGR order, has the bytes of RGB."""
    from sparkdl._bundles.bundle_store import stored_bundle

    size = [None, base.image["height"], base.image["width"], 3]
    inputs = {"images": ("uint8", size)}
    return stored_bundle(lambda images: images[..., ::-1], inputs=inputs, name="pixels", image=True)


def _labels(estimator: Any, table: FeatureTable) -> list[Any]:
    """Return the places of labels among the classes, and what rows count if that differs."""
    from pyspark.sql.functions import col, create_map, lit, when

    def by_label(values: Sequence[float]) -> Any:
        pairs = [lit(x) for pair in zip(table.classes, values, strict=True) for x in pair]
        return create_map(*pairs)[col("label")]

    places = [float(i) for i in range(len(table.classes))]
    found = [by_label(places).alias("label")]
    if estimator.getClassWeight() != "none":
        training, _ = split(table)
        weights = class_weights(estimator, table.labels[training], len(places))
        balanced = by_label([float(w) for w in weights])
        found.append(when(col("held_out"), 1.0).otherwise(balanced).alias("weight"))
    return found


def _params(estimator: Any, table: FeatureTable) -> dict[str, Any]:
    """Return the params of KerasEstimator."""
    params: dict[str, Any] = {
        "inputCols": ["pixels"],
        "labelCols": ["label"],
        "outputCols": ["probabilities"],
        "optimizer": new_optimizer(estimator, estimator.getFineTuneLearningRate()),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "batchSize": estimator.getBatchSize(),
        "epochs": estimator.getEpochs(),
        "validationCol": "held_out",
        "seed": estimator.getSeed(),
        "callbacks": early_stopping(estimator) if table.held_out.any() else [],
        "verbose": estimator.getVerbose(),
        "custom_objects": estimator.custom_objects,
        "safe_mode": estimator.safe_mode,
    }
    if estimator.getClassWeight() != "none":
        params["sampleWeightCol"] = "weight"
    if estimator.isSet("numWorkers"):
        params["numWorkers"] = estimator.getNumWorkers()
    if estimator.isSet("checkpointDir"):
        params["checkpointDir"] = folder(estimator, table, "network")
    if estimator.isSet("tensorBoardDir"):
        params["tensorBoardDir"] = f"{estimator.getTensorBoardDir().rstrip('/')}/network"
    return params
