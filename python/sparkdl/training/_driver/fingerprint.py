"""What tells a training from others, so that none goes on from the states of another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import keras

from sparkdl._models.model_ends import model_inputs, model_outputs
from sparkdl._placement.each_output import each
from sparkdl.training._loop.training_spec import Spec

# Of configurations of Keras: what holds names of layers, which it counts up within a process.
_NAMES = ("name", "inbound_nodes", "input_layers", "output_layers")


def fingerprint(spec: Spec, model: Any) -> str:
    """Return 16 characters that differ for trainings that differ.

    Not in it: the number of epochs, which may grow; the workers, whose number changes nothing; the
    first weights, which a program that starts again may draw again; how the rows are ordered.
    """
    what = {
        "layers": [_layer(x) for x in model.layers],
        "optimizer": each(spec.optimizer, _text),
        "loss": [each(spec.loss, _text), spec.loss_weights],
        "metrics": each(spec.metrics, _text),
        "batch": [spec.batch, spec.shuffle, spec.seed, spec.sync_every],
        "rows": [spec.layout.rows, spec.layout.digest],
    }
    places = [[end.place for end in ends] for ends in (model_inputs(model), model_outputs(model))]
    if any(p != sorted(p) for p in places):
        what["order"] = places  # which column is whose
    text = json.dumps(what, sort_keys=True, default=str).lower()  # Keras writes Adam and adam
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _layer(layer: Any) -> list[Any]:
    config = keras.saving.serialize_keras_object(layer)
    return [unnamed(config), [list(w.shape) for w in layer.weights]]


def unnamed(value: Any) -> Any:
    """Return a configuration without names."""
    if isinstance(value, Mapping):
        return {k: unnamed(v) for k, v in value.items() if k not in _NAMES}
    return [unnamed(v) for v in value] if isinstance(value, (list, tuple)) else value


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return unnamed(value)  # adam, then adam_1
    return value if isinstance(value, str) else getattr(value, "__name__", str(type(value)))
