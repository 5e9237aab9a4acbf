"""Small models of tf_keras, one per family of layers, and how their bundles are run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

L = tf_keras.layers
Model = Callable[[], Any]


def run(bundle: str | Path, rows: list[Any]) -> list[np.ndarray]:
    """Feed the inputs of a bundle in their order; return its outputs in theirs."""
    folder = Path(bundle)
    manifest = json.loads((folder / "model.json").read_text())
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        if "graph" in manifest:
            data = v1.GraphDef.FromString((folder / manifest["graph"]).read_bytes())
            tf.import_graph_def(data, name="")
        else:
            v1.saved_model.load(session, ["serve"], str(folder / manifest["savedModel"]))
        fed: dict[str, Any] = dict(
            zip((i["tensor"] for i in manifest["inputs"]), rows, strict=True)
        )
        if "seed" in manifest.get("random", {}):  # which every run is fed
            fed[manifest["random"]["seed"]] = np.random.default_rng().integers(1 << 62, size=2)
        return session.run([o["tensor"] for o in manifest["outputs"]], fed)


def ends(bundle: str | Path) -> tuple[list[str], list[str]]:
    """Return the names of a bundle's inputs and outputs."""
    manifest = json.loads((Path(bundle) / "model.json").read_text())
    return [i["name"] for i in manifest["inputs"]], [o["name"] for o in manifest["outputs"]]


def inputs_of(model: Any) -> dict[str, Any]:
    """Return the inputs of a model in the order in which its author wrote them."""
    return model.input if isinstance(model.input, dict) else {t.name: t for t in model.inputs}


def rows_of(model: Any, seed: int = 0) -> list[np.ndarray]:
    """Return three rows for each input; a dimension that may have any size has 6."""
    rng = np.random.default_rng(seed)
    rows = []
    for tensor in inputs_of(model).values():
        shape = [6 if d is None else d for d in tensor.shape[1:]]
        count = tensor.shape[0] or 3
        if tensor.dtype == tf.string:
            rows.append(rng.choice(["a", "b c", "c"], (count, *shape)).astype(object))
        elif tensor.dtype.is_integer:
            rows.append(rng.integers(0, 5, (count, *shape)).astype(tensor.dtype.as_numpy_dtype))
        else:
            rows.append(rng.uniform(0, 1, (count, *shape)).astype("float32"))
    return rows


def expected(model: Any, rows: list[Any]) -> list[np.ndarray]:
    """Return what tf_keras gives, from the initial states on."""
    model.reset_states()
    fed: Any = [tf.constant(r) for r in rows]
    if isinstance(model.input, dict):
        fed = dict(zip(inputs_of(model), fed, strict=True))
    made = model(fed if len(rows) > 1 else fed[0], training=False)
    if isinstance(made, dict):
        return [np.asarray(tensor) for tensor in made.values()]
    return [np.asarray(t) for t in tf.nest.flatten(made)]


def assert_same(got: list[np.ndarray], want: list[np.ndarray], what: str) -> None:
    """Compare outputs, within float32's rounding."""
    assert len(got) == len(want), what
    for g, w in zip(got, want, strict=True):
        assert g.shape == w.shape, f"{what}: {g.shape} for {w.shape}"
        np.testing.assert_allclose(np.float64(g), np.float64(w), atol=2e-5, err_msg=what)


@tf_keras.saving.register_keras_serializable("tests")
class Doubled(L.Layer):
    """A custom layer that its decorator makes known."""

    def call(self, x: Any) -> Any:
        return x * 2


class Tripled(L.Layer):
    """A custom layer that only custom_objects makes known."""

    def call(self, x: Any) -> Any:
        return x * 3


def chain(*layers: Any) -> Model:
    """Return what makes a Sequential model of layers, the first with its input's shape."""
    return lambda: tf_keras.Sequential([layer() for layer in layers])


def recurrent() -> Any:
    return tf_keras.Sequential(
        [
            L.LSTM(4, return_sequences=True, input_shape=(5, 2)),
            L.GRU(3, return_sequences=True, go_backwards=True),
            L.SimpleRNN(3),
        ]
    )


def nested() -> Any:
    """The shape of files that browser-made classifiers export."""
    inside = tf_keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, use_bias=False)(inside)
    x = L.DepthwiseConv2D(3, padding="same")(L.ReLU(6.0)(L.BatchNormalization()(x)))
    base = tf_keras.Model(inside, L.Conv2D(4, 1)(x))
    features = tf_keras.Sequential([base, L.GlobalAveragePooling2D()])
    head = tf_keras.Sequential([L.Dense(5, "relu", input_shape=(4,)), L.Dense(3, "softmax")])
    return tf_keras.Sequential([features, head])


