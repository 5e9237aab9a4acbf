"""A graph with its inputs and outputs, wherever it comes from. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import read_manifest
from sparkdl._models.libraries import tensorflow
from sparkdl.errors.builtin_errors import UnknownNameException, WrongTypeException

if TYPE_CHECKING:
    import tensorflow as tf

    from sparkdl._bundles.graph.weights import Weights
    from sparkdl._bundles.saved_model import UnfrozenSavedModel


@dataclass(frozen=True)
class GraphWithEnds:
    """A graph with its ends.

    Attributes
    ----------
    graph_def : tf.compat.v1.GraphDef or None
        Frozen, unless there is a `whole`; None if it is in a bundle.
    weights : dict
        Large ones, beside the graph; see `sparkdl._bundles.graph.weights`.
    inputs, outputs : dict of str to str
        From the bundle's name to the tensor in the graph.
    signed : bool
        Whether the names are keys of a signature.
    whole : UnfrozenSavedModel, optional
        What goes into a bundle instead of a graph with lookup tables.
    shapes : dict of str to tf.TensorShape
        Shapes of the outputs, as far as they are known.
    """

    graph_def: Any
    inputs: dict[str, str]
    outputs: dict[str, str]
    signed: bool = False
    whole: UnfrozenSavedModel | None = None
    shapes: dict[str, Any] = field(default_factory=dict)
    weights: Weights = field(default_factory=dict)


def ends_of_bundle(bundle: str) -> GraphWithEnds:
    """Return the ends of a bundle; its names are used like keys of a signature."""
    manifest = read_manifest(bundle)
    inputs, outputs = (
        {str(s["name"]): str(s["tensor"]) for s in manifest[ends]} for ends in ("inputs", "outputs")
    )
    return GraphWithEnds(None, inputs, outputs, signed=True)


def graph_of_bundle(bundle: str) -> tf.compat.v1.GraphDef:
    """Return the GraphDef of a bundle."""
    tensorflow()
    manifest, folder = read_manifest(bundle), Path(bundle)
    if "graph" in manifest:
        from sparkdl._bundles.graph.seeds import without_seed_input
        from sparkdl._bundles.graph.stored_weights import stored_graph
        from sparkdl._bundles.graph.weights import put_back

        return without_seed_input(put_back(*stored_graph(folder / manifest["graph"])))
    from tensorflow.python.saved_model import loader_impl

    metas = loader_impl.parse_saved_model(str(folder / manifest["savedModel"])).meta_graphs
    tags = set(manifest.get("tags", "serve").split(","))
    return next(m.graph_def for m in metas if set(m.meta_info_def.tags) == tags)


def resolve(requested: object, ends: Mapping[str, str], what: str) -> str:
    """Return the bundle's name for that name, a tensor, an operation, or the name of either."""
    text = requested if isinstance(requested, str) else getattr(requested, "name", None)
    if not isinstance(text, str):
        raise WrongTypeException(
            f"Expected the name of an {what}, a tensor or an operation, got "
            f"{type(requested).__name__}: {requested!r}."
        )
    if text in ends:
        return text
    full = text if ":" in text else text + ":0"
    for name, tensor in ends.items():
        if full in (tensor, name + ":0"):
            return name
    known_names = ", ".join(f"{name} ({tensor})" for name, tensor in ends.items())
    raise UnknownNameException(f"The graph has no {what} {text!r}; it has {known_names}.")


def tensor_of(key: str, ends: Mapping[str, str], what: str) -> str:
    """Return the tensor of a signature's key."""
    if key not in ends:
        raise UnknownNameException(
            f"The signature has no {what} {key!r}; it has {', '.join(ends) or 'none'}."
        )
    return ends[key]
