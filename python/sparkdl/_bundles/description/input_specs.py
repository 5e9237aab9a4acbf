"""How users write the inputs and outputs of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from sparkdl._models.model_ends import check_distinct, distinct
from sparkdl.errors import InvalidModelException, SettingsException

# Inputs or outputs of a model as users write them: names, tensors or specs, by name or in order.
UserEnds = Mapping[str, Any] | Sequence[Any] | str


def function_specs(inputs: UserEnds | None) -> dict[str, Any]:
    """Return a `tf.TensorSpec` by name for the inputs of a function."""
    if not inputs:
        raise SettingsException(
            "A function does not say which types and shapes it takes. Describe its inputs: "
            'inputs={"x": ("float32", [None, 3])}, the first dimension being the batch.'
        )
    if isinstance(inputs, Mapping):
        return {name: as_spec(value, name) for name, value in inputs.items()}
    specs = [as_spec(value, f"number {i}") for i, value in enumerate(inputs)]
    return by_name(specs)


def by_name(specs: Sequence[Any]) -> dict[str, Any]:
    """Return specs by their names; one without a name is called "input_" and its place."""
    names = distinct([s.name or f"input_{i}" for i, s in enumerate(specs)])
    return dict(zip(names, specs, strict=True))


def as_spec(value: Any, name: str) -> Any:
    """Return a `tf.TensorSpec` for one, or for (dtype, shape)."""
    if isinstance(value, tf.TensorSpec):
        return value
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return tf.TensorSpec(value.shape, value.dtype)
    try:
        dtype, shape = value
        sizes = None if shape is None else [None if d in (None, -1) else int(d) for d in shape]
        return tf.TensorSpec(sizes, tf.as_dtype(dtype))
    except (TypeError, ValueError) as e:
        raise SettingsException(
            f"Cannot read the input {name}: {value!r}. Expected a tf.TensorSpec or "
            '(dtype, shape), for example ("float32", [None, 3]).'
        ) from e


def rename_ends(
    old: Sequence[str], requested: UserEnds | None, what: str
) -> tuple[list[str], list[str]]:
    """Return the requested old names and their new names, in order.

    >>> rename_ends(["a", "b"], ["x", "y"], "outputs")
    (['a', 'b'], ['x', 'y'])
    >>> rename_ends(["a", "b"], {"y": "b"}, "outputs")
    (['b'], ['y'])
    """
    if requested is None:
        return list(old), list(old)
    if isinstance(requested, str):
        requested = [requested]
    if isinstance(requested, Mapping):
        unknown = [o for o in requested.values() if o not in old]
        if unknown:
            raise SettingsException(
                f"{what}= names {', '.join(map(str, unknown))}; the model has {', '.join(old)}."
            )
        return list(requested.values()), list(requested)
    if len(requested) != len(old):
        raise SettingsException(
            f"{what}= has {len(requested)} names; the model has {len(old)}: {', '.join(old)}."
        )
    new = [str(n) for n in requested]
    check_distinct(new, what)
    return list(old), new


def check_dense(results: Mapping[str, Any]) -> None:
    """Raise if a result is not a dense tensor but several, each of which would look like one."""
    for name, value in results.items():
        kind = type(value).__name__.removesuffix("Spec")
        if kind in ("RaggedTensor", "SparseTensor", "IndexedSlices"):
            raise InvalidModelException(
                f"The output '{name}' is a {kind}. Expected a dense tensor: use value.to_tensor() "
                "or tf.sparse.to_dense(value)."
            )
