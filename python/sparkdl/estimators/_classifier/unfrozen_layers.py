"""The network below the head as Keras trains it: which layers, and behind which random ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras

from sparkdl.errors import SettingsException

_SHOWN = 8


def unfreeze(network: keras.Model, first: str) -> None:
    """Let the layers from `first` on be trained, except batch norms, and no others.

    Parameters
    ----------
    network : keras.Model
        It may contain models, whose layers count as if they were its own.
    first : str
        Name of a layer, or of a model in the network, which stands for its first layer.

    Raises
    ------
    SettingsException
        The network has no such layer.
    """
    layers = list(_layers(network))
    places = [i for i, (_, names) in enumerate(layers) if first in names]
    if not places:
        last = ", ".join(layer.name for layer, _ in layers[-_SHOWN:])
        raise SettingsException(
            f"unfreezeFrom: {network.name} has no layer '{first}'. It has {len(layers)}; the last "
            f"ones are {last}."
        )
    network.trainable = True
    for place, (layer, _) in enumerate(layers):
        norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = place >= places[0] and not norm


def _layers(
    model: keras.Model, above: tuple[str, ...] = ()
) -> Iterator[tuple[keras.layers.Layer, tuple[str, ...]]]:
    """Yield each layer that is not a model, with its name and those of the models around it."""
    for layer in model.layers:
        names = (*above, layer.name)
        if isinstance(layer, keras.Model):
            yield from _layers(layer, names)
        else:
            yield layer, names


def random_layers(kinds: Sequence[str], seed: int) -> list[keras.layers.Layer]:
    """Return the layers that change images at random during training."""
    return [layer for kind in kinds for layer in _LAYERS[kind](seed)]


def _flips(seed: int) -> list[keras.layers.Layer]:
    return [keras.layers.RandomFlip("horizontal", seed=seed)]


def _crops(seed: int) -> list[keras.layers.Layer]:
    return [
        keras.layers.RandomZoom((-0.25, 0.0), seed=seed + 1),
        keras.layers.RandomTranslation(0.1, 0.1, seed=seed + 2),
    ]


def _colours(seed: int) -> list[keras.layers.Layer]:
    if not hasattr(keras.layers, "RandomSaturation"):
        raise SettingsException(
            "Fine-tuning with augment=['colour'] changes the saturation of images, for which Keras "
            f"{keras.__version__} has no layer: install Keras 3.8 or newer, or leave 'colour' out."
        )
    return [
        keras.layers.RandomBrightness(0.2, seed=seed + 3),
        keras.layers.RandomContrast(0.2, seed=seed + 4),
        keras.layers.RandomSaturation((0.4, 0.6), value_range=(0, 255), seed=seed + 5),
    ]


_LAYERS = {"flip": _flips, "crop": _crops, "colour": _colours}