def shared() -> Any:
    layer = L.Dense(3, "tanh")
    one, two = tf_keras.Input((4,), name="one"), tf_keras.Input((4,), name="two")
    return tf_keras.Model([one, two], L.Subtract()([layer(one), layer(two)]))


def two_outputs() -> Any:
    series, numbers = tf_keras.Input((5, 1), name="series"), tf_keras.Input((6,), name="numbers")
    x = L.Flatten()(L.Conv1D(2, 3)(series))
    x = L.Concatenate()([x, numbers])
    made = [L.Dense(2, name="price")(x), L.Dense(1, "sigmoid", name="sold")(x)]
    return tf_keras.Model([series, numbers], made)


def dictionaries() -> Any:
    z, a = tf_keras.Input((2,), name="z"), tf_keras.Input((3,), name="a")
    outputs = {"second": L.Dense(1, name="p")(z), "first": L.Dense(2, name="q")(a)}
    return tf_keras.Model({"z": z, "a": a}, outputs)


def masked() -> Any:
    words = tf_keras.Input((None,), dtype="int32")
    x = L.Embedding(5, 4, mask_zero=True)(words)
    return tf_keras.Model(words, L.Bidirectional(L.LSTM(3))(x))


def attention() -> Any:
    x = tf_keras.Input((4, 6))
    made = L.MultiHeadAttention(2, 3)(x, x)
    return tf_keras.Model(x, L.LayerNormalization()(L.Add()([x, made])))


def operators() -> Any:
    """Functions of TensorFlow on Keras' tensors, which are layers in the file."""
    x = tf_keras.Input((4,))
    return tf_keras.Model(x, tf.nn.relu(x[:, 1:] * 2.0 - 0.5) + tf.reduce_mean(x))


def mixed() -> Any:
    policy = tf_keras.mixed_precision.Policy("mixed_bfloat16")
    x = tf_keras.Input((4,))
    return tf_keras.Model(x, L.Dense(2, dtype="float32")(L.Dense(3, dtype=policy)(x)))


def normalised() -> Any:
    scale = L.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 9.0])
    return tf_keras.Sequential([tf_keras.Input((3,)), scale, L.BatchNormalization(), L.Dense(2)])


def text() -> Any:
    words = L.TextVectorization(vocabulary=["a", "b", "c"], output_sequence_length=3)
    return tf_keras.Sequential([tf_keras.Input((1,), dtype="string"), words, L.Embedding(6, 2)])


FAMILIES: dict[str, Model] = {
    "dense": chain(lambda: L.Dense(3, "elu", input_shape=(4,)), lambda: L.Dropout(0.5)),
    "conv 1d": chain(lambda: L.Conv1D(3, 2, input_shape=(6, 2)), lambda: L.MaxPooling1D()),
    "conv 2d": chain(
        lambda: L.SeparableConv2D(3, 3, input_shape=(6, 6, 2)),
        lambda: L.Conv2DTranspose(2, 2, strides=2),
        lambda: L.LeakyReLU(0.2),
        lambda: L.Flatten(),
    ),
    "conv 3d": chain(lambda: L.Conv3D(2, 2, input_shape=(3, 3, 3, 1)), lambda: L.PReLU()),
    "recurrent": recurrent,
    "convolutional recurrent": chain(lambda: L.ConvLSTM2D(2, 2, input_shape=(3, 4, 4, 1))),
    "stacked cells": chain(
        lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2)], input_shape=(4, 2)), lambda: L.Dense(1)
    ),
    "stateful": chain(lambda: L.LSTM(3, stateful=True, batch_input_shape=(3, 4, 2))),
    "distributed in time": chain(lambda: L.TimeDistributed(L.Dense(2), input_shape=(4, 3))),
    "masked": masked,
    "attention": attention,
    "nested": nested,
    "shared": shared,
    "two outputs": two_outputs,
    "dictionaries": dictionaries,
    "operators": operators,
    "mixed precision": mixed,
    "normalised": normalised,
    "pixels": chain(
        lambda: L.Rescaling(1 / 127.5, offset=-1, input_shape=(6, 6, 3)),
        lambda: L.RandomFlip(),
        lambda: L.Resizing(4, 4),
        lambda: L.ZeroPadding2D(1),
        lambda: L.GroupNormalization(3),
    ),
    "custom": chain(lambda: Doubled(input_shape=(3,)), lambda: L.Dense(2)),
}
