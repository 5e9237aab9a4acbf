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
from sparkdl.tensorframes._arguments import Argument, Form, arguments, label
from sparkdl.tensorframes._program import Program, finished, with_names, with_shapes
from sparkdl.tensorframes._tensor_columns import TensorColumns, known


def traced(
    function: Callable[..., Any], form: Form, columns: TensorColumns, feeds: Mapping[str, str]
) -> Program:
    """Trace a function at the tensors of the columns that its arguments name.

    Parameters
    ----------
    function : callable
        From tensors to a dict of tensors. Variables that it captures become constants.
    form : Form
        Whether it takes blocks or rows.
    columns : dict of str to TensorColumn
        Of the DataFrame.
    feeds : dict of str to str
        From arguments to columns, where they are called otherwise.
    """
    taken = arguments(function, feeds)
    bound = {a.name: feeds.get(a.name) or form.column(a.name, columns) for a in taken}
    specs = [_spec(a, bound[a.name], form, columns, label(function)) for a in taken]
    names: list[str] = []
    concrete = _trace(_flat(function, taken, names), specs, form, label(function))
    graph_def, inputs, results = _frozen(concrete, label(function))
    ends = dict(zip(names, results, strict=True))
    shapes = dict(zip(names, (t.shape for t in concrete.outputs), strict=True))
    graph_def, ends = with_shapes(graph_def, ends, shapes)
    ends = with_names(graph_def, ends)
    ops = dict(zip(map(node_of, inputs), bound.values(), strict=True))
    part, needed = finished(graph_def, ends, ops, label(function))
    return Program(part, ends, needed, from_function=True)


def _spec(argument: Argument, column: str, form: Form, columns: TensorColumns, whose: str) -> Any:
    found = known(column, columns, f"the argument '{argument.name}' of {whose}")
    shape = tf.TensorShape(found.shape(form.block))
    dtype = found.dtype
    if argument.declared is not None:  # the engine converts, and compares shapes
        declared = tf.TensorShape(argument.declared.shape)
        shape = shape.merge_with(declared) if shape.is_compatible_with(declared) else declared
        dtype = argument.declared.dtype
    return tf.TensorSpec(shape, tf.as_dtype(dtype), name=argument.name)


def _flat(
    function: Callable[..., Any], taken: list[Argument], names: list[str]
) -> Callable[..., Any]:
    """Return the function with positional arguments and a list of results; fills their names."""

    def of_tensors(*tensors: tf.Tensor) -> list[Any]:
        given = list(zip(taken, tensors, strict=True))
        positional = [t for a, t in given if a.positional]
        result = function(*positional, **{a.name: t for a, t in given if not a.positional})
        found = _results(result, label(function))
        names[:] = list(found)
        return list(found.values())

    return of_tensors


def _trace(function: Callable[..., Any], specs: list[Any], form: Form, whose: str) -> Any:
    with eagerly():
        try:
            return tf.function(function, autograph=False).get_concrete_function(*specs)
        except SparkDLException:
            raise
        except Exception as e:  # whatever a user's code may raise
            raise InvalidModelException(_cannot_trace(e, specs, form, whose)) from e


def _cannot_trace(error: Exception, specs: list[Any], form: Form, whose: str) -> str:
    given = ", ".join(f"{s.name}: {s.dtype.name} {_written(s.shape)}" for s in specs)
    text = f"Cannot trace {whose} at {given or 'no arguments'}: {type(error).__name__}: {error}"
    cells = [s.shape[1:] if form.block else s.shape for s in specs]
    if "Python `bool`" in text or "iterating over" in text:
        return text + " Decorate it with @tf.function, so that if and for work on tensors."
    if "does not match type" in text or "don't all match" in text:
        return text + " Tensors of different types do not mix: use tf.cast(x, tf.float64)."
    if not all(c.is_fully_defined() for c in cells):
        return text + " (Sizes that are unknown come from tfs.append_shape or tfs.analyze.)"
    return text


def _written(shape: tf.TensorShape) -> str:
    if shape.rank is None:
        return "[...]"
    return f"[{', '.join('?' if d is None else str(d) for d in shape)}]"


def _results(result: object, whose: str) -> dict[str, Any]:
    if not isinstance(result, Mapping):
        got = "a single tensor" if isinstance(result, tf.Tensor) else f"{type(result).__name__}"
        raise WrongTypeException(
            f"{_capital(whose)} gave {got}. Expected a dict that names the results: "
            'lambda x: {"z": x + 3.0}.'
        )
    if not result:
        raise WrongTypeException(f"{_capital(whose)} gave an empty dict: there is no result.")
    return {_name(n, whose): _tensor(n, value, whose) for n, value in result.items()}


def _name(name: object, whose: str) -> str:
    if not isinstance(name, str) or not name:
        raise WrongTypeException(
            f"{_capital(whose)} names a result {name!r}. Expected the name of a column as text."
        )
    return name


def _tensor(name: str, value: object, whose: str) -> tf.Tensor:
    if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)):
        raise WrongTypeException(
            f"The result '{name}' of {whose} is a {type(value).__name__}. Expected a dense tensor: "
            "use value.to_tensor(), or tf.sparse.to_dense(value)."
        )
    try:
        return tf.convert_to_tensor(value)
    except (TypeError, ValueError) as e:
        raise WrongTypeException(
            f"The result '{name}' of {whose} is no tensor but {type(value).__name__}: {e}"
        ) from e


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _frozen(
    concrete: tf.types.experimental.ConcreteFunction, whose: str
) -> tuple[Any, list[str], list[str]]:
    with eagerly():
        try:
            found = freeze(concrete)
            return found.whole(), found.inputs, found.outputs
        except NotFrozenException as e:
            raise InvalidModelException(
                f"Cannot freeze {whose}: it uses resources that are not variables, such as lookup "
                "tables, which cannot become constants. Apply such a model as a whole: "
                "sparkdl.load_model, or a stage."
            ) from e
