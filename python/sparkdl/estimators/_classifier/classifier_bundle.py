"""The bundle of a classifier: from images to probabilities, prediction and label in one graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparkdl._bundles.graph.chain import bundle_graph, followed_by, with_decision
from sparkdl._bundles.graph.names import FrozenGraph, finish
from sparkdl._bundles.keras_source import from_keras
from sparkdl._bundles.saving import write_finished
from sparkdl._models.libraries import eagerly
from sparkdl._places.temporary_folders import new_folder
from sparkdl.errors import InvalidModelException
from sparkdl.estimators._classifier.base_network import FEATURES, BaseNetwork
from sparkdl.labels import label_text

_PROBABILITIES = "probabilities"


def frozen_bundle(base: BaseNetwork, head: Any, classes: Sequence[Any]) -> Path:
    """Write the graph of a network that was not trained, and of a head behind it."""
    with eagerly():
        whole = followed_by(bundle_graph(base.bundle), FEATURES, _frozen(head))
        return _written(base, whole, classes)


def tuned_bundle(base: BaseNetwork, model: Any, classes: Sequence[Any]) -> Path:
    """Write the graph of a model from uint8 images to probabilities."""
    with eagerly():
        return _written(base, _frozen(model), classes)


def _frozen(model: Any) -> FrozenGraph:
    found = from_keras(model, None, [_PROBABILITIES], model.name, new_folder("frozen"))
    if not isinstance(found, FrozenGraph):
        raise InvalidModelException(f"Cannot freeze {model.name}: {found.why}.")
    return found


def _written(base: BaseNetwork, classifier: FrozenGraph, classes: Sequence[Any]) -> Path:
    names = [label_text(c) for c in classes]
    decided = with_decision(classifier, _PROBABILITIES, numbers(classes), names)
    image = {**base.image, "input": next(iter(decided.inputs))}
    labels = [(name, name) for name in names]
    path = new_folder("classifier") / "model"
    return Path(write_finished(path, finish(decided), f"{base.name} classifier", labels, image))


def numbers(classes: Sequence[Any]) -> list[float]:
    """Return labels as numbers; texts by their place."""
    return [c if isinstance(c, float) else float(i) for i, c in enumerate(classes)]
