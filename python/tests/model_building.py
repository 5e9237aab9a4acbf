"""Models of Keras 3 and of tf_keras, built from plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from model_spec import Node, Ref, Spec, input_structure, packed

LIBRARIES = {"keras": keras, "tf_keras": tf_keras}
# What tf_keras, which has no `ops`, makes layers of.
_TENSORFLOW = {
    "abs": tf.abs,
    "exp": tf.exp,
    "cast": tf.cast,
    "sum": tf.reduce_sum,
    "argmax": tf.argmax,
    "isnan": tf.math.is_nan,
    "flip": lambda x, axis: tf.reverse(x, [axis]),
    "logical_not": tf.logical_not,
    "any": tf.reduce_any,
}


def _subclassed(library: Any) -> Callable[[Any], Any]:
    class Subclassed(library.Model):  # type: ignore[misc]
        """A model that is no graph of layers to Keras."""

        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def call(self, inputs: Any) -> Any:
            """Return what the inner model returns."""
            return self.inner(inputs)

    return Subclassed


_SUBCLASSED = {name: _subclassed(library) for name, library in LIBRARIES.items()}


@contextmanager
def building(spec: Spec) -> Iterator[None]:
    """Have layers compute in a model's types, and forget names, for a block."""
    if spec.library == "keras":
        keras.backend.clear_session(free_memory=False)  # collecting garbage takes as long as a case
        change = keras.config.set_dtype_policy
    else:
        tf_keras.backend.reset_uids()
        change = tf_keras.mixed_precision.set_global_policy
    change(spec.policy)
    try:
        yield
    finally:
        change("float32")


def build(spec: Spec) -> Any:
    """Return the model, with weights that only the seed decides."""
    keras.utils.set_random_seed(spec.seed % 2**32)  # NumPy takes no more
    with building(spec):
        model = _built(spec)
    _randomise(model, spec.seed)
    return _SUBCLASSED[spec.library](model) if spec.style == "subclassed" else model


def _built(spec: Spec) -> Any:
    library = LIBRARIES[spec.library]
    values = Values(spec)
    for node in spec.nodes:
        values.add(node)
    if spec.style == "sequential" and spec.is_chain():
        return library.Sequential([values.of[0, 0], *values.layers[1:]])
    given = packed(input_structure(spec), values.of)
    model = library.Model(given, packed(spec.outputs, values.of))
    if spec.style != "nested":
        return model
    outer = packed(input_structure(spec), Values(spec).of)
    return library.Model(outer, model(outer))


class Values:
    """The tensors of a model that is being built."""

    def __init__(self, spec: Spec) -> None:
        self.of: dict[Ref, Any] = {}
        self.layers: list[Any] = [None] * len(spec.inputs)
        self._library = LIBRARIES[spec.library]
        for i, given in enumerate(spec.inputs):
            shape = (spec.batch, *given.shape)
            self.of[i, 0] = self._library.Input(
                batch_shape=shape, dtype=given.dtype, name=given.name
            )

    def add(self, node: Node) -> None:
        """Call a node's layer."""
        layer = self._layer(node) if node.same_as is None else self.layers[node.same_as]
        on = [self.of[ref] for ref in node.on]
        single = len(on) == 1 or node.layer[0] == "MultiHeadAttention"
        how = {"training": True} if node.layer[0].startswith("training:") else {}
        made = layer(*on, **how) if single else layer(on, **how)
        for k, tensor in enumerate(made if isinstance(made, (list, tuple)) else [made]):
            self.of[len(self.layers), k] = tensor
        self.layers.append(layer)

    def _layer(self, node: Node) -> Any:
        name, config = node.layer
        if name.startswith("op:"):
            return self._operation(name[3:], config)
        own = {"name": node.name} if node.name else {}
        kind = getattr(self._library.layers, name.removeprefix("training:"))
        return kind(**own, **{k: self._argument(v) for k, v in config.items()})

    def _operation(self, name: str, config: dict[str, Any]) -> Any:
        if self._library is keras:
            return lambda x: getattr(keras.ops, name)(x, **config)
        return lambda x: _TENSORFLOW[name](x, **config)

    def _argument(self, value: Any) -> Any:
        if isinstance(value, dict) and "class" in value:
            return self._layer(Node((value["class"], value["config"]), ()))
        return value


def dtype_of(tensor: Any) -> str:
    """Return the name of a tensor's type, which is text in Keras 3 only."""
    return str(getattr(tensor.dtype, "name", tensor.dtype))


def _randomise(model: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "float" in dtype_of(weight):
            value = rng.normal(size=tuple(weight.shape)) * 0.5
            positive = _path(weight).endswith(("variance", "gamma"))
            weight.assign(np.abs(value) + 0.5 if positive else value)


def _path(weight: Any) -> str:
    return str(getattr(weight, "path", weight.name)).removesuffix(":0")
