"""Frozen graphs one behind the other: what a classifier of images is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._bundles.graph.freeze import freeze, static_signature
from sparkdl._bundles.graph.names import Loose
from sparkdl.errors import InvalidModelException

# Outputs of a bundle that `ImageClassifierModel` applies; Scala's class has the same names.
PROBABILITIES, PREDICTION, LABEL = "predictions", "prediction", "label"


def bundle_graph(bundle: Path) -> Loose:
    """Return the graph of a bundle, which must be a frozen one."""
    manifest = read_manifest(bundle)
    if "graph" not in manifest:
        raise InvalidModelException(
            f"The bundle of '{manifest['name']}' holds a whole SavedModel, which cannot be put "
            "before another graph. Give a base that can be frozen: one without lookup tables."
        )
    graph_def = tf.compat.v1.GraphDef.FromString((bundle / manifest["graph"]).read_bytes())
    ends = [{s["name"]: s["tensor"] for s in manifest[e]} for e in ("inputs", "outputs")]
    source = {k: v for k, v in manifest.get("source", {}).items() if isinstance(v, str)}
    return Loose(graph_def, ends[0], ends[1], source)


def behind(first: Loose, output: str, second: Loose) -> Loose:
    """Feed one output of a graph to the only input of another; the ends are the outer ones."""
    with tf.Graph().as_default() as graph:
        fed = tf.import_graph_def(
            first.graph_def, return_elements=[first.outputs[output]], name="first"
        )
        [given] = second.inputs.values()
        tf.import_graph_def(second.graph_def, {given: fed[0]}, name="second")
    inputs = {n: f"first/{t}" for n, t in first.inputs.items()}
    outputs = {n: f"second/{t}" for n, t in second.outputs.items()}
    weights = {**first.weights, **second.weights}
    about = (first.source, second.shapes)
    return Loose(graph.as_graph_def(), inputs, outputs, *about, weights=weights)


def before(function: Callable[[Any], Any], graph: Loose, output: str) -> Loose:
    """Put a function of images, which keeps their shape, before a graph with one output left."""
    [(name, tensor)] = graph.inputs.items()
    spec = static_signature(graph.graph_def, [tensor])[0]
    first = traced(function, name, spec)
    kept = replace(graph, outputs={output: graph.outputs[output]}, shapes={})
    return behind(first, name, kept)


def traced(function: Callable[[Any], Any], name: str, spec: Any) -> Loose:
    """Freeze a function of a tensor; its result, or each of a dict, is an output."""
    concrete = tf.function(function, autograph=False).get_concrete_function(spec)
    frozen = freeze(concrete)
    [given] = frozen.inputs
    made = concrete.structured_outputs
    names = sorted(made) if isinstance(made, dict) else [name]
    shapes = dict(zip(names, [t.shape for t in concrete.outputs], strict=True))
    outputs = dict(zip(names, frozen.outputs, strict=True))
    return Loose(frozen.graph_def, {name: given}, outputs, {}, shapes, weights=frozen.weights)


def with_decision(
    classifier: Loose, output: str, numbers: Sequence[float], texts: Sequence[str]
) -> Loose:
    """Add to probabilities what they decide for: the label as a number and as a text.

    Parameters
    ----------
    classifier : Loose
        From images to probabilities.
    output : str
        Which output has the probabilities, [rows, classes].
    numbers, texts : list
        Of each class, in the order of the probabilities.
    """

    def decide(probabilities: Any) -> dict[str, Any]:
        best = tf.argmax(probabilities, axis=1)
        return {
            PROBABILITIES: tf.identity(probabilities),
            PREDICTION: tf.gather(tf.constant(list(numbers), tf.float64), best),
            LABEL: tf.gather(tf.constant(list(texts), tf.string), best),
        }

    spec = tf.TensorSpec([None, len(texts)], tf.float32)
    return behind(classifier, output, traced(decide, "probabilities", spec))
