"""Frozen graphs in sequence: what a classifier of images is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._bundles.graph.freeze import freeze, static_signature
from sparkdl._bundles.graph.names import FrozenGraph
from sparkdl._bundles.graph.stored_weights import stored_graph
from sparkdl.errors import InvalidModelException

# Outputs of a bundle that `ImageClassifierModel` applies; Scala's class has the same names.
PROBABILITIES, PREDICTION, LABEL = "predictions", "prediction", "label"


def bundle_graph(bundle: Path) -> FrozenGraph:
    """Return the graph of a bundle, which must be a frozen one."""
    manifest = read_manifest(bundle)
    if "graph" not in manifest:
        raise InvalidModelException(
            f"The bundle of '{manifest['name']}' holds a whole SavedModel, which cannot be joined "
            "with another graph. Give a base that can be frozen: one without lookup tables."
        )
    graph_def, weights = stored_graph(bundle / manifest["graph"])
    ends = [{s["name"]: s["tensor"] for s in manifest[e]} for e in ("inputs", "outputs")]
    source = {k: v for k, v in manifest.get("source", {}).items() if isinstance(v, str)}
    return FrozenGraph(graph_def, ends[0], ends[1], source, weights=weights)


def followed_by(first: FrozenGraph, output: str, second: FrozenGraph) -> FrozenGraph:
    """Feed one output of a graph to the only input of another; return them as one graph."""
    with tf.Graph().as_default() as graph:
        image_features = tf.import_graph_def(
            first.graph_def, return_elements=[first.outputs[output]], name="first"
        )
        [second_input] = second.inputs.values()
        tf.import_graph_def(second.graph_def, {second_input: image_features[0]}, name="second")
    inputs = {n: f"first/{t}" for n, t in first.inputs.items()}
    outputs = {n: f"second/{t}" for n, t in second.outputs.items()}
    weights = {**first.weights, **second.weights}
    about = (first.source, second.shapes)
    return FrozenGraph(graph.as_graph_def(), inputs, outputs, *about, weights=weights)


def preceded_by(function: Callable[[Any], Any], graph: FrozenGraph, output: str) -> FrozenGraph:
    """Put a function of images, which keeps their shape, before a graph with one output left."""
    [(name, tensor)] = graph.inputs.items()
    spec = static_signature(graph.graph_def, [tensor])[0]
    first = trace(function, name, spec)
    last = replace(graph, outputs={output: graph.outputs[output]}, shapes={})
    return followed_by(first, name, last)


def trace(function: Callable[[Any], Any], name: str, spec: tf.TensorSpec) -> FrozenGraph:
    """Freeze a function of a tensor; its result, or each of a dict, is an output."""
    concrete = tf.function(function, autograph=False).get_concrete_function(spec)
    frozen = freeze(concrete)
    [input_tensor] = frozen.inputs
    results = concrete.structured_outputs
    names = sorted(results) if isinstance(results, dict) else [name]
    shapes = dict(zip(names, [t.shape for t in concrete.outputs], strict=True))
    outputs = dict(zip(names, frozen.outputs, strict=True))
    ends = ({name: input_tensor}, outputs)
    return FrozenGraph(frozen.graph_def, *ends, {}, shapes, weights=frozen.weights)


def with_decision(
    classifier: FrozenGraph, output: str, numbers: Sequence[float], texts: Sequence[str]
) -> FrozenGraph:
    """Add the decision to probabilities: the likeliest label as a number and as a text.

    Parameters
    ----------
    classifier : FrozenGraph
        From images to probabilities.
    output : str
        Which output has the probabilities, [rows, classes].
    numbers, texts : list
        The label of each class, in the order of the probabilities.
    """

    def decide(probabilities: tf.Tensor) -> dict[str, Any]:
        best = tf.argmax(probabilities, axis=1)
        return {
            PROBABILITIES: tf.identity(probabilities),
            PREDICTION: tf.gather(tf.constant(list(numbers), tf.float64), best),
            LABEL: tf.gather(tf.constant(list(texts), tf.string), best),
        }

    spec = tf.TensorSpec([None, len(texts)], tf.float32)
    return followed_by(classifier, output, trace(decide, "probabilities", spec))
