"""The network below the head as Keras trains it: which layers, and on what changes of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras

from sparkdl.errors import SettingsException

_SHOWN = 8


def unfreeze(network: Any, first: str) -> None:
    """Let the layers from `first` on be trained, but for batch norms, and no others.

    Parameters
    ----------
    network : keras.Model
        Perhaps of models itself, whose layers count as if they were its own.
    first : str
        Name of a layer, or of a model in the network: of that all layers.

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


def _layers(model: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Yield each layer that is no model, with its name and those of the models it is in."""
    for layer in model.layers:
        names = (*above, layer.name)
        if isinstance(layer, keras.Model):
            yield from _layers(layer, names)
        else:
            yield layer, names


def changes(kinds: Sequence[str], seed: int) -> list[Any]:
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
