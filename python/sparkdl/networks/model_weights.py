"""Weights of Keras' applications: downloaded by Keras, or from a file with or without a top."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._models.files.content import KERAS_ZIP, OF_KERAS, ZIP_ERRORS, kind_of
from sparkdl._models.files.hdf5_heaps import check_heaps
from sparkdl._models.files.keras_file import damaged
from sparkdl._models.files.loading import as_weights
from sparkdl._models.files.undrawn import undrawn
from sparkdl._models.libraries import keras
from sparkdl._models.live_keras import LiveModel
from sparkdl._places.download import quick_network
from sparkdl._places.places import local_copy
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException
from sparkdl.labels import IMAGENET_CLASSES
from sparkdl.networks.named_models import NamedModel, named_model

if TYPE_CHECKING:
    import h5py

Shapes = Counter[tuple[int, ...]]

# Groups of a weights file that are not weights of the network.
_OTHER_GROUPS = ("optimizer", "metrics", "optimizer_weights")


@dataclass(frozen=True)
class WeightedNetwork:
    """A network with its weights.

    Attributes
    ----------
    bare : keras.Model
        The network without top, with pooling "avg". If there is a `whole`, only the structure of
        this one counts, its weights do not.
    whole : keras.Model or None
        The network with its classifier, if the weights include one.
    """

    bare: Any
    whole: Any | None


def build(model: NamedModel, top: bool, weights: str | None = None, classes: int = 1000) -> Any:
    """Build a model of `keras.applications` at the size that `model` says."""
    create = getattr(keras().applications, _function(model))
    shape = (model.height, model.width, 3)
    if top:
        return create(include_top=True, weights=weights, input_shape=shape, classes=classes)
    try:
        return create(include_top=False, weights=weights, input_shape=shape, pooling="avg")
    except ValueError as e:  # Keras names the smallest size
        raise SettingsException(
            f"{model.name} does not take images of {model.height} x {model.width} pixels: {e}"
        ) from e


def _function(model: NamedModel) -> str:
    assert model.keras is not None
    return model.keras.split(".")[1]


def with_weights(model: NamedModel, weights: str) -> WeightedNetwork:
    """Build a named model with "imagenet" weights or those of a file, at the size `model` says."""
    usual = named_model(model.name)
    network = _usual(usual, weights)
    if (model.height, model.width) == (usual.height, usual.width):
        return network
    with undrawn(keras()):
        return _at_size(model, network)


def _at_size(model: NamedModel, network: WeightedNetwork) -> WeightedNetwork:
    """Build a network again for another size of images, with the same weights.

    A classifier on top that takes every position of the map for itself (as in VGG) is left out:
    its weights are for the usual number of positions.
    """
    bare = build(model, top=False)
    if network.whole is None:
        share_weights(network.bare, bare)
        return WeightedNetwork(bare, None)
    whole = build(model, top=True, classes=int(network.whole.output.shape[-1]))
    if [w.shape for w in whole.weights] == [w.shape for w in network.whole.weights]:
        share_weights(network.whole, whole)
        return WeightedNetwork(bare, whole)
    share_weights(network.whole, bare)
    return WeightedNetwork(bare, None)


def share_weights(network: LiveModel, other: LiveModel) -> None:
    """Give another network, which may end earlier, the weights of this one; none is copied."""
    for weight, other_weight in zip(network.weights, other.weights, strict=False):
        other_weight.assign(weight)


def _usual(model: NamedModel, weights: str) -> WeightedNetwork:
    """Build a named model at the size of the table.

    Comparing a file's tensors with the network's shows whether the file has the classifier, for
    how many classes, and whether it belongs to this network at all.
    """
    with undrawn(keras()):  # what counts of its weights is read
        bare = build(model, top=False)
    if weights == "random":
        return WeightedNetwork(bare, build(model, top=True))
    with undrawn(keras()):
        return _read(model, bare, weights)


def _read(model: NamedModel, bare: LiveModel, weights: str) -> WeightedNetwork:
    if weights == "imagenet":
        return WeightedNetwork(bare, _imagenet(model))
    path = _weights_file(model, weights)
    in_file, without_top = shapes_in_file(path), shapes_of(bare)
    if in_file == without_top:
        return WeightedNetwork(_load(bare, path, model), None)
    belongs = not without_top - in_file
    for classes in _numbers_of_classes(in_file - without_top) if belongs else []:
        whole = build(model, top=True, classes=classes)
        if shapes_of(whole) == in_file:
            return WeightedNetwork(bare, _load(whole, path, model))
    raise InvalidModelException(_other_network(model, path, in_file, without_top))


def _numbers_of_classes(top: Shapes) -> list[int]:
    """Return the possible numbers of classes, by the biases of the top; ImageNet's 1000 first."""
    lengths = {shape[0] for shape in top if len(shape) == 1}
    return sorted(lengths, key=lambda n: (n != IMAGENET_CLASSES, n))


