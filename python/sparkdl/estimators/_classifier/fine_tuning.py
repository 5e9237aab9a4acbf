"""Trains a network together with its head, on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparkdl.estimators._classifier.base_network import BaseNetwork
from sparkdl.estimators._classifier.head import class_weights, early_stopping, new_optimizer, split
from sparkdl.estimators._classifier.head_state import state_folder
from sparkdl.estimators._classifier.labelled_images import labelled_images
from sparkdl.estimators._classifier.unfrozen_layers import random_layers, unfreeze
from sparkdl.networks.classifier_keras import named_network, pixel_layer, whole_model
from sparkdl.transformers._model_to_train import loading_of

if TYPE_CHECKING:
    import keras
    from pyspark.sql import Column, DataFrame

    from sparkdl.estimators._classifier.classifier_params import ClassifierParams
    from sparkdl.estimators._classifier.feature_table import FeatureTable


@dataclass(frozen=True)
class FineTuned:
    """The result of fine-tuning.

    Attributes
    ----------
    byte_model : keras.Model
        From uint8 images to probabilities.
    model : keras.Model
        The same for floats, without augmentation.
    history : dict of str to list of float
    """

    byte_model: keras.Model
    model: keras.Model
    history: dict[str, list[float]]


def network_of(
    estimator: ClassifierParams, own: keras.Model | None
) -> tuple[keras.Model, keras.layers.Layer | None]:
    """Return the network, with its layers from `unfreezeFrom` on trainable, and its pixel layer.

    Parameters
    ----------
    estimator : ImageClassifierEstimator
    own : keras.Model or None
        The user's own network, which is changed; None for a named one.

    Raises
    ------
    SettingsException
        The network has no such layer.
    InvalidModelException, ModelNotFoundException
        Keras lacks the network or its weights.
    """
    if own is None:
        network, pixels = named_network(
            estimator.getBaseModel(), estimator.getWeights(), estimator._size()
        )
    else:
        network, pixels = own, pixel_layer(estimator.getPreprocessing())
    unfreeze(network, estimator.getUnfreezeFrom())
    return network, pixels


def fine_tune(
    estimator: ClassifierParams,
    network: tuple[keras.Model, keras.layers.Layer | None],
    features: tuple[BaseNetwork, FeatureTable],
    head: keras.Model,
    dataset: DataFrame,
) -> FineTuned:
    """Train a network, as `network_of` returns it, and a head that was trained before."""
    from sparkdl.training.keras_estimator import KerasEstimator

    layers, pixels = network
    base, table = features
    augment = estimator.getAugment() if estimator.isSet("augment") else []
    start = whole_model(layers, pixels, head, random_layers(augment, estimator.getSeed()), "uint8")
    rows = _pixels(estimator, base, table, dataset)
    params = _params(estimator, table, layers if estimator.isSet("modelFile") else None)
    fitted = KerasEstimator(model=start, **params).fit(rows)
    loading = loading_of(estimator)
    trained = fitted.keras_model(loading.custom_objects, loading.safe_mode)
    plain = whole_model(_part(trained, layers), _part(trained, pixels), _part(trained, head))
    return FineTuned(trained, plain, fitted.history)


def _part(model: keras.Model, layer: keras.layers.Layer | None) -> keras.layers.Layer | None:
    return None if layer is None else model.get_layer(layer.name)


def _pixels(
    estimator: ClassifierParams, base: BaseNetwork, table: FeatureTable, dataset: DataFrame
) -> DataFrame:
    """Return columns pixels (the bytes of RGB images of the network's size), label and held_out.

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
        tfInputGraph=_reversing_bundle(base),
        scaleHint=estimator.getScaleHint(),
        handleInvalid=policy,
    )
    columns = [col("pixels.data").alias("pixels"), *_labels(estimator, table), col("held_out")]
    return stage.transform(rows).select(*columns).where("label is not null")


def _reversing_bundle(base: BaseNetwork) -> str:
    """Return a bundle that reverses channels: in a struct, meant for BGR, its output is RGB."""
    from sparkdl._bundles.bundle_store import stored_bundle

    size = [None, base.image["height"], base.image["width"], 3]
    inputs = {"images": ("uint8", size)}
    return stored_bundle(lambda images: images[..., ::-1], inputs=inputs, name="pixels", image=True)


def _labels(estimator: ClassifierParams, table: FeatureTable) -> list[Column]:
    """Return the places of labels among the classes, and the weights of rows if these differ."""
    from pyspark.sql.functions import col, create_map, lit, when

    def by_label(values: Sequence[float]) -> Column:
        pairs = [lit(x) for pair in zip(table.classes, values, strict=True) for x in pair]
        return create_map(*pairs)[col("label")]

    places = [float(i) for i in range(len(table.classes))]
    columns = [by_label(places).alias("label")]
    if estimator.getClassWeight() != "none":
        training, _ = split(table)
        weights = class_weights(estimator, table.labels[training], len(places))
        balanced = by_label([float(w) for w in weights])
        columns.append(when(col("held_out"), 1.0).otherwise(balanced).alias("weight"))
    return columns


def _params(
    estimator: ClassifierParams, table: FeatureTable, own: keras.Model | None
) -> dict[str, Any]:
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
        "callbacks": [
            *(early_stopping(estimator) if table.held_out.any() else []),
            *(estimator.getCallbacks() or []),
        ],
        "verbose": estimator.getVerbose(),
        "custom_objects": loading_of(estimator).custom_objects,
    }
    if estimator.getClassWeight() != "none":
        params["sampleWeightCol"] = "weight"
    if estimator.isSet("numWorkers"):
        params["numWorkers"] = estimator.getNumWorkers()
    if estimator.isSet("checkpointDir"):
        params["checkpointDir"] = state_folder(estimator, table, "network", own)
    if estimator.isSet("tensorBoardDir"):
        params["tensorBoardDir"] = f"{estimator.getTensorBoardDir().rstrip('/')}/network"
    return params
