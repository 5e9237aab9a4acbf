"""Trains a network together with its head, on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from sparkdl.errors import SettingsException
from sparkdl.estimators._classifier_base import Base, own_network
from sparkdl.estimators._classifier_keras import named_network, pixel_layer, whole_model
from sparkdl.estimators._classifier_rows import labelled_images
from sparkdl.estimators._head import class_weights, early_stopping, new_optimizer, split

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.estimators._feature_data import Table

_SHOWN = 8


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


def fine_tuned(estimator: Any, base: Base, table: Table, head: Any, dataset: DataFrame) -> Tuned:
    """Train the layers of the network from `unfreezeFrom` on, and a head that was trained before.

    Raises
    ------
    SettingsException
        The network has no such layer.
    """
    from sparkdl import KerasEstimator

    network, pixels = _network(estimator)
    unfreeze(network, estimator.getUnfreezeFrom())
    augment = estimator.getAugment() if estimator.isSet("augment") else []
    start = whole_model(network, pixels, head, _changes(augment, estimator.getSeed()), "uint8")
    rows = _pixels(estimator, base, table, dataset)
    fitted = KerasEstimator(model=start, **_params(estimator)).fit(rows)
    trained = fitted.keras_model()
    parts = [_part(trained, p) for p in (network, pixels, head)]
    return Tuned(trained, whole_model(*parts), fitted.history)


def _network(estimator: Any) -> tuple[Any, Any]:
    if estimator.isSet("baseModel"):
        return named_network(estimator.getBaseModel(), estimator.getWeights())
    return own_network(estimator), pixel_layer(estimator.getPreprocessing())


def _part(model: Any, layer: Any) -> Any:
    return None if layer is None else model.get_layer(layer.name)


def unfreeze(network: Any, first: str) -> None:
    """Let the layers from `first` on be trained, but for batch norms, and no others."""
    names = [layer.name for layer in network.layers]
    if first not in names:
        raise SettingsException(
            f"unfreezeFrom: {network.name} has no layer '{first}'. It has {len(names)}; the last "
            f"ones are {', '.join(names[-_SHOWN:])}."
        )
    network.trainable = True
    for place, layer in enumerate(network.layers):
        norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = place >= names.index(first) and not norm


def _changes(kinds: Sequence[str], seed: int) -> list[Any]:
    """Return the layers that change images at random while they are trained on."""
    layers = keras.layers
    made = {
        "flip": [layers.RandomFlip("horizontal", seed=seed)],
        "crop": [
            layers.RandomZoom((-0.25, 0.0), seed=seed + 1),
            layers.RandomTranslation(0.1, 0.1, seed=seed + 2),
        ],
        "colour": [
            layers.RandomBrightness(0.2, seed=seed + 3),
            layers.RandomContrast(0.2, seed=seed + 4),
            layers.RandomSaturation((0.4, 0.6), value_range=(0, 255), seed=seed + 5),
        ],
    }
    return [layer for kind in kinds for layer in made[kind]]


def _pixels(estimator: Any, base: Base, table: Table, dataset: DataFrame) -> DataFrame:
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


def _turned(base: Base) -> str:
    """Return a bundle whose output, which becomes a struct in BGR order, has the bytes of RGB."""
    from sparkdl._bundle_store import stored_bundle

    size = [None, base.image["height"], base.image["width"], 3]
    inputs = {"images": ("uint8", size)}
    return stored_bundle(lambda images: images[..., ::-1], inputs=inputs, name="pixels", image=True)


def _labels(estimator: Any, table: Table) -> list[Any]:
    """Return the places of labels among the classes, and what rows count if that differs."""
    from pyspark.sql.functions import col, create_map, lit

    def by_label(values: Sequence[float]) -> Any:
        pairs = [lit(x) for pair in zip(table.classes, values, strict=True) for x in pair]
        return create_map(*pairs)[col("label")]

    places = [float(i) for i in range(len(table.classes))]
    found = [by_label(places).alias("label")]
    if estimator.getClassWeight() != "none":
        training, _ = split(table)
        weights = class_weights(estimator, table.labels[training], len(places))
        found.append(by_label([float(w) for w in weights]).alias("weight"))
    return found


def _params(estimator: Any) -> dict[str, Any]:
    """Return the params of KerasEstimator."""
    optimizer = new_optimizer(estimator)
    optimizer.learning_rate = estimator.getFineTuneLearningRate()
    params: dict[str, Any] = {
        "inputCols": ["pixels"],
        "labelCols": ["label"],
        "outputCols": ["probabilities"],
        "optimizer": optimizer,
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "batchSize": estimator.getBatchSize(),
        "epochs": estimator.getEpochs(),
        "validationCol": "held_out",
        "seed": estimator.getSeed(),
        "callbacks": early_stopping(estimator),
        "verbose": estimator.getVerbose(),
    }
    if estimator.getClassWeight() != "none":
        params["sampleWeightCol"] = "weight"
    if estimator.isSet("numWorkers"):
        params["numWorkers"] = estimator.getNumWorkers()
    for name in ("checkpointDir", "tensorBoardDir"):
        if estimator.isSet(name):
            params[name] = str(Path(estimator.getOrDefault(name)) / "network")
    return params
