"""What distinguishes a training from others, so that none resumes from the states of another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import keras

from sparkdl._models.each_output import each
from sparkdl._models.model_ends import model_inputs, model_outputs
from sparkdl.training._loop.training_spec import Spec

# The parts of Keras' configurations with names of layers, which it counts up within a process.
_NAMES = ("name", "inbound_nodes", "input_layers", "output_layers")


def fingerprint(spec: Spec, model: keras.Model) -> str:
    """Return 16 characters that differ for trainings that differ.

    They do not depend on the number of epochs, which may grow; on the number of workers, which
    changes nothing; on the first weights, which a restarted program may draw anew; or on the order
    of the rows.
    """
    facts = {
        "layers": [_layer(x) for x in model.layers],
        "optimizer": each(spec.optimizer, _text),
        "loss": [each(spec.loss, _text), spec.loss_weights],
        "metrics": each(spec.metrics, _text),
        "batch": [spec.batch, spec.shuffle, spec.seed, spec.sync_every],
        "rows": [spec.layout.rows, spec.layout.digest],
    }
    padding = [field.padding for field in spec.layout.fields.inputs]
    if spec.by_length or any(padding):
        facts["lengths"] = [padding, spec.by_length]
    places = [[end.place for end in ends] for ends in (model_inputs(model), model_outputs(model))]
    if any(p != sorted(p) for p in places):
        facts["order"] = places  # which column belongs to which input and output
    text = json.dumps(facts, sort_keys=True, default=str).lower()  # Keras writes Adam and adam
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _layer(layer: keras.layers.Layer) -> list[object]:
    config = keras.saving.serialize_keras_object(layer)
    return [without_names(config), [list(w.shape) for w in layer.weights]]


def without_names(value: object) -> object:
    """Return a configuration without names."""
    if isinstance(value, Mapping):
        return {k: without_names(v) for k, v in value.items() if k not in _NAMES}
    return [without_names(v) for v in value] if isinstance(value, (list, tuple)) else value


def _text(value: object) -> object:
    if isinstance(value, Mapping):
        return without_names(value)  # adam, then adam_1
    return value if isinstance(value, str) else getattr(value, "__name__", str(type(value)))
