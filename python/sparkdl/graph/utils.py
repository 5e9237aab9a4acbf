"""Names of tensors and operations, and freezing of what a session holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Union

from sparkdl._models.libraries import tensorflow
from sparkdl.errors.builtin_errors import (
    UnknownNameException,
    WrongStateException,
    WrongTypeException,
)

if TYPE_CHECKING:
    import tensorflow as tf

# Something with a name in a graph, or the name. A variable stands for its value.
Named = Union["tf.Tensor", "tf.Operation", "tf.Variable", str]


def validated_graph(graph: object) -> tf.Graph:
    """Return the graph if it is a `tf.Graph`; otherwise raise an AssertionError."""
    if not isinstance(graph, tensorflow().Graph):
        raise WrongStateException(
            f"Expected a tf.Graph, got {type(graph).__name__}. A GraphDef becomes one with "
            "tf.import_graph_def."
        )
    return graph


def tensor_name(tfobj_or_name: Named, graph: tf.Graph | None = None) -> str:
    """Return the name "op:index" of a tensor.

    Parameters
    ----------
    tfobj_or_name : tf.Tensor, tf.Operation, tf.Variable or str
        The tensor, an operation, which stands for its first output, the name of either, or a
        variable, which stands for its value.
    graph : tf.Graph, optional
        The graph that must have it. Without one, names are not looked up anywhere.

    Raises
    ------
    TypeError
        It is something else.
    AssertionError
        It is of another graph, or a name with more than one ":".
    KeyError
        The graph has nothing of that name.

    Examples
    --------
    >>> tensor_name("a"), tensor_name("a:3")
    ('a:0', 'a:3')
    """
    if graph is None and isinstance(tfobj_or_name, str):
        op, index = _split(tfobj_or_name)
        return f"{op}:{index}"
    return str(get_tensor(tfobj_or_name, _graph_of(tfobj_or_name, graph)).name)


def op_name(tfobj_or_name: Named, graph: tf.Graph | None = None) -> str:
    """Return the name of an operation; arguments and errors as in `tensor_name`.

    >>> op_name("a"), op_name("a:3")
    ('a', 'a')
    """
    if graph is None and isinstance(tfobj_or_name, str):
        return _split(tfobj_or_name)[0]
    return str(get_op(tfobj_or_name, _graph_of(tfobj_or_name, graph)).name)


def get_op(tfobj_or_name: Named, graph: tf.Graph) -> tf.Operation:
    """Return the operation of a graph for itself, for one of its tensors, or for a name."""
    if isinstance(tfobj_or_name, str):
        name = _split(tfobj_or_name)[0]
        try:
            return validated_graph(graph).get_operation_by_name(name)
        except KeyError:
            raise _missing("operation", name, graph) from None
    tfobj = _value_of(tfobj_or_name)
    _same_graph(tfobj, graph)
    return getattr(tfobj, "op", tfobj)


def get_tensor(tfobj_or_name: Named, graph: tf.Graph) -> tf.Tensor:
    """Return the tensor of a graph for itself or a name; for an operation, its first output."""
    op = get_op(tfobj_or_name, graph)
    index = 0
    if isinstance(tfobj_or_name, str):
        index = _split(tfobj_or_name)[1]
    elif tfobj_or_name is not op:
        index = _value_of(tfobj_or_name).value_index
    if index >= len(op.outputs):
        raise _missing("tensor", f"{op.name}:{index}", graph)
    return op.outputs[index]


def get_shape(tfobj_or_name: Named, graph: tf.Graph) -> list[int]:
    """Return the sizes of a tensor, -1 for those that are unknown.

    Raises
    ------
    AssertionError
        Even the number of dimensions is unknown.
    """
    tensor = get_tensor(tfobj_or_name, graph)
    if tensor.shape.rank is None:
        raise WrongStateException(f"The number of dimensions of {tensor.name} is unknown.")
    return [-1 if size is None else int(size) for size in tensor.shape.as_list()]


def add_scope_to_name(scope: str, name: str) -> str:
    """Return "scope/name", or the name alone for an empty scope."""
    return f"{scope}/{name}" if scope else name


def validated_output(tfobj_or_name: Named, graph: tf.Graph) -> str:
    """Return the name of the operation of an output, which the graph must have."""
    return op_name(tfobj_or_name, validated_graph(graph))


def validated_input(tfobj_or_name: Named, graph: tf.Graph) -> str:
    """Return the name of the operation of an input; an AssertionError unless a placeholder."""
    op = get_op(tfobj_or_name, validated_graph(graph))
    if op.type not in ("Placeholder", "PlaceholderWithDefault"):
        raise WrongStateException(
            f"The input {op.name!r} is not a placeholder but an operation {op.type}."
        )
    return str(op.name)


def strip_and_freeze_until(
    fetches: Sequence[Any],
    graph: tf.Graph,
    sess: tf.compat.v1.Session | None = None,
    return_graph: bool = False,
) -> tf.compat.v1.GraphDef | tf.Graph:
    """Return the part of a graph that the fetches need, with constants in place of variables.

    Parameters
    ----------
    fetches : list of tf.Tensor, tf.Operation or str
        What to keep.
    graph : tf.Graph
        It is not changed.
    sess : tf.compat.v1.Session, optional
        The session with the values of the variables; it stays open. Not needed without variables.
    return_graph : bool
        Whether the result is a new `tf.Graph`.

    Returns
    -------
    tf.compat.v1.GraphDef or tf.Graph
    """
    tf = tensorflow()
    from sparkdl._bundles.graph.session import freeze_by_session
    from sparkdl._bundles.graph.weights import put_back

    names = [op_name(f, validated_graph(graph)) for f in fetches]
    if sess is not None:
        graph_def = put_back(*freeze_by_session(sess, graph, names))
    else:
        with tf.compat.v1.Session(graph=graph) as new_session:
            graph_def = put_back(*freeze_by_session(new_session, graph, names))
    if not return_graph:
        return graph_def
    note_shapes(graph_def, graph)
    with tf.Graph().as_default() as frozen:
        tf.import_graph_def(graph_def, name="")
    return frozen


def note_shapes(graph_def: tf.compat.v1.GraphDef, graph: tf.Graph) -> None:
    """Note the shapes that tensors have in a graph, as `as_graph_def(add_shapes=True)` does.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
        Made from the graph. Operations that were replaced, as variables are, get no note.
    graph : tf.Graph
        It knows shapes that a GraphDef lacks: those of `set_shape` and of results of loops.
    """
    operations = {op.name: op for op in graph.get_operations()}
    for node in graph_def.node:
        op = operations.get(node.name)
        if op is not None and op.type == node.op:
            shapes = [output.shape.as_proto() for output in op.outputs]
            node.attr["_output_shapes"].list.shape.extend(shapes)


def _split(name: str) -> tuple[str, int]:
    op, colon, index = name.partition(":")
    if not op or (colon and not index.isdecimal()):
        raise WrongStateException(
            f"Expected the name of an operation or of a tensor ('op' or 'op:0'), got {name!r}."
        )
    return op, int(index or 0)


def _graph_of(tfobj: Named, graph: tf.Graph | None) -> tf.Graph | None:
    if graph is not None or isinstance(tfobj, str):
        return graph
    tfobj = _value_of(tfobj)
    _check_type(tfobj)
    return tfobj.graph


def _value_of(tfobj: Any) -> Any:
    """Return the tensor of a variable's value; anything else as it is."""
    is_variable = isinstance(tfobj, tensorflow().Variable) and hasattr(tfobj, "graph")
    return tfobj.graph.as_graph_element(tfobj) if is_variable else tfobj


