"""Random Keras models, and rows for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from model_building import Values, building, dtype_of
from model_layers import ATTENTION, MERGES, WORDS, makers, remembering
from model_spec import Input, Node, Ref, Spec, Structure

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


def make_spec(seed: int, library: str = "keras") -> Spec:
    """Return a random model that a Keras takes."""
    rng = np.random.default_rng(seed)
    few = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    kinds = [INPUTS[int(i)] for i in rng.integers(0, len(INPUTS), few)]
    inputs = tuple(Input(f"{'zyx'[i]}{i}", *kind) for i, kind in enumerate(kinds))
    if rng.random() < 0.15:
        inputs = tuple(replace(i, name=None) for i in inputs)
        if rng.random() < 0.5:
            inputs = (*inputs[:-1], replace(inputs[-1], name="input"))
    spec = Spec(seed, inputs, (), ("list", ()), library=library)
    if rng.random() < 0.1 and not any(kind[0] == "string" for kind in kinds):
        spec = replace(spec, policy=str(rng.choice(["mixed_float16", "mixed_bfloat16", "float64"])))
    if rng.random() < 0.1:
        spec = replace(spec, batch=int(rng.integers(1, 4)))
    first = []
    if spec.batch is not None and rng.random() < 0.6:
        spec = replace(
            spec, inputs=(replace(inputs[0], dtype="float32", shape=(5, 3)), *inputs[1:])
        )
        first = [Node(remembering(rng), ((0, 0),))]
    nodes = _nodes(rng, spec, first)
    return replace(
        spec,
        nodes=nodes,
        outputs=_outputs(rng, len(inputs), nodes, spec),
        takes=str(rng.choice(["list", "tuple", "dict", "ordered"], p=[0.4, 0.1, 0.4, 0.1])),
        style=str(rng.choice(["functional", "sequential", "nested"], p=[0.5, 0.3, 0.2])),
    )


def _nodes(rng: np.random.Generator, spec: Spec, first: list[Node]) -> tuple[Node, ...]:
    with building(spec):
        values, nodes = Values(spec), []
        unused = [(i, 0) for i in range(len(spec.inputs))]
        wanted = int(rng.integers(len(unused), 8))
        for _ in range(60):
            node = first.pop() if first else _node(rng, values.of, unused, nodes, len(spec.inputs))
            try:
                values.add(node)
            except Exception:  # what Keras does not take, in whatever way it says so
                continue
            nodes.append(node)
            unused = [ref for ref in unused if ref not in node.on]
            if len(nodes) >= wanted and not unused:
                break
        return tuple(nodes)


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
    dtype, shape = dtype_of(tensor), tuple(tensor.shape[1:])
    name = str(rng.choice(["a", "a_0", "b"])) if rng.random() < 0.05 else None
    if shape and "float" in dtype and rng.random() < 0.25:
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
        if rng.random() < 0.3:
            keys[1] = f"{keys[0]}_0"  # what the first of a list under the other key is called
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
