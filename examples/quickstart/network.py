"""The network whose features are used: the one that was asked for, if its weights can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparkdl.errors import ModelNotFoundException
from sparkdl.networks.model_cache import ensure_bundle
from sparkdl.networks.named_models import named_model

SHIPPED = "TinyNet"


@dataclass(frozen=True)
class Network:
    """What `modelName` and `weights` of a stage take."""

    name: str
    weights: str


def chosen_network(name: str, weights: str, say: Callable[[str], None]) -> Network:
    """Return the network, or TinyNet when nobody can download ImageNet's weights from here.

    A weights file that does not exist is an error: it was asked for by name.
    """
    model = named_model(name)
    if model.resource:
        return Network(name, "imagenet")  # its weights come with sparkdl, whatever was given
    try:
        ensure_bundle(name, weights)
    except ModelNotFoundException:
        if weights != "imagenet":
            raise
        say(
            f"network: the ImageNet weights of {name} cannot be downloaded from here; {SHIPPED}, a "
            "small network that comes with sparkdl, is used instead (--weights FILE takes a file)"
        )
        return Network(SHIPPED, "imagenet")
    return Network(name, weights)
