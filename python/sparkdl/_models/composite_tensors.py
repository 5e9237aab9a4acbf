"""Ragged and sparse tensors in signatures of SavedModels, to which rows cannot be fed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef, TensorInfo
    from tensorflow.core.protobuf.struct_pb2 import StructuredValue, TypeSpecProto

_KINDS = {"RaggedTensorSpec": "a RaggedTensor", "SparseTensorSpec": "a SparseTensor"}
_ROLES = {
    "RaggedTensorSpec": ["its values", "row splits"],
    "SparseTensorSpec": ["its indices", "values", "shape"],
}
_LEAVES = ("tensor_spec_value", "bounded_tensor_spec_value", "type_spec_value")


def require_dense(meta: MetaGraphDef, key: str, where: str) -> None:
    """Raise if a signature has inputs or outputs that are ragged or sparse.

    Each is several tensors, none of which has an entry per row.

    Parameters
    ----------
    meta : MetaGraphDef
    key : str
        Of the signature.
    where : str
        What the message calls the model.

    Raises
    ------
    InvalidModelException
        The message names them, and the parts that TensorFlow lists in their place.
    """
    signature = meta.signature_def[key]
    composites = [
        *_composite_ends("input", signature.inputs),
        *_composite_ends("output", signature.outputs),
    ]
    composites = composites or sorted(set(_composite_arguments(meta, signature)))
    if composites:
        raise InvalidModelException(
            f"{where} has tensors in its signature {key!r} that are not dense: "
            f"{'; '.join(composites)}. "
            "Rows of a DataFrame are dense tensors: export a function that takes dense ones and "
            "builds the others inside (tf.RaggedTensor.from_tensor with padding, "
            "tf.sparse.from_dense), and returns dense ones (to_tensor, tf.sparse.to_dense), as "
            "another signature."
        )


def _composite_ends(end: str, infos: Mapping[str, TensorInfo]) -> list[str]:
    """Describe composite tensors in signatures of TensorFlow 1, and in outputs."""
    composites = []
    for name in sorted(infos):
        encoding = infos[name].WhichOneof("encoding")
        if encoding == "coo_sparse":
            composites.append(f"{end} {name!r} is a SparseTensor")
        elif encoding == "composite_tensor":
            composites.append(f"{end} {name!r} is {_kind(infos[name].composite_tensor.type_spec)}")
    return composites


def _composite_arguments(meta: MetaGraphDef, signature: SignatureDef) -> Iterator[str]:
    """Describe composite inputs of TensorFlow 2, whose signatures list their parts as inputs.

    The function that the signature's wrapper calls says what they are parts of.
    """
    library = {f.signature.name: f for f in meta.graph_def.library.function}
    functions = meta.object_graph_def.concrete_functions
    fetched = {info.name.split(":")[0] for info in signature.outputs.values()}
    wrappers = [n.attr["f"].func.name for n in meta.graph_def.node if n.name in fetched]
    for call in (c for w in wrappers if w in library for c in library[w].node_def):
        inner = call.attr["f"].func.name if "f" in call.attr else ""
        if inner in functions:
            arguments = list(_leaves(functions[inner].canonicalized_input_signature))
            yield from _parts(arguments, list(call.input))


def _leaves(value: StructuredValue) -> Iterator[Any]:
    """Yield the arguments of a function in the order in which TensorFlow flattens them."""
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
    start = 0
    for argument in arguments:
        composite = argument.WhichOneof("kind") == "type_spec_value"
        spec = argument.type_spec_value
        size = spec.num_flat_components if composite else 1
        part_names = names[start : start + size]
        start += size
        if composite:
            roles = _ROLES.get(spec.type_spec_class_name, ["a part of it"])
            listed = [
                f"{n!r} holds {roles[min(i, len(roles) - 1)]}" for i, n in enumerate(part_names)
            ]
            yield f"an input is {_kind(spec)}: {', '.join(listed)}"


def _kind(spec: TypeSpecProto) -> str:
    name = spec.type_spec_class_name
    return _KINDS.get(name, f"a {name.removesuffix('Spec')}")
