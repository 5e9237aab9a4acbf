"""Random Keras models as plain data, from which they are built, and rows for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from model_layers import ATTENTION, DRAWING, MERGES, WORDS, Layer, makers

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
    "subclassed" (no graph of layers to Keras); `batch` the rows that it always takes at once.
    """

    seed: int
    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: Structure
    takes: str = "list"
    style: str = "functional"
    policy: str = "float32"
    batch: int | None = None

    def tags(self) -> set[str]:
        """Return what is special about the model: see `test_model_fuzz.WAITING`."""
        found = set()
        if any(part[0] != "leaf" for part in _parts(self.outputs)):
            found.add("nested outputs")
        if self.takes == "ordered":
            found.add("ordered inputs")
        if self.outputs[0] == "ordered":
            found.add("ordered outputs")
        names = [n.name for n in self.nodes if n.name]
        if len(set(names)) < len(names) or any(i.name is None for i in self.inputs):
            found.add("colliding names")
        if self.batch is not None:
            found.add("fixed batch")
        layers = [n.layer for n in self.nodes]
        if any(config.get("stateful") for _, config in layers):
            found.add("stateful layers")
        if any(name in DRAWING for name, _ in layers):
            found.add("drawing layers")
        if any(name == "TimeDistributed" for name, _ in layers) and self._has_unknown_sizes():
            found.add("time-distributed layers over unknown sizes")
        return found

    def _has_unknown_sizes(self) -> bool:
        return any(None in given.shape for given in self.inputs)

    def is_chain(self) -> bool:
        """Say whether each layer is called once, on what the one before it gives."""
        places = range(len(self.nodes))
        return (
            len(self.inputs) == 1
            and self.outputs == ("leaf", (len(self.nodes), 0))
            and all(n.on == ((i, 0),) for i, n in zip(places, self.nodes, strict=True))
            and not any(n.same_as or n.layer[0].startswith("op:") for n in self.nodes)
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


class Subclassed(keras.Model):
    """A model that is no graph of layers to Keras."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def call(self, inputs: Any) -> Any:
        """Return what the inner model returns."""
        return self.inner(inputs)


def build(spec: Spec) -> Any:
    """Return the model, with weights that only the seed decides."""
    keras.backend.clear_session(free_memory=False)  # collecting garbage takes as long as a case
    keras.utils.set_random_seed(spec.seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(spec.policy)
    try:
        model = _built(spec)
    finally:
        keras.config.set_dtype_policy(before)
    _randomise(model, spec.seed)
    return Subclassed(model) if spec.style == "subclassed" else model


def _built(spec: Spec) -> Any:
    values = Values(spec)
    for node in spec.nodes:
        values.add(node)
    if spec.style == "sequential" and spec.is_chain():
        return keras.Sequential([values.of[0, 0], *values.layers[1:]])
    given = packed(input_structure(spec), values.of)
    model = keras.Model(given, packed(spec.outputs, values.of))
    if spec.style != "nested":
        return model
    outer = packed(input_structure(spec), Values(spec).of)
    return keras.Model(outer, model(outer))


class Values:
    """The tensors of a model that is being built."""

    def __init__(self, spec: Spec) -> None:
        self.of: dict[Ref, Any] = {}
        self.layers: list[Any] = [None] * len(spec.inputs)
        for i, given in enumerate(spec.inputs):
            shape = (spec.batch, *given.shape)
            self.of[i, 0] = keras.Input(batch_shape=shape, dtype=given.dtype, name=given.name)

    def add(self, node: Node) -> None:
        """Call a node's layer."""
        layer = _layer(node) if node.same_as is None else self.layers[node.same_as]
        on = [self.of[ref] for ref in node.on]
        single = len(on) == 1 or node.layer[0] == "MultiHeadAttention"
        made = layer(*on) if single else layer(on)
        for k, tensor in enumerate(made if isinstance(made, (list, tuple)) else [made]):
            self.of[len(self.layers), k] = tensor
        self.layers.append(layer)


def _layer(node: Node) -> Any:
    name, config = node.layer
    if name.startswith("op:"):
        return lambda x: getattr(keras.ops, name[3:])(x, **config)
    own = {"name": node.name} if node.name else {}
    return getattr(keras.layers, name)(**own, **{k: _argument(v) for k, v in config.items()})


def _argument(value: Any) -> Any:
    if isinstance(value, dict) and "class" in value:
        return _layer(Node((value["class"], value["config"]), ()))
    return value


def _randomise(model: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "float" in weight.dtype:
            value = rng.normal(size=weight.shape) * 0.5
            positive = weight.path.endswith(("variance", "gamma"))
            weight.assign(np.abs(value) + 0.5 if positive else value)


INPUTS: list[tuple[str, tuple[int | None, ...]]] = [
    ("float32", (4,)),
    ("float32", (4,)),
    ("float32", (5, 3)),
    ("float32", (5, 3)),
    ("float32", (6, 6, 2)),
    ("float32", (None, 3)),
    ("float32", (6, 6, 3)),
    ("float32", (None, None, 2)),
    ("float32", (4, 4, 4, 2)),
    ("float64", (3,)),
    ("int32", (4,)),
    ("int32", (None,)),
    ("int64", (3,)),
    ("string", (1,)),
    ("string", (3,)),
    ("bool", (3,)),
]


def make_spec(seed: int) -> Spec:
    """Return a random model that Keras takes."""
    rng = np.random.default_rng(seed)
    few = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    kinds = [INPUTS[int(i)] for i in rng.integers(0, len(INPUTS), few)]
    inputs = tuple(Input(f"{'zyx'[i]}{i}", *kind) for i, kind in enumerate(kinds))
    if rng.random() < 0.1:
        inputs = tuple(replace(i, name=None) for i in inputs)
    spec = Spec(seed, inputs, (), ("list", ()))
    if rng.random() < 0.1 and not any(kind[0] == "string" for kind in kinds):
        spec = replace(spec, policy=str(rng.choice(["mixed_float16", "mixed_bfloat16", "float64"])))
    if rng.random() < 0.06:
        spec = replace(spec, batch=int(rng.integers(1, 4)))
    nodes = _nodes(rng, spec)
    return replace(
        spec,
        nodes=nodes,
        outputs=_outputs(rng, len(inputs), nodes, spec),
        takes=str(rng.choice(["list", "tuple", "dict", "ordered"], p=[0.4, 0.1, 0.4, 0.1])),
        style=str(rng.choice(["functional", "sequential", "nested"], p=[0.5, 0.3, 0.2])),
    )


def _nodes(rng: np.random.Generator, spec: Spec) -> tuple[Node, ...]:
    keras.backend.clear_session(free_memory=False)  # collecting garbage takes as long as a case
    keras.config.set_dtype_policy(spec.policy)
    try:
        values, nodes = Values(spec), []
        unused = [(i, 0) for i in range(len(spec.inputs))]
        wanted = int(rng.integers(len(unused), 8))
        for _ in range(60):
            node = _node(rng, values.of, unused, nodes, len(spec.inputs))
            try:
                values.add(node)
            except Exception:  # what Keras does not take, in whatever way it says so
                continue
            nodes.append(node)
            unused = [ref for ref in unused if ref not in node.on]
            if len(nodes) >= wanted and not unused:
                break
        return tuple(nodes)
    finally:
        keras.config.set_dtype_policy("float32")


def _node(
    rng: np.random.Generator,
    of: dict[Ref, Any],
    unused: list[Ref],
    nodes: list[Node],
    inputs: int,
) -> Node:
    refs = list(of)
    ref = unused[0] if unused else refs[-1 - int(len(refs) * rng.random() ** 2)]
    tensor = of[ref]
    dtype, shape = str(tensor.dtype), tuple(tensor.shape[1:])
    name = str(rng.choice(["a", "a_0", "b"])) if rng.random() < 0.05 else None
    if "float" in dtype and rng.random() < 0.25:
        alike = [r for r, t in of.items() if t.shape == tensor.shape and t.dtype == tensor.dtype]
        several = ATTENTION if len(shape) == 2 and rng.random() < 0.5 else MERGES
        other = alike[int(rng.integers(len(alike)))]
        return Node(_pick(rng, several)(rng, shape), (ref, other), name=name)
    if nodes and rng.random() < 0.08:
        i = int(rng.integers(len(nodes)))
        if len(nodes[i].on) == 1 and not nodes[i].layer[0].startswith("op:"):
            return Node(nodes[i].layer, (ref,), same_as=inputs + i)
    return Node(_pick(rng, makers(dtype, shape))(rng, shape), (ref,), name=name)


def _pick(rng: np.random.Generator, options: list[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def _outputs(
    rng: np.random.Generator, inputs: int, nodes: tuple[Node, ...], spec: Spec
) -> Structure:
    used = {ref for node in nodes for ref in node.on}
    ends = [(inputs + i, 0) for i in range(len(nodes)) if (inputs + i, 0) not in used]
    if rng.random() < 0.3 and len(nodes) > 1:
        ends.append((inputs + int(rng.integers(len(nodes) - 1)), 0))
    ends += [(inputs + i, 1) for i, n in enumerate(nodes) if n.layer[1].get("return_state")]
    leaves: list[Structure] = [("leaf", ref) for ref in dict.fromkeys(ends)]
    kind = str(
        rng.choice(["single", "list", "tuple", "dict", "ordered"], p=[0.2, 0.3, 0.1, 0.3, 0.1])
    )
    if len(leaves) > 2 and rng.random() < 0.2:
        leaves = [(str(rng.choice(["list", "tuple"])), tuple(leaves[:2])), *leaves[2:]]
    if kind == "single":
        return leaves[0] if len(leaves) == 1 else ("list", tuple(leaves))
    if kind in ("dict", "ordered"):
        keys = [str(k) for k in rng.permutation([f"{c}out" for c in "qwertyuiop"])]
        return kind, tuple(zip(keys, leaves, strict=False))
    return kind, tuple(leaves)


def make_rows(spec: Spec, count: int, extremes: bool = False) -> list[dict[int, Any]]:
    """Return a value per input for each of so many rows; unknown sizes differ between rows."""
    rng = np.random.default_rng(spec.seed + 1)
    rows = []
    for _ in range(count):
        size = int(rng.integers(6, 8))
        rows.append({i: _value(rng, given, size) for i, given in enumerate(spec.inputs)})
    if extremes and rows:
        for value in rows[0].values():
            if value.dtype.kind == "f":
                places = rng.integers(0, value.size, 2)
                value.reshape(-1)[places] = rng.choice([0.0, -0.0, 1e4, np.inf, np.nan], 2)
    return rows


def _value(rng: np.random.Generator, given: Input, unknown: int) -> Any:
    size = [unknown if d is None else d for d in given.shape]
    if given.dtype == "string":
        return rng.choice(np.array(WORDS, object), size)
    if given.dtype == "bool":
        return rng.random(size) < 0.5
    if given.dtype.startswith("int"):
        return rng.integers(0, 10, size).astype(given.dtype)
    return rng.normal(size=size).astype(given.dtype)


def smaller_specs(spec: Spec) -> Iterator[Spec]:
    """Give models with an output, a layer or a speciality less."""
    kind, parts = spec.outputs
    if kind != "leaf" and len(parts) == 1:
        yield replace(spec, outputs=parts[0][1] if kind in ("dict", "ordered") else parts[0])
    if kind != "leaf":
        for i in range(len(parts) if len(parts) > 1 else 0):
            yield _pruned(replace(spec, outputs=(kind, parts[:i] + parts[i + 1 :])))
    for i in reversed(range(len(spec.nodes))):
        yield _pruned(_without(spec, len(spec.inputs) + i))
    if spec.style != "functional":
        yield replace(spec, style="functional")
    if spec.policy != "float32":
        yield replace(spec, policy="float32")
    if spec.batch is not None:
        yield replace(spec, batch=None)
    if spec.takes != "list":
        yield replace(spec, takes="list")


def _without(spec: Spec, node: int) -> Spec:
    """Return the model in which what a node gave is what it was given."""
    behind = spec.nodes[node - len(spec.inputs)].on[0]

    def moved(ref: Ref) -> Ref:
        ref = behind if ref[0] == node else ref
        return (ref[0] - (ref[0] > node), ref[1])

    kept = [
        n for i, n in enumerate(spec.nodes, len(spec.inputs)) if i != node and n.same_as != node
    ]
    nodes = tuple(
        replace(
            n,
            on=tuple(map(moved, n.on)),
            same_as=None if n.same_as is None else moved((n.same_as, 0))[0],
        )
        for n in kept
    )
    return replace(spec, nodes=nodes, outputs=_mapped(spec.outputs, moved))


def _mapped(structure: Structure, change: Any) -> Structure:
    kind, parts = structure
    if kind == "leaf":
        return kind, change(parts)
    if kind in ("dict", "ordered"):
        return kind, tuple((key, _mapped(part, change)) for key, part in parts)
    return kind, tuple(_mapped(part, change) for part in parts)


def _pruned(spec: Spec) -> Spec:
    """Return the model without the layers and inputs that no output needs."""
    needed = {ref[0] for _, ref in leaf_refs(spec.outputs)}
    for i in reversed(range(len(spec.nodes))):
        if len(spec.inputs) + i in needed:
            node = spec.nodes[i]
            needed |= {ref[0] for ref in node.on}
            needed |= {node.same_as} if node.same_as is not None else set()
    count = len(spec.inputs)
    new = {old: place for place, old in enumerate(sorted(needed))}

    def moved(ref: Ref) -> Ref:
        return (new[ref[0]], ref[1])

    nodes = tuple(
        replace(
            n,
            on=tuple(map(moved, n.on)),
            same_as=None if n.same_as is None else new[n.same_as],
        )
        for i, n in enumerate(spec.nodes)
        if count + i in needed
    )
    inputs = tuple(given for i, given in enumerate(spec.inputs) if i in needed)
    return replace(spec, inputs=inputs, nodes=nodes, outputs=_mapped(spec.outputs, moved))
