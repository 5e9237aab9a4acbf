"""Keras models as plain data: what a case of the random tests is."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from model_layers import Layer, draws

_IMAGES = {"Resizing", "CenterCrop"}
_IN_TRAINING = {  # which do something else in training
    "BatchNormalization",
    "Dropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
}
Ref = tuple[int, int]  # a node (inputs come first) and which of its results
# ("leaf", ref), or ("list" | "tuple", parts), or ("dict" | "ordered", ((key, part), ...))
Structure = tuple[str, Any]


@dataclass(frozen=True)
class Input:
    """An input: its name (None: Keras names it), type, and shape without rows."""

    name: str | None
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Node:
    """A layer and what it is called on; `same_as`: the layer of another node, once more."""

    layer: Layer
    on: tuple[Ref, ...]
    same_as: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class Spec:
    """A model.

    `style` is "functional", "sequential" (where it is a chain), "nested" (inside another model) or
    "subclassed" (no graph of layers to Keras); `library` is "keras" or "tf_keras", Keras 2; `batch`
    the rows that it always takes at once.
    """

    seed: int
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: Structure
    takes: str = "list"
    style: str = "functional"
    library: str = "keras"
    policy: str = "float32"
    batch: int | None = None

    def is_stateful(self) -> bool:
        """Say whether a layer remembers something from one call to the next."""
        return any(n.layer[1].get("stateful") for n in self.nodes)

    def has_time_distributed_layers_over_unknown_sizes(self) -> bool:
        """Say whether Keras 3.15 may count the rows where it means the steps."""
        wrapped = any(n.layer[0] == "TimeDistributed" for n in self.nodes)
        return wrapped and any(None in given.shape for given in self.inputs)

    def crops_images_of_unknown_sizes(self) -> bool:
        """Say whether Keras 3 may crop an image in a graph that it enlarges outside of one."""
        crops = any(n.layer[0] == "CenterCrop" for n in self.nodes)
        return crops and any(None in given.shape for given in self.inputs)

    def has_layers_that_export_runs_as_in_training(self) -> bool:
        """Say whether Keras' `export` writes another model, for it does not say training=False.

        Layers for images are in training by default, and so are then the layers behind them. Those
        that are called as in training are so in Keras 3 when nothing says otherwise.
        """
        names = {n.layer[0] for n in self.nodes}
        random = {n for n in names if n.startswith("Random")}
        called = {n for n in names if n.startswith("training:")}
        if called and self.library == "keras":
            return True
        return bool(random | called | names & _IMAGES) and bool(random | names & _IN_TRAINING)

    def shares_a_state(self) -> bool:
        """Say whether a layer that remembers is called twice: its second call reads the first's."""
        first = len(self.inputs)
        shared = [n.same_as - first for n in self.nodes if n.same_as is not None]
        return any(self.nodes[i].layer[1].get("stateful") for i in shared)

    def drawn(self) -> set[Ref]:
        """Return the values that random numbers decide, in inference too."""
        found: set[Ref] = set()
        for i, node in enumerate(self.nodes, len(self.inputs)):
            if draws(node.layer) or found & {*node.on}:
                found |= {(i, k) for k in range(4)}
        return found

    def is_chain(self) -> bool:
        """Say whether each layer is called once, on what the one before it gives."""
        places = range(len(self.nodes))
        return (
            len(self.inputs) == 1
            and self.outputs == ("leaf", (len(self.nodes), 0))
            and all(n.on == ((i, 0),) for i, n in zip(places, self.nodes, strict=True))
            and not any(n.same_as or ":" in n.layer[0] for n in self.nodes)
        )


def _parts(structure: Structure) -> list[Structure]:
    kind, parts = structure
    if kind == "leaf":
        return []
    return [p for _, p in parts] if kind in ("dict", "ordered") else list(parts)


def leaf_refs(structure: Structure) -> list[tuple[tuple[Any, ...], Ref]]:
    """Return the path and the value of each leaf, as written."""
    kind, parts = structure
    if kind == "leaf":
        return [((), parts)]
    pairs = parts if kind in ("dict", "ordered") else enumerate(parts)
    return [((key, *path), ref) for key, part in pairs for path, ref in leaf_refs(part)]


def packed(structure: Structure, values: dict[Ref, Any]) -> Any:
    """Return the structure with values in it."""
    kind, parts = structure
    if kind == "leaf":
        return values[parts]
    if kind in ("dict", "ordered"):
        made = {key: packed(part, values) for key, part in parts}
        return OrderedDict(made) if kind == "ordered" else made
    items = [packed(part, values) for part in parts]
    return tuple(items) if kind == "tuple" else items


def input_structure(spec: Spec) -> Structure:
    """Return how the model takes its inputs."""
    leaves = [("leaf", (i, 0)) for i in range(len(spec.inputs))]
    if len(leaves) == 1 and spec.takes not in ("dict", "ordered"):
        return leaves[0]
    if spec.takes in ("dict", "ordered"):
        named = zip(spec.inputs, leaves, strict=True)
        return spec.takes, tuple((i.name or f"key{n}", leaf) for n, (i, leaf) in enumerate(named))
    return spec.takes, tuple(leaves)
