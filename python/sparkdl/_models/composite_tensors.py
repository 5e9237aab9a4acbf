"""Ragged and sparse tensors in signatures of SavedModels, to which rows cannot be fed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sparkdl.errors import InvalidModelException

_KINDS = {"RaggedTensorSpec": "a RaggedTensor", "SparseTensorSpec": "a SparseTensor"}
_ROLES = {
    "RaggedTensorSpec": ["its values", "row splits"],
    "SparseTensorSpec": ["its indices", "values", "shape"],
}
_LEAVES = ("tensor_spec_value", "bounded_tensor_spec_value", "type_spec_value")


def require_dense(meta: Any, key: str, where: str) -> None:
    """Raise if a signature has inputs or outputs that are ragged or sparse.

    Each is several tensors, none of which has an entry per row.

    Parameters
    ----------
    meta : MetaGraphDef
    key : str
        Of the signature.
    where : str
        How the message calls the model.

    Raises
    ------
    InvalidModelException
        The message names them, and the parts that TensorFlow lists in their place.
    """
    signature = meta.signature_def[key]
    found = [*_named("input", signature.inputs), *_named("output", signature.outputs)]
    found = found or sorted(set(_flattened(meta, signature)))
    if found:
        raise InvalidModelException(
            f"{where} has tensors in its signature {key!r} that are not dense: {'; '.join(found)}. "
            "Rows of a DataFrame are dense tensors: export a function that takes dense ones and "
            "builds the others inside (tf.RaggedTensor.from_tensor with padding, "
            "tf.sparse.from_dense), and returns dense ones (to_tensor, tf.sparse.to_dense), as "
            "another signature."
        )


def _named(end: str, infos: Any) -> list[str]:
    """Signatures of TensorFlow 1, and outputs."""
    found = []
    for name in sorted(infos):
        encoding = infos[name].WhichOneof("encoding")
        if encoding == "coo_sparse":
            found.append(f"{end} {name!r} is a SparseTensor")
        elif encoding == "composite_tensor":
            found.append(f"{end} {name!r} is {_kind(infos[name].composite_tensor.type_spec)}")
    return found


def _flattened(meta: Any, signature: Any) -> Iterator[str]:
    """Signatures of TensorFlow 2, which list the parts of composite inputs as if they were inputs.

    What they are parts of is known of the function that the signature's wrapper calls.
    """
    library = {f.signature.name: f for f in meta.graph_def.library.function}
    known = meta.object_graph_def.concrete_functions
    fetched = {info.name.split(":")[0] for info in signature.outputs.values()}
    wrappers = [n.attr["f"].func.name for n in meta.graph_def.node if n.name in fetched]
    for call in (c for w in wrappers if w in library for c in library[w].node_def):
        inner = call.attr["f"].func.name if "f" in call.attr else ""
        if inner in known:
            arguments = list(_leaves(known[inner].canonicalized_input_signature))
            yield from _parts(arguments, list(call.input))


def _leaves(value: Any) -> Iterator[Any]:
    """Give the arguments of a function in the order in which TensorFlow flattens them."""
    kind = value.WhichOneof("kind")
    if kind in ("tuple_value", "list_value"):
        for item in getattr(value, kind).values:
            yield from _leaves(item)
    elif kind == "dict_value":
        for name in sorted(value.dict_value.fields):
            yield from _leaves(value.dict_value.fields[name])
    elif kind in _LEAVES:
        yield value


def _parts(arguments: list[Any], names: list[str]) -> Iterator[str]:
    begin = 0
    for argument in arguments:
        composite = argument.WhichOneof("kind") == "type_spec_value"
        spec = argument.type_spec_value
        size = spec.num_flat_components if composite else 1
        own = names[begin : begin + size]
        begin += size
        if composite:
            roles = _ROLES.get(spec.type_spec_class_name, ["a part of it"])
            listed = [f"{n!r} holds {roles[min(i, len(roles) - 1)]}" for i, n in enumerate(own)]
            yield f"an input is {_kind(spec)}: {', '.join(listed)}"


def _kind(spec: Any) -> str:
    name = spec.type_spec_class_name
    return _KINDS.get(name, f"a {name.removesuffix('Spec')}")
