"""Traces Python functions of tensors into programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from sparkdl._bundles.graph.freeze import NotFrozenException, freeze
from sparkdl._bundles.graph.graph import node_of
from sparkdl._models.libraries import eagerly
from sparkdl.errors import InvalidModelException, SparkDLException
from sparkdl.errors.builtin_errors import WrongTypeException
from sparkdl.tensorframes._arguments import Argument, ProgramForm, arguments, label
from sparkdl.tensorframes._program import Program, finish, with_names, with_shapes
from sparkdl.tensorframes._tensor_columns import TensorColumns, tensor_column


def trace(
    function: Callable[..., Any],
    form: ProgramForm,
    columns: TensorColumns,
    feeds: Mapping[str, str],
) -> Program:
    """Trace a function with the tensors of the columns that its arguments name.

    Parameters
    ----------
    function : callable
        From tensors to a dict of tensors. Variables that it captures become constants.
    form : Form
        Whether it takes blocks or rows.
    columns : dict of str to TensorColumn
        Those of the DataFrame.
    feeds : dict of str to str
        From arguments to columns, where their names differ.
    """
    parameters = arguments(function, feeds)
    columns_by_argument = {
        a.name: feeds.get(a.name) or form.column(a.name, columns) for a in parameters
    }
    specs = [
        _spec(a, columns_by_argument[a.name], form, columns, label(function)) for a in parameters
    ]
    names: list[str] = []
    concrete = _trace(_with_flat_results(function, parameters, names), specs, form, label(function))
    graph_def, inputs, result_tensors = _freeze(concrete, label(function))
    ends = dict(zip(names, result_tensors, strict=True))
    shapes = dict(zip(names, (t.shape for t in concrete.outputs), strict=True))
    graph_def, ends = with_shapes(graph_def, ends, shapes)
    ends = with_names(graph_def, ends)
    ops = dict(zip(map(node_of, inputs), columns_by_argument.values(), strict=True))
    part, needed = finish(graph_def, ends, ops, label(function))
    return Program(part, ends, needed, from_function=True)


def _spec(
    argument: Argument, column: str, form: ProgramForm, columns: TensorColumns, owner: str
) -> Any:
    fed = tensor_column(column, columns, f"the argument '{argument.name}' of {owner}")
    shape = tf.TensorShape(fed.shape(form.block))
    dtype = fed.dtype
    if argument.declared is not None:  # the engine converts, and compares shapes
        declared = tf.TensorShape(argument.declared.shape)
        shape = shape.merge_with(declared) if shape.is_compatible_with(declared) else declared
        dtype = argument.declared.dtype
    return tf.TensorSpec(shape, tf.as_dtype(dtype), name=argument.name)


def _with_flat_results(
    function: Callable[..., Any], parameters: list[Argument], names: list[str]
) -> Callable[..., Any]:
    """Return the function with positional arguments and a list of results; fill in their names."""

    def of_tensors(*tensors: tf.Tensor) -> list[Any]:
        pairs = list(zip(parameters, tensors, strict=True))
        positional = [t for a, t in pairs if a.positional]
        result = function(*positional, **{a.name: t for a, t in pairs if not a.positional})
        results = _results(result, label(function))
        names[:] = list(results)
        return list(results.values())

    return of_tensors


def _trace(function: Callable[..., Any], specs: list[Any], form: ProgramForm, owner: str) -> Any:
    with eagerly():
        try:
            return tf.function(function, autograph=False).get_concrete_function(*specs)
        except SparkDLException:
            raise
        except Exception as e:  # whatever a user's code may raise
            raise InvalidModelException(_cannot_trace(e, specs, form, owner)) from e


def _cannot_trace(error: Exception, specs: list[Any], form: ProgramForm, owner: str) -> str:
    at = ", ".join(f"{s.name}: {s.dtype.name} {_shape_text(s.shape)}" for s in specs)
    at = at or "no arguments"
    text = f"Cannot trace {owner} with {at}: {type(error).__name__}: {error}"
    cells = [s.shape[1:] if form.block else s.shape for s in specs]
    if "Python `bool`" in text or "iterating over" in text:
        return text + " Decorate it with @tf.function, so that if and for work on tensors."
    if "does not match type" in text or "don't all match" in text:
        return text + " Tensors of different types do not mix: use tf.cast(x, tf.float64)."
    if not all(c.is_fully_defined() for c in cells):
        return text + " (tfs.append_shape or tfs.analyze can say which sizes are unknown here.)"
    return text


def _shape_text(shape: tf.TensorShape) -> str:
    if shape.rank is None:
        return "[...]"
    return f"[{', '.join('?' if d is None else str(d) for d in shape)}]"


def _results(result: object, owner: str) -> dict[str, Any]:
    if not isinstance(result, Mapping):
        got = "a single tensor" if isinstance(result, tf.Tensor) else f"{type(result).__name__}"
        raise WrongTypeException(
            f"{_capitalized(owner)} returned {got}. Expected a dict that names the results: "
            'lambda x: {"z": x + 3.0}.'
        )
    if not result:
        raise WrongTypeException(f"{_capitalized(owner)} returned an empty dict: no result.")
    return {_name(n, owner): _tensor(n, value, owner) for n, value in result.items()}


def _name(name: object, owner: str) -> str:
    if not isinstance(name, str) or not name:
        raise WrongTypeException(
            f"{_capitalized(owner)} names a result {name!r}. Expected the name of a column as text."
        )
    return name


def _tensor(name: str, value: object, owner: str) -> tf.Tensor:
    if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
        raise WrongTypeException(
            f"The result '{name}' of {owner} is a {type(value).__name__}. Expected a dense tensor: "
            "use value.to_tensor(), or tf.sparse.to_dense(value)."
        )
    try:
        return tf.convert_to_tensor(value)
    except (TypeError, ValueError) as e:
        raise WrongTypeException(
            f"The result '{name}' of {owner} is not a tensor but {type(value).__name__}: {e}"
        ) from e


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]


def _freeze(
    concrete: tf.types.experimental.ConcreteFunction, owner: str
) -> tuple[Any, list[str], list[str]]:
    with eagerly():
        try:
            frozen = freeze(concrete)
            return frozen.whole(), frozen.inputs, frozen.outputs
        except NotFrozenException as e:
            raise InvalidModelException(
                f"Cannot freeze {owner}: it uses resources that are not variables, such as lookup "
                "tables, which cannot become constants. Apply such a model as a whole: "
                "sparkdl.load_model, or a stage."
            ) from e
