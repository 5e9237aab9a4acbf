"""Puts the preprocessing of pixels into the graph: the bundle then takes uint8 images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from sparkdl._bundles.graph.freeze import static_signature
from sparkdl._bundles.graph.graph import Array
from sparkdl._bundles.graph.names import FrozenGraph
from sparkdl._bundles.graph.original import Original
from sparkdl.errors import SettingsException

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef

_IMAGENET_BGR = (103.939, 116.779, 123.68)
_IMAGENET_RGB = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)

Preprocessing = str | Callable[[Any], Any] | None


def as_image_model(
    frozen: FrozenGraph, options: Mapping[str, Any], preprocessing: Preprocessing
) -> tuple[FrozenGraph, dict[str, Any]]:
    """Let a graph take uint8 pixels, and describe the input for the manifest."""
    name = options.get("input", next(iter(frozen.inputs)))
    if name not in frozen.inputs:
        raise SettingsException(
            f"image= names the input {name!r}; the model has {', '.join(frozen.inputs)}."
        )
    fed = frozen.inputs[name]
    spec = static_signature(frozen.graph_def, [fed])[0]
    height, width, channels, order = _size(spec, options, name)
    if spec.shape[0] == 1:
        _free_batch(frozen.graph_def)
        frozen = replace(frozen, shapes={})
    with tf.Graph().as_default() as graph:
        pixels = tf.compat.v1.placeholder(tf.uint8, [None, height, width, channels], name="pixels")
        prepared = _apply(preprocessing, pixels, spec.dtype)
        # Everything else of the graph stays as it is, under a prefix that cannot collide.
        tf.import_graph_def(frozen.graph_def, {fed: prepared}, name="model")
        graph_def = graph.as_graph_def()
    inputs = {n: f"model/{t}" for n, t in frozen.inputs.items()}
    outputs = {n: f"model/{t}" for n, t in frozen.outputs.items()}
    description = {"input": name, "height": height, "width": width, "channelOrder": order}
    return replace(
        frozen,
        graph_def=graph_def,
        inputs={**inputs, name: "pixels:0"},
        outputs=outputs,
        original=_original(frozen.original, name, spec, preprocessing),
    ), description


def _original(
    model: Original | None, name: str, spec: tf.TensorSpec, preprocessing: Preprocessing
) -> Original | None:
    if model is None:
        return None

    def of_pixels(rows: Mapping[str, Array]) -> dict[str, Array]:
        pixels = rows[name]
        prepared = np.asarray(_apply(preprocessing, tf.constant(pixels), spec.dtype))
        if spec.shape[0] != 1:
            return model({**rows, name: prepared})
        results = [model({**rows, name: image[None]}) for image in prepared]  # exported for one
        return {output: np.concatenate([m[output] for m in results]) for output in results[0]}

    return of_pixels


def _free_batch(graph_def: GraphDef) -> None:
    """Let a graph that was exported for one image take many: it reshapes to [1, ...] in places."""
    constants = {n.name: n.attr["value"] for n in graph_def.node if n.op == "Const"}
    for node in graph_def.node:
        if node.op != "Reshape" or node.input[1] not in constants:
            continue
        shape = constants[node.input[1]].tensor
        sizes = tf.make_ndarray(shape).ravel().tolist()
        if len(sizes) > 1 and sizes[0] == 1 and -1 not in sizes:
            shape.CopyFrom(tf.make_tensor_proto([-1, *sizes[1:]], tf.as_dtype(shape.dtype)))


def _size(
    spec: tf.TensorSpec, options: Mapping[str, Any], name: str
) -> tuple[int | None, int | None, int, str]:
    shape = list(spec.shape) if spec.shape.rank is not None else [None] * 4
    if len(shape) != 4:
        raise SettingsException(
            f"image= needs an input [batch, height, width, channels]; {name!r} has shape {shape}."
        )
    order = options.get("channelOrder", "L" if shape[3] == 1 else "RGB")
    channels = {"RGB": 3, "BGR": 3, "L": 1}.get(order)
    if channels is None or shape[3] not in (channels, None):
        raise SettingsException(
            f"image= has channelOrder {order!r}; expected RGB, BGR or L, with as many channels as "
            f"the input {name!r}, whose shape is {shape}."
        )
    height, width = (options.get("height", shape[1]), options.get("width", shape[2]))
    if options.get("height", 0) is None and options.get("width", 0) is None:
        height, width = shape[1], shape[2]
        keeps_size = height is None and width is None
    else:
        keeps_size = False
    if (height is None or width is None) and not keeps_size:
        raise SettingsException(
            f"The model takes images of any size ({name!r} has shape {shape}). Say which size the "
            'bundle takes: image={"height": 224, "width": 224}; or None for both, to let each '
            "image keep its own."
        )
    if shape[1] not in (height, None) or shape[2] not in (width, None):
        raise SettingsException(
            f"image= says {height} x {width}, but the input {name!r} has shape {shape}."
        )
    return None if keeps_size else int(height), None if keeps_size else int(width), channels, order


def _apply(preprocessing: Preprocessing, pixels: tf.Tensor, dtype: tf.DType) -> Any:
    if preprocessing is None:
        return tf.cast(pixels, dtype)
    values = tf.cast(pixels, tf.float32)
    if callable(preprocessing):
        values = preprocessing(values)
    elif preprocessing == "tf":
        values = values / 127.5 - 1.0
    elif preprocessing == "caffe":
        values = values[..., ::-1] - tf.constant(_IMAGENET_BGR)
    elif preprocessing == "torch":
        values = (values / 255.0 - tf.constant(_IMAGENET_RGB)) / tf.constant(_IMAGENET_DEVIATION)
    else:
        raise SettingsException(
            f"preprocessing={preprocessing!r} is unknown: expected 'tf', 'caffe', 'torch', a "
            "function of tensors, or None."
        )
    return tf.cast(values, dtype)
