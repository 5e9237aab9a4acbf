"""Makes the bundle of a named model: one graph from uint8 RGB to features and predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._models.libraries import keras, other_backend, tensorflow
from sparkdl._places.places import local_copy, place_of
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.labels import IMAGENET_CLASSES, Labels, imagenet_labels, read_labels
from sparkdl.networks.model_weights import WeightedNetwork, with_weights
from sparkdl.networks.named_models import NamedModel, named_model

if TYPE_CHECKING:
    from keras import Model
    from tensorflow import Tensor

INPUT = "images"


def export_named(
    name: str,
    path: str | Path,
    weights: str = "imagenet",
    labels: str | Path | None = None,
    overwrite: bool = False,
    verify: bool = True,
    size: Sequence[int] | None = None,
) -> str:
    """Make the bundle of a model of `keras.applications`.

    Parameters
    ----------
    name : str
        A name of the table (`sparkdl.models()`).
    path : str or Path
        The directory to make.
    weights : str
        "imagenet", or a weights file of Keras (.weights.h5, .h5, .keras) with or without the
        classifier on top. "random" is for tests.
    labels : str or Path, optional
        A labels file; see `sparkdl.labels.read_labels`. Without it a classifier with 1000 classes
        gets ImageNet's.
    overwrite : bool
        Whether an existing bundle is replaced.
    verify : bool
        Whether the bundle is run on a few made-up images first and compared with the network.
    size : (int, int), optional
        Height and width of the input; default: those of the table. A classifier that is for these
        alone is left out.

    Returns
    -------
    str
        The path. The graph has the input "images", uint8 [-1, height, width, 3] RGB, and the
        outputs features_avg, features_max, features_none and, with a top, predictions.
    """
    model = named_model(name, size)
    if model.keras is None:
        raise SettingsException(f"{name} comes with sparkdl and has no weights to export.")
    if other_backend():
        return _export_elsewhere(name, path, str(weights), labels, overwrite, verify, size)
    network = with_weights(model, str(weights))
    return export_network(model, network, path, str(weights), labels, overwrite, verify)


def _export_elsewhere(
    name: str,
    path: str | Path,
    weights: str,
    labels: str | Path | None,
    overwrite: bool,
    verify: bool,
    size: Sequence[int] | None,
) -> str:
    """Export a network in a process where Keras is on TensorFlow.

    It gets local files, because only this process has Spark, which reaches other file systems.
    """
    from sparkdl._bundles.other_backend.conversion import make_elsewhere

    def local_path(path: str | Path) -> str:
        return str(local_copy(path) or path)

    make = partial(
        export_named,
        name,
        weights=weights if weights in ("imagenet", "random") else local_path(weights),
        labels=None if labels is None else local_path(labels),
        verify=verify,
        size=size,
    )
    return make_elsewhere(make, path, overwrite)


def export_network(
    model: NamedModel,
    network: WeightedNetwork,
    path: str | Path,
    weights: str,
    labels: str | Path | None = None,
    overwrite: bool = False,
    verify: bool = True,
) -> str:
    """Make the bundle of a named model that is built already."""
    from sparkdl._bundles.graph.names import finish
    from sparkdl._bundles.saving import verify_finished, write_finished

    source = {
        "kind": "keras.applications",
        "weights": weights if weights in ("imagenet", "random") else place_of(weights).name,
        "top": str(network.whole is not None).lower(),
        "keras": keras().__version__,
        "tensorflow": tensorflow().__version__,
    }
    preprocess = import_module(f"keras.applications.{_module(model)}").preprocess_input
    frozen = _trace(model, network, preprocess, source)
    finished = finish(frozen)
    if verify:
        verify_finished(finished, model.name, frozen.original)
    return write_finished(
        path,
        finished,
        name=model.name,
        labels=_labels(network, labels),
        image={"input": INPUT, "height": model.height, "width": model.width, "channelOrder": "RGB"},
        overwrite=overwrite,
    )


def _module(model: NamedModel) -> str:
    assert model.keras is not None
    return model.keras.split(".")[0]


def _labels(network: WeightedNetwork, labels: str | Path | None) -> Labels | None:
    if network.whole is None:
        return None
    classes = int(network.whole.output.shape[-1])
    if labels is not None:
        return read_labels(labels, classes)
    return imagenet_labels() if classes == IMAGENET_CLASSES else None


def _trace(
    model: NamedModel,
    network: WeightedNetwork,
    preprocess: Callable[[Any], Any],
    source: dict[str, Any],
) -> Any:
    from sparkdl._bundles.graph.freeze import freeze
    from sparkdl._bundles.graph.names import FrozenGraph
    from sparkdl._bundles.graph.original import of_function

    tf = tensorflow()
    run = _one_network(network)

    def images_to_all(images: Tensor) -> list[Any]:
        return run(preprocess(tf.cast(images, tf.float32)))

    spec = tf.TensorSpec([None, model.height, model.width, 3], tf.uint8, name=INPUT)
    function = tf.function(images_to_all, input_signature=[spec], autograph=False)
    frozen = freeze(function.get_concrete_function())
    names = ["features_avg", "features_max", "features_none", "predictions"]
    ends = dict(zip(names, frozen.outputs, strict=False))
    places = {name: (i,) for i, name in enumerate(names[: len(ends)])}
    original = of_function(images_to_all, [INPUT], places)
    inputs = {INPUT: frozen.inputs[0]}
    return FrozenGraph(frozen.graph_def, inputs, ends, source, {}, original, frozen.weights)


def _one_network(network: WeightedNetwork) -> Callable[[Any], list[Any]]:
    """Return a function from prepared pixels to features (avg, max, none) and predictions.

    Keras has the two as separate models. Both begin with the same layers; the bare one then
    pools, and may have layers after the pooling (in ConvNeXt a normalization), which the pooled
    and the unpooled features have in common.
    """
    k, tf = keras(), tensorflow()
    cut = _place_of_pooling(network.bare)
    tail = network.bare.operations[cut + 1 :]
    if network.whole is None:
        trunk = k.Model(network.bare.input, network.bare.operations[cut].input)
    else:
        whole = network.whole
        _take_weights(tail, whole.operations[cut + 1 :])
        maps = whole.operations[cut - 1].output
        trunk = k.Model(whole.input, [maps, whole.output])

    def finish(x: Tensor) -> Any:
        for layer in tail:
            x = layer(x)
        return x

    def run(x: Tensor) -> list[Any]:
        results = trunk(x, training=False)
        maps, *predictions = results if isinstance(results, (list, tuple)) else [results]
        average = finish(k.layers.GlobalAveragePooling2D()(maps))
        maximum = finish(k.layers.GlobalMaxPooling2D()(maps))
        map_ = finish(maps)
        flat = tf.reshape(map_, [-1, map_.shape[1] * map_.shape[2] * map_.shape[3]])
        return [average, maximum, flat, *predictions]

    return run


def _place_of_pooling(bare: Model) -> int:
    """Return the place of the last pooling over the whole map."""
    kinds = [type(op).__name__ for op in bare.operations]
    return len(kinds) - 1 - kinds[::-1].index("GlobalAveragePooling2D")


def _take_weights(tail: list[Any], of_whole: list[Any]) -> None:
    """Give the layers after the pooling the weights that the classifier has at the same place."""
    for own, other in zip(tail, of_whole, strict=False):
        shapes = [w.shape for w in own.weights] == [w.shape for w in other.weights]
        if type(own) is not type(other) or not shapes:
            raise InvalidModelException(
                f"Cannot cut the network before its classifier: {own.name} follows the pooling "
                f"without top, {other.name} with top. sparkdl needs special code for this network."
            )
        own.set_weights(other.get_weights())