def _other_network(model: NamedModel, path: Path, in_file: Shapes, bare: Shapes) -> str:
    missing, extra = bare - in_file, in_file - bare
    detail = f"{missing.total()} tensors of {model.name} are missing"
    if missing:
        detail += f" (for example one of shape {list(next(iter(missing)))})"
    detail += f", {extra.total()} are not its tensors or belong to another classifier"
    return (
        f"{path} does not hold weights of {model.name}: the network without its top has "
        f"{bare.total()} tensors, the file has {in_file.total()}; {detail}. Give the file of this "
        "network, or make a bundle of a custom model with sparkdl.save_bundle(model, path)."
    )


def _imagenet(model: NamedModel) -> Any:
    return download(model, lambda: build(model, top=True, weights="imagenet"))


def download(model: NamedModel, create: Callable[[], Any]) -> Any:
    """Return what `create` builds with ImageNet's weights, or say where else to get them."""
    try:
        with quick_network():
            return create()
    except Exception as e:  # Keras raises a bare Exception when it is offline
        raise ModelNotFoundException(
            f"The ImageNet weights of {model.name} are neither in Keras' cache (~/.keras/models) "
            f"nor could Keras download them: {e}. Give a weights file instead "
            f"(weights='FILE'), or run `python -m sparkdl export {model.name} --out DIR` where "
            "there is a network and copy the directory; `weights=` takes that directory."
        ) from e


def _weights_file(model: NamedModel, weights: str) -> Path:
    path = local_copy(weights)
    if path is None or not path.is_file():
        raise ModelNotFoundException(
            f"There is no weights file {weights} for {model.name}. Expected 'imagenet' or a "
            "weights file of Keras (.weights.h5, .h5, .keras)."
        )
    kind = kind_of(path)
    if kind.kind not in OF_KERAS:
        raise InvalidModelException(
            f"Cannot read weights from {path}: it is {kind.what}. Expected a file that Keras wrote "
            "(.weights.h5, .h5, .keras)."
        )
    check_heaps(path)
    return path


def _load(network: LiveModel, path: Path, model: NamedModel) -> LiveModel:
    try:
        with as_weights(path) as file:
            network.load_weights(str(file))
    except Exception as e:  # h5py and Keras raise many kinds
        raise InvalidModelException(f"Cannot load {path} into {model.name}: {e}") from e
    return network


def shapes_of(network: LiveModel) -> Shapes:
    """Return how many tensors of each shape the weights of a network have."""
    return Counter(tuple(w.shape) for w in network.weights if "float" in str(w.dtype))


def shapes_in_file(path: Path) -> Shapes:
    """Return how many tensors of each shape a weights file holds, without reading them."""
    import h5py

    try:
        if kind_of(path).kind == KERAS_ZIP:
            with zipfile.ZipFile(path) as archive:
                data: Any = io.BytesIO(archive.read("model.weights.h5"))
        else:
            data = path
        with h5py.File(data, "r") as file:
            return _shapes(file, h5py.Dataset)
    except (OSError, KeyError, *ZIP_ERRORS) as e:
        raise damaged(path, e) from e


def _shapes(file: h5py.File, dataset: type) -> Shapes:
    shapes: Shapes = Counter()

    def visit(name: str, item: h5py.HLObject) -> None:
        weights = isinstance(item, dataset) and name.split("/")[0] not in _OTHER_GROUPS
        if weights and item.dtype.kind == "f":
            shapes[tuple(item.shape)] += 1

    file.visititems(visit)
    return shapes
