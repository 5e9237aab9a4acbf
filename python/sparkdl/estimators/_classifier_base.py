"""The network below the head: its bundle for the cluster, and its layers for Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkdl._manifest import read_manifest
from sparkdl._paths import KERAS_FILES, new_folder
from sparkdl.errors import InvalidModelException, SettingsException

FEATURES = "features_avg"


@dataclass(frozen=True)
class Base:
    """A bundle on this machine, with one input of images and the output `features_avg`."""

    bundle: Path
    name: str

    @property
    def image(self) -> dict[str, Any]:
        """What the manifest says of the images."""
        return dict(read_manifest(self.bundle)["image"])

    def featurizer(self, bundle: str | Path | None = None, **params: Any) -> Any:
        """Return the stage that computes the features."""
        from sparkdl.transformers import DeepImageFeaturizer

        return DeepImageFeaturizer(weights=str(bundle or self.bundle), **params)


def base_of(estimator: Any) -> Base:
    """Return the network of an estimator, making its bundle if there is none yet.

    Raises
    ------
    SettingsException
        Neither or both of baseModel and modelFile are set.
    InvalidModelException, ModelNotFoundException
        The network cannot be had, or gives no features of images.
    """
    named, own = estimator.isSet("baseModel"), estimator.isSet("modelFile")
    if named == own:
        raise SettingsException(
            f"{estimator.uid}: set one of baseModel (a name of sparkdl.models()) and modelFile or "
            f"model (a network of your own); {'both are' if named else 'none is'} set."
        )
    return _named(estimator) if named else _own(estimator)


def _named(estimator: Any) -> Base:
    """The JVM knows where every kind of named model is, so a saved featurizer has its bundle."""
    from sparkdl.transformers import DeepImageFeaturizer

    params = {"modelName": estimator.getBaseModel(), "weights": estimator.getWeights()}
    if estimator.isSet("modelDir"):
        params["modelDir"] = estimator.getModelDir()
    folder = new_folder("base") / "stage"
    DeepImageFeaturizer(**params).write().save(folder.as_uri())
    bundle = folder / "bundle"
    if "image" not in read_manifest(bundle):
        raise InvalidModelException(
            f"The bundle {estimator.getWeights()} takes no images: its model.json has no 'image'. "
            "Make it with sparkdl.save_bundle(..., image=True)."
        )
    return Base(bundle, estimator.getBaseModel())


def _own(estimator: Any) -> Base:
    from sparkdl.bundle import save_bundle

    network = own_network(estimator)
    mode = estimator.getPreprocessing()
    bundle = save_bundle(
        network,
        new_folder("base") / network.name,
        outputs=[FEATURES],
        image=True,
        preprocessing=None if mode == "none" else mode,
    )
    return Base(Path(bundle), Path(estimator.getModelFile()).stem)


def own_network(estimator: Any) -> Any:
    """Load the user's network, with a global average pooling where it gives maps."""
    import keras

    from sparkdl._keras_source import load_keras_file

    file = Path(estimator.getModelFile()).expanduser()
    if file.suffix not in KERAS_FILES or not file.is_file():
        raise InvalidModelException(
            f"Cannot put a head on {file}: expected a file of Keras ({', '.join(KERAS_FILES)}) on "
            "the driver's machine, or a live model (model=...)."
        )
    model = load_keras_file(file, estimator.custom_objects, estimator.safe_mode)
    shapes = [list(t.shape) for t in model.inputs], [list(t.shape) for t in model.outputs]
    if len(shapes[0]) != 1 or len(shapes[0][0]) != 4 or len(shapes[1]) != 1:
        raise InvalidModelException(
            f"Cannot put a head on {file.name}: expected one input [rows, height, width, channels] "
            f"and one output, got inputs {shapes[0]} and outputs {shapes[1]}."
        )
    if len(shapes[1][0]) == 2:
        return model
    if len(shapes[1][0]) != 4:
        raise InvalidModelException(
            f"Cannot put a head on {file.name}: expected features [rows, n] or maps [rows, height, "
            f"width, channels], got {shapes[1][0]}."
        )
    pooled = keras.layers.GlobalAveragePooling2D()(model.outputs[0])
    return keras.Model(model.inputs, pooled, name=model.name)


def augmented(base: Base, kinds: Sequence[str], seed: int, copies: int) -> list[Path]:
    """Write a bundle for each copy: the network behind random changes of its images."""
    from sparkdl._graph.chain import before, bundle_graph
    from sparkdl._graph.names import finish
    from sparkdl._lazy import eagerly
    from sparkdl.bundle import write_finished
    from sparkdl.estimators._augment import augmentation

    if base.image.get("preprocessing", "none") != "none":
        raise SettingsException(
            f"augment needs a network whose bundle takes pixels of 0 to 255; that of {base.name} "
            f"takes preprocessing '{base.image['preprocessing']}'. Make it with "
            "sparkdl.save_bundle(..., preprocessing=...), which puts it into the graph."
        )
    made = []
    with eagerly():
        graph = bundle_graph(base.bundle)
        for copy in range(copies):
            changed = before(augmentation(kinds, seed, copy), graph, FEATURES)
            path = new_folder("augmented") / f"{base.name}-{copy}"
            made.append(Path(write_finished(path, finish(changed), path.name, image=base.image)))
    return made
