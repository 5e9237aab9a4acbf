"""Named models with seeded random weights: the bundle, pixels, and what Keras makes of them.

For tests of every layer above: `parity_case("ResNet50")` gives a bundle and the outputs that
`keras.applications` computes from the same weights and the same pixels. Cases are made once per
process, in a folder that goes away with it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkdl.networks.named_models import NamedModel, named_model, named_models

Array = npt.NDArray[Any]
POOLINGS = ("avg", "max", "none")


# Modules of Keras whose networks are one family, with the same code.
_FAMILIES = {"resnet50": "resnet", "vgg16": "vgg", "vgg19": "vgg"}


def compared_networks() -> list[str]:
    """Return the smallest network of each family, or all with SPARKDL_TEST_ALL_NETWORKS=1."""
    networks = [m for m in named_models() if m.keras is not None]
    if os.environ.get("SPARKDL_TEST_ALL_NETWORKS") == "1":
        return [m.name for m in networks]
    smallest: dict[str, NamedModel] = {}
    for m in sorted(networks, key=lambda m: m.weightsMB):
        module = str(m.keras).split(".")[0]
        smallest.setdefault(_FAMILIES.get(module, module), m)
    return [m.name for m in smallest.values()]


@dataclass(frozen=True)
class ParityCase:
    """A bundle, uint8 pixels [n, h, w, 3] RGB, and the expected outputs by name."""

    model: NamedModel
    bundle: Path
    pixels: Array
    expected: dict[str, Array]


@lru_cache(maxsize=1)
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sparkdl-parity-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def parity_case(name: str, images: int = 2, seed: int = 7) -> ParityCase:
    """Return the case of a named model, making it when it is asked for the first time."""
    import keras

    from sparkdl.networks.keras_export import export_network
    from sparkdl.networks.model_weights import WeightedNetwork, build

    keras.backend.clear_session()
    model = named_model(name)
    pixels = random_pixels(model, images, seed)
    whole = build(model, top=True)
    prepared = _prepared(model, pixels)
    live_weights(whole, prepared, seed)
    expected = _expected(model, whole, prepared)
    bundle = _folder() / f"{name}-{images}-{seed}"
    network = WeightedNetwork(build(model, top=False), whole)
    # The tests compare it themselves, with models that Keras builds for each pooling.
    export_network(model, network, bundle, "random", verify=False)
    return ParityCase(model, bundle, pixels, expected)


def random_pixels(model: NamedModel, images: int, seed: int) -> Array:
    """Return smooth pictures with some noise, each another one."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (images, 8, 8, 3)).astype(np.float32)
    rows = np.arange(model.height) * 8 // model.height
    columns = np.arange(model.width) * 8 // model.width
    noise = rng.normal(0, 12, (images, model.height, model.width, 3))
    return np.clip(coarse[:, rows][:, :, columns] + noise, 0, 255).astype(np.uint8)


def randomise(network: Any, seed: int) -> None:
    """Give every weight a random value of a size that keeps signals alive through the network."""
    rng = np.random.default_rng(seed)
    for weight in network.weights:
        shape, kind = weight.shape, weight.path.split("/")[-1]
        if "float" not in weight.dtype:
            continue
        noise = rng.standard_normal(shape, dtype=np.float32)
        if "kernel" in kind:
            depthwise = kind == "depthwise_kernel" or (len(shape) == 4 and shape[2] == 1)
            inputs = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
            weight.assign(noise * np.float32(np.sqrt(2 / inputs)))
        elif kind in ("gamma", "moving_variance"):
            weight.assign(1 + np.clip(noise, -3, 3) * 0.1)
        else:
            weight.assign(noise * 0.1)


def live_weights(network: Any, prepared: Array, seed: int) -> None:
    """Give the network random weights with which its outputs depend on the pixels.

    Batch norm is set to 80 % of what normalises these pixels, or, in networks whose activations
    have a ceiling and would sit there, to all of it. All of it is not the rule because taking
    away the exact mean of two pictures cancels digits: InceptionV3 in Keras is then 7e-5 from what
    it gives in float64 (the bundle 8e-5), and a comparison within 1e-4 would measure rounding.
    The choice looks at Keras only, never at the bundle.
    """
    for kept in (0.2, 0.0):
        randomise(network, seed)
        for layer in network.layers:
            if type(layer).__name__ == "BatchNormalization":
                layer.momentum = kept
        network(prepared, training=True)
        tame_classifier(network, prepared)
        made = np.asarray(network(prepared, training=False))
        if np.abs(made[0] - made[1]).max() > 0.05 * np.abs(made).max():
            return


def tame_classifier(network: Any, prepared: Array) -> None:
    """Scale the last layer so that the softmax does not say 0 and 1 only."""
    import keras

    last = next(layer for layer in reversed(network.layers) if layer.weights)
    values = np.asarray(keras.Model(network.input, last.input)(prepared, training=False))
    inputs = np.prod(last.kernel.shape[:-1])
    size = np.sqrt(np.mean(values**2)) * np.sqrt(inputs) * np.std(np.asarray(last.kernel))
    last.kernel.assign(np.asarray(last.kernel) * (2 / size))


def _prepared(model: NamedModel, pixels: Array) -> Array:
    assert model.keras is not None
    module = import_module(f"keras.applications.{model.keras.split('.')[0]}")
    return np.asarray(module.preprocess_input(pixels.astype(np.float32)))


def _expected(model: NamedModel, whole: Any, prepared: Array) -> dict[str, Array]:
    """Compute the outputs with the models as Keras itself builds them."""
    import keras

    create = getattr(keras.applications, model.name)
    size = (model.height, model.width, 3)
    weights = whole.get_weights()
    found = {"predictions": np.asarray(whole(prepared, training=False))}
    for pooling in POOLINGS:
        asked = None if pooling == "none" else pooling
        bare = create(include_top=False, weights=None, pooling=asked, input_shape=size)
        bare.set_weights(weights[: len(bare.weights)])
        found[f"features_{pooling}"] = np.asarray(bare(prepared, training=False))
    found["features_none"] = found["features_none"].reshape(len(prepared), -1)
    return found


def run_bundle(bundle: str | Path, feeds: dict[str, Array]) -> dict[str, Array]:
    """Run a bundle's graph in a session of Python's TensorFlow."""
    import json

    import tensorflow as tf

    from sparkdl._bundles.graph import stored_weights, weights

    manifest = json.loads((Path(bundle) / "model.json").read_text())
    # A session makes several copies of those inside.
    graph_def, outside = stored_weights.stored_graph(Path(bundle) / manifest["graph"])
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(weights.without_marks(graph_def), name="")
        outputs = {o["name"]: o["tensor"] for o in manifest["outputs"]}
        tensors = {i["tensor"]: feeds[i["name"]] for i in manifest["inputs"]}
        tensors.update(weights.feeds(graph_def, outside))
        if "seed" in manifest.get("random", {}):
            tensors[manifest["random"]["seed"]] = np.array([1, 2])
        with tf.compat.v1.Session(graph=graph) as session:
            results: dict[str, Array] = session.run(outputs, tensors)
    return results


def largest_difference(found: Array, expected: Array) -> float:
    """Return the largest difference relative to the largest value."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())
