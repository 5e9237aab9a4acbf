"""The network below the head: its bundle for the cluster, and its layers for Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._models.called_models import call
from sparkdl._models.model_ends import check_called, structure_of
from sparkdl._places.held_folders import hold_new
from sparkdl._places.temporary_folders import new_folder
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.networks.classifier_keras import LAYERS
from sparkdl.transformers._model_to_train import expect_keras_file, loading_of

if TYPE_CHECKING:
    import keras

    from sparkdl.estimators._classifier.classifier_params import ClassifierParams
    from sparkdl.transformers import DeepImageFeaturizer

FEATURES = "features_avg"


@dataclass(frozen=True)
class BaseNetwork:
    """A bundle on this machine, with one input of images and the output `features_avg`.

    Attributes
    ----------
    path : str
        Of the bundle; as long as there is this object, there is the bundle.
    name : str
    """

    path: str
    name: str

    @property
    def bundle(self) -> Path:
        """The bundle."""
        return Path(self.path)

    @property
    def image(self) -> dict[str, Any]:
        """What the manifest says of the images."""
        return dict(read_manifest(self.bundle)["image"])

    def featurizer(self, bundle: str | None = None, **params: Any) -> DeepImageFeaturizer:
        """Return the stage that computes the features."""
        from sparkdl.transformers import DeepImageFeaturizer

        return DeepImageFeaturizer(weights=bundle or self.path, **params)


def base_of(estimator: ClassifierParams, own: keras.Model | None = None) -> BaseNetwork:
    """Return the network of an estimator; make its bundle if there is none yet.

    Parameters
    ----------
    estimator : ImageClassifierEstimator
    own : keras.Model, optional
        What `own_network` returns for it, if that is loaded already.

    Raises
    ------
    SettingsException
        Neither or both of baseModel and modelFile are set.
    InvalidModelException, ModelNotFoundException
        The network is not available, or gives no features of images.
    """
    named = estimator.isSet("baseModel")
    if named == estimator.isSet("modelFile"):
        raise SettingsException(
            f"{estimator.uid}: set one of baseModel (a name of sparkdl.models()) and modelFile or "
            f"model (your own network); {'both are' if named else 'none is'} set."
        )
    if named:
        return _named(estimator)
    if estimator.isSet("inputSize"):
        raise SettingsException(
            f"{estimator.uid}: inputSize is for baseModel; your own network has its size already."
        )
    return _own(estimator, own_network(estimator) if own is None else own)


def _named(estimator: ClassifierParams) -> BaseNetwork:
    """Take the bundle of a saved featurizer: the JVM knows where every kind of named model is."""
    from sparkdl.transformers import DeepImageFeaturizer

    folder = new_folder("base") / "stage"
    DeepImageFeaturizer(
        modelName=estimator.getBaseModel(),
        inputSize=estimator._size(),
        weights=estimator.getWeights(),
        modelDir=estimator.getModelDir() if estimator.isSet("modelDir") else None,
    ).write().save(f"file:{folder}")
    bundle = folder / "bundle"
    if "image" not in read_manifest(bundle):
        raise InvalidModelException(
            f"The bundle {estimator.getWeights()} takes no images: its model.json has no 'image'. "
            "Make it with sparkdl.save_bundle(..., image=True)."
        )
    return BaseNetwork(hold_new(bundle), estimator.getBaseModel())


def _own(estimator: ClassifierParams, network: keras.Model) -> BaseNetwork:
    from sparkdl._bundles.saving import save_bundle

    mode = estimator.getPreprocessing()
    bundle = save_bundle(
        network,
        new_folder("base") / network.name,
        outputs=[FEATURES],
        image=True,
        preprocessing=None if mode == "none" else mode,
    )
    return BaseNetwork(hold_new(Path(bundle)), network.name)


def own_network(estimator: ClassifierParams) -> keras.Model:
    """Load the user's network, with global average pooling if it gives maps.

    Raises
    ------
    InvalidModelException
        It is not a file of Keras, or not a network from RGB images of one size to features or maps.
    """
    import keras

    from sparkdl._models.files.loading import load_to_train

    file = expect_keras_file(estimator.getModelFile(), "put a head on")
    loading = loading_of(estimator)
    model = _functional(load_to_train(file, loading.custom_objects, loading.safe_mode))
    _check_ends(model)
    [features] = model.outputs
    if len(features.shape) == 4:
        features = keras.layers.GlobalAveragePooling2D()(features)
    # It becomes a layer beside those of the classifier, and their names must differ.
    name = f"{model.name}_network" if model.name in LAYERS else model.name
    return keras.Model(model.inputs, features, name=name)


def _functional(model: keras.Model) -> keras.Model:
    """Return a model that knows its ends: of a subclassed one, a functional one around it."""
    import keras

    if getattr(model, "inputs", None) is not None:
        return model
    check_called(model, "model")
    taken = structure_of(model, "input")
    inputs = keras.tree.map_structure(lambda t: keras.Input(t.shape[1:], dtype=t.dtype), taken)
    return keras.Model(inputs, call(model, inputs), name=model.name)


def _check_ends(model: keras.Model) -> None:
    ends = [
        [list(t.shape) for t in getattr(model, kind, None) or []] for kind in ("inputs", "outputs")
    ]
    images, features = ends
    fits = len(images) == len(features) == 1 and len(images[0]) == 4 and len(features[0]) in (2, 4)
    if not fits or None in images[0][1:] or images[0][3] != 3:
        raise InvalidModelException(
            f"Cannot put a head on the network '{model.name}': expected one input of RGB images of "
            "a fixed size [rows, height, width, 3] and one output of features [rows, n] or maps "
            f"[rows, height, width, n], got inputs {images} and outputs {features}."
        )


def write_augmented(base: BaseNetwork, kinds: Sequence[str], seed: int, copies: int) -> list[str]:
    """Write a bundle for each copy: random changes of images, then the network."""
    from sparkdl._bundles.graph.chain import bundle_graph, preceded_by
    from sparkdl._bundles.graph.names import finish
    from sparkdl._bundles.saving import write_finished
    from sparkdl._models.libraries import eagerly
    from sparkdl.estimators._classifier.augmentation import augmentation

    if base.image.get("preprocessing", "none") != "none":
        raise SettingsException(
            f"augment needs a network whose bundle takes pixels of 0 to 255; that of {base.name} "
            f"takes preprocessing '{base.image['preprocessing']}'. Make it with "
            "sparkdl.save_bundle(..., preprocessing=...), which puts it into the graph."
        )
    bundles: list[str] = []
    with eagerly():
        graph = bundle_graph(base.bundle)
        for copy in range(copies):
            changed = preceded_by(augmentation(kinds, seed, copy), graph, FEATURES)
            path = new_folder("augmented") / f"{base.name}-{copy}"
            write_finished(path, finish(changed), path.name, image=base.image)
            bundles.append(hold_new(path))
    return bundles
