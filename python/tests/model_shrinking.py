"""Models with a layer, an output or a speciality less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from model_spec import Ref, Spec, Structure, leaf_refs


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
    if spec.library != "keras":
        yield replace(spec, library="keras")
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
