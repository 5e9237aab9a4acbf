"""The bundle of a classifier: from images to probabilities, prediction and label in one graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sparkdl._bundles.graph.chain import bundle_graph, followed_by, with_decision
from sparkdl._bundles.graph.names import FrozenGraph, finish
from sparkdl._bundles.keras_source import from_keras
from sparkdl._bundles.saving import write_finished
from sparkdl._models.libraries import eagerly
from sparkdl._places.temporary_folders import new_folder, scratch_folder
from sparkdl.errors import InvalidModelException
from sparkdl.estimators._classifier.base_network import FEATURES, BaseNetwork
from sparkdl.labels import label_text

if TYPE_CHECKING:
    import keras

_PROBABILITIES = "probabilities"


def write_classifier(base: BaseNetwork, head: keras.Model, classes: Sequence[float | str]) -> Path:
    """Write the graph of a network that was not trained, followed by a head."""
    with eagerly():
        whole = followed_by(bundle_graph(base.bundle), FEATURES, _freeze(head))
        return _write(base, whole, classes)


def write_tuned_classifier(
    base: BaseNetwork, model: keras.Model, classes: Sequence[float | str]
) -> Path:
    """Write the graph of a model from uint8 images to probabilities."""
    with eagerly():
        return _write(base, _freeze(model), classes)


def _freeze(model: keras.Model) -> FrozenGraph:
    with scratch_folder() as scratch:
        graph = from_keras(model, None, [_PROBABILITIES], model.name, scratch)
    if not isinstance(graph, FrozenGraph):
        raise InvalidModelException(f"Cannot freeze {model.name}: {graph.why}.")
    return graph


def _write(base: BaseNetwork, classifier: FrozenGraph, classes: Sequence[float | str]) -> Path:
    names = [label_text(c) for c in classes]
    decided = with_decision(classifier, _PROBABILITIES, numbers(classes), names)
    image = {**base.image, "input": next(iter(decided.inputs))}
    labels = [(name, name) for name in names]
    path = new_folder("classifier") / "model"
    return Path(write_finished(path, finish(decided), f"{base.name} classifier", labels, image))


def numbers(classes: Sequence[float | str]) -> list[float]:
    """Return labels as numbers: texts by their places."""
    return [c if isinstance(c, float) else float(i) for i, c in enumerate(classes)]
