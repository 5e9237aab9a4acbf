"""The layers that generated models are made of: for each kind of value what may follow it.

A layer is plain data, a class of Keras and its configuration, in which a dict with "class" is a
layer itself. "op:NAME" is a function of keras.ops, or the one of TensorFlow that does the same;
"training:NAME" a layer that is called as in training, always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Rng = np.random.Generator
Shape = tuple[int | None, ...]
Layer = tuple[str, dict[str, Any]]
Maker = Callable[[Rng, Shape], Layer]

WORDS = ["", "the", "cat", "sat", "Mat", "dög"]
_ACTIVATIONS = ["relu", "tanh", "softmax", "gelu", "swish", "hard_sigmoid", "elu", "softsign", None]


def _pick(rng: Rng, options: list[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def _some(name: str, **choices: list[Any]) -> Maker:
    """Return a maker of a layer whose arguments are drawn from lists."""
    return lambda rng, shape: (name, {k: _pick(rng, v) for k, v in choices.items()})


def _inside(wrapper: str, maker: Maker, **choices: list[Any]) -> Maker:
    def make(rng: Rng, shape: Shape) -> Layer:
        name, config = maker(rng, shape[1:] if wrapper == "TimeDistributed" else shape)
        own = {k: _pick(rng, v) for k, v in choices.items()}
        return wrapper, {"layer": {"class": name, "config": config}, **own}

    return make


def _convolution(rank: int, kind: str) -> Maker:
    def make(rng: Rng, shape: Shape) -> Layer:
        transposed, depthwise = "Transpose" in kind, kind == "Depthwise"
        strided = rng.random() < 0.4 and not depthwise
        config: dict[str, Any] = {
            "kernel_size": int(rng.integers(1, 4)),
            "padding": _pick(rng, ["same", "valid"]),
            "activation": _pick(rng, _ACTIVATIONS),
            "use_bias": bool(rng.integers(2)),
        }
        channels = int(shape[-1] or 1)
        if not depthwise:
            config["filters"] = channels * int(rng.integers(1, 3))
        if strided:
            config["strides"] = 2
        elif not transposed and rng.random() < 0.2:
            config["dilation_rate"] = 2
        if depthwise or "Separable" in kind:
            config["depth_multiplier"] = int(rng.integers(1, 3))
        if kind == "" and rng.random() < 0.1:
            config["groups"] = channels
        name = kind.replace("Transpose", "") + f"Conv{rank}D" + ("Transpose" if transposed else "")
        return name, config

    return make


def _pool(rank: int, kind: str) -> Maker:
    sizes: dict[str, list[Any]] = {"padding": ["same", "valid"], "strides": [None, 1]}
    return _some(f"{kind}Pooling{rank}D", pool_size=[2, 3], **sizes)


def _recurrent(name: str) -> Maker:
    return _some(
        name,
        units=[2, 3],
        return_sequences=[True, False],
        go_backwards=[False, False, True],
        activation=["tanh", "relu"],
        return_state=[False, False, True],
        stateful=[False, False, True],  # refused unless the batch is fixed
    )


def remembering(rng: Rng) -> Layer:
    """Return a recurrent layer that begins with what the last batch has left."""
    name, config = _recurrent(_pick(rng, ["LSTM", "GRU", "SimpleRNN"]))(rng, (5, 3))
    return name, {**config, "stateful": True}


def _normalization(rng: Rng, shape: Shape) -> Layer:
    size = int(shape[-1] or 1)
    mean, variance = (rng.normal(size=size).tolist(), (rng.random(size) + 0.5).tolist())
    return "Normalization", {"mean": mean, "variance": variance}


def _reshape(rng: Rng, shape: Shape) -> Layer:
    size = int(np.prod([d or 0 for d in shape]))
    return "Reshape", {"target_shape": _pick(rng, [[size], [-1, 1], [1, size], [1, -1, 1]])}


def _permute(rng: Rng, shape: Shape) -> Layer:
    return "Permute", {"dims": [int(i) + 1 for i in rng.permutation(len(shape))]}


def _attention(rng: Rng, shape: Shape) -> Layer:
    return "MultiHeadAttention", {"num_heads": _pick(rng, [1, 2]), "key_dim": 2}


def _einsum(rng: Rng, shape: Shape) -> Layer:
    return "EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 2], "bias_axes": "d"}


ANY_FLOAT: list[Maker] = [
    _some("Dense", units=[1, 3], activation=_ACTIVATIONS, use_bias=[True, False]),
    _some("Activation", activation=["relu", "sigmoid", "softplus", "leaky_relu", "log_softmax"]),
    _some("BatchNormalization", center=[True, False], scale=[True, False]),
    _some("LayerNormalization", center=[True, False]),
    _some("UnitNormalization"),
    _some("RMSNormalization"),
    _some("Dropout", rate=[0.5]),
    _some("GaussianNoise", stddev=[1.0]),
    _some("training:Dropout", rate=[0.5]),
    _some("training:GaussianNoise", stddev=[0.5]),
    _some("LeakyReLU", negative_slope=[0.2]),
    _some("PReLU"),
    _some("ELU"),
    _some("ReLU", max_value=[6.0, None]),
    _some("Softmax"),
    _some("Rescaling", scale=[0.1, -2.0], offset=[0.0, 1.0]),
    _some("Identity"),
    _some("ActivityRegularization", l2=[0.1]),
    _some("op:abs"),
    _some("op:exp"),
    _some("op:cast", dtype=["float16", "float64", "float32"]),
    _some("op:sum", axis=[-1], keepdims=[True, False]),
    _some("op:argmax", axis=[-1]),
    _some("op:isnan"),
    _some("op:flip", axis=[-1]),
    _some("Flatten"),
    _normalization,
]
KNOWN: list[Maker] = [_reshape, _permute]
BY_RANK: dict[int, list[Maker]] = {
    0: [],
    1: [
        _some("RepeatVector", n=[2, 3]),
        _some("Discretization", bin_boundaries=[[-1.0, 0.0, 0.5]], output_mode=["int", "one_hot"]),
    ],
    2: [
        *(_convolution(1, kind) for kind in ("", "Depthwise", "Separable", "Transpose")),
        *(_pool(1, kind) for kind in ("Max", "Average")),
        *(_some(f"Global{kind}Pooling1D", keepdims=[True, False]) for kind in ("Max", "Average")),
        *(_recurrent(name) for name in ("LSTM", "GRU", "SimpleRNN")),
        _inside(
            "Bidirectional",
            _some("GRU", units=[2], return_sequences=[True, False]),
            merge_mode=["concat", "sum", "ave"],
        ),
        _inside("TimeDistributed", _some("Dense", units=[2])),
        _some("Masking", mask_value=[0.0]),
        _some("Cropping1D", cropping=[1, [0, 1]]),
        _some("ZeroPadding1D", padding=[1, [0, 2]]),
        _some("UpSampling1D", size=[2]),
        _some("GroupNormalization", groups=[1, -1]),
        _some("SpatialDropout1D", rate=[0.5]),
        _some("AdaptiveAveragePooling1D", output_size=[2]),
        _einsum,
    ],
    3: [
        *(_convolution(2, kind) for kind in ("", "Depthwise", "Separable", "Transpose")),
        *(_pool(2, kind) for kind in ("Max", "Average")),
        *(_some(f"Global{kind}Pooling2D", keepdims=[True, False]) for kind in ("Max", "Average")),
        _some("Resizing", height=[3], width=[5], interpolation=["bilinear", "nearest", "bicubic"]),
        _some("CenterCrop", height=[2], width=[3]),
        _some("Cropping2D", cropping=[1, [[0, 1], [1, 0]]]),
        _some("ZeroPadding2D", padding=[1, [[0, 1], [2, 0]]]),
        _some("UpSampling2D", size=[2], interpolation=["nearest", "bilinear"]),
        _some("GroupNormalization", groups=[1, -1]),
        _some("ConvLSTM1D", filters=[2], kernel_size=[2], return_sequences=[True, False]),
        _inside("TimeDistributed", _some("Conv1D", filters=[2], kernel_size=[1, 2])),
        _some("SpatialDropout2D", rate=[0.5]),
        _some("RandomFlip"),
        lambda rng, shape: ("RandomSaturation", {"factor": 0.5, "value_range": [0.0, 1.0]}),
        _some("RandomRotation", factor=[0.2]),
    ],
    4: [
        _convolution(3, ""),
        _convolution(3, "Transpose"),
        *(_pool(3, kind) for kind in ("Max", "Average")),
        *(_some(f"Global{kind}Pooling3D") for kind in ("Max", "Average")),
        _some("UpSampling3D", size=[2]),
        _some("Cropping3D", cropping=[[[0, 1], [0, 0], [1, 0]]]),
        _some("ConvLSTM2D", filters=[2], kernel_size=[2], return_sequences=[True, False]),
        _inside("TimeDistributed", _convolution(2, "")),
    ],
}
INTEGERS: list[Maker] = [
    _some("Embedding", input_dim=[10], output_dim=[2, 3], mask_zero=[True, False]),
    _some("CategoryEncoding", num_tokens=[10], output_mode=["multi_hot", "count"]),
    _some("IntegerLookup", vocabulary=[[1, 2, 5]], output_mode=["int", "multi_hot"]),
    _some("Hashing", num_bins=[5]),
    _some("op:cast", dtype=["float32", "int64"]),
    _some("op:sum", axis=[-1]),
    _some("op:flip", axis=[-1]),
]
STRINGS: list[Maker] = [
    _some("StringLookup", vocabulary=[WORDS[1:4]], output_mode=["int", "multi_hot"]),
    _some("Hashing", num_bins=[7]),
]
TEXTS = _some("TextVectorization", vocabulary=[WORDS[1:4]], output_sequence_length=[4])
BOOLEANS: list[Maker] = [
    _some("op:cast", dtype=["float32", "int32"]),
    _some("op:logical_not"),
    _some("op:any", axis=[-1]),
]


def draws(layer: Layer) -> bool:
    """Say whether a layer draws random numbers in inference, too."""
    return layer[0] == "RandomSaturation" or layer[0].startswith("training:")


# Of a value that is a number per row: what most layers do they would do across rows.
ALONE: dict[str, list[Maker]] = {
    "string": [_some("Hashing", num_bins=[7])],
    "bool": [_some("op:cast", dtype=["float32", "int32"]), _some("op:logical_not")],
    "int": [
        _some("Embedding", input_dim=[10], output_dim=[2, 3]),
        _some("Hashing", num_bins=[5]),
        _some("op:cast", dtype=["float32", "int64"]),
    ],
    "float": [
        _some("Rescaling", scale=[0.1, -2.0]),
        _some("op:abs"),
        _some("op:exp"),
        _some("op:isnan"),
    ],
}
# Layers of two values of one shape; "attention": of sequences.
MERGES: list[Maker] = [
    *(_some(name) for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")),
    _some("Concatenate", axis=[-1]),
    _some("Concatenate", axis=[1]),
    _some("Dot", axes=[-1], normalize=[True, False]),
]
ATTENTION: list[Maker] = [_some("Attention"), _some("AdditiveAttention"), _attention]


def makers(dtype: str, shape: Shape) -> list[Maker]:
    """Return what may follow a value of a type and shape (without rows)."""
    if not shape:
        return next(found for kind, found in ALONE.items() if kind in dtype)
    if dtype == "string":
        return [*STRINGS, TEXTS] if shape == (1,) else STRINGS
    if dtype == "bool":
        return BOOLEANS
    if dtype.startswith(("int", "uint")):
        return INTEGERS
    known = KNOWN if None not in shape else []
    return [*ANY_FLOAT, *known, *BY_RANK.get(len(shape), []) * 2]