def _check_type(tfobj: Named) -> None:
    tf = tensorflow()
    if not isinstance(tfobj, (tf.Tensor, tf.Operation)) or not hasattr(tfobj, "graph"):
        hint = ""
        if type(tfobj).__name__ == "KerasTensor":
            hint = (
                " Keras 3 models are not in a tf.Graph: use GraphFunction.fromKeras(model) and "
                "importGraphFunction, or call the model on a placeholder."
            )
        raise WrongTypeException(
            "Expected a tensor or operation of a tf.Graph, or the name of one, got "
            f"{type(tfobj).__name__}: {tfobj!r}.{hint}"
        )


def _same_graph(tfobj: tf.Tensor | tf.Operation, graph: tf.Graph) -> None:
    _check_type(tfobj)
    if tfobj.graph is not validated_graph(graph):
        raise WrongStateException(
            f"{tfobj.name!r} belongs to another graph than the one it is looked for in."
        )


def _missing(what: str, name: str, graph: tf.Graph) -> UnknownNameException:
    from difflib import get_close_matches

    names = [op.name for op in graph.get_operations()]
    near = get_close_matches(name.split(":")[0], names, n=5, cutoff=0.3) or names[:10]
    return UnknownNameException(
        f"The graph has no {what} {name!r}. Some operations that it has: {', '.join(near)}."
    )
