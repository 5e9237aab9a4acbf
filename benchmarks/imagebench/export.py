"""Makes the weights: one Keras model from a seed, as a .keras file and as sparkdl's bundle.

Run as a process of its own (`python -m imagebench.export MODEL FOLDER`), so that TensorFlow
does not stay in the process that measures.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def export(name: str, folder: Path) -> None:
    """Write `model.keras` (without top, average pooling) and `bundle` into the folder."""
    import keras
    from sparkdl.networks.keras_export import export_named
    from sparkdl.networks.model_weights import build
    from sparkdl.networks.named_models import named_model

    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)
    network = build(named_model(name), top=False)
    _shake_batch_norm(network)
    network.save(folder / "model.keras")
    weights = folder / "model.weights.h5"
    network.save_weights(weights)
    export_named(name, folder / "bundle", weights=str(weights), overwrite=True)
    (folder / "size.json").write_text(json.dumps(named_model(name).height))


def _shake_batch_norm(network: Any) -> None:
    """Give batch norm statistics that are not 0 and 1, as training would."""
    import keras

    rng = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shapes = [w.shape for w in layer.get_weights()]
            gamma, beta, mean, variance = (rng.standard_normal(s) * 0.1 for s in shapes)
            layer.set_weights([1 + gamma, beta, mean, np.exp(variance)])


if __name__ == "__main__":
    export(sys.argv[1], Path(sys.argv[2]))
