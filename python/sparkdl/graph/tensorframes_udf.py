"""`makeGraphUDF`: a TensorFlow graph as a SQL function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.bundle_store import stored_bundle
from sparkdl._bundles.description.plain_values import plain_values
from sparkdl._models.libraries import tensorflow
from sparkdl.errors.builtin_errors import UnknownNameException
from sparkdl.graph.utils import op_name, strip_and_freeze_until, tensor_name
from sparkdl.udf.model import Model, load_model

if TYPE_CHECKING:
    import tensorflow as tf


def makeGraphUDF(
    graph: tf.Graph,
    udf_name: str,
    fetches: Sequence[Any],
    feeds_to_fields_map: Mapping[Any, str] | None = None,
    blocked: bool = False,
    register: bool = True,
    constants: Mapping[Any, Any] | None = None,
) -> Model:
    """Make a TensorFlow graph a SQL function.

    The function takes one struct, whose fields feed the placeholders, or a column for each
    placeholder, in the order of the graph; with one placeholder that is a plain column. It is
    batched either way, and runs once per row even where a query names it several times.

    Parameters
    ----------
    graph : tf.Graph
        Its variables become constants, with their values in the default session.
    udf_name : str
        Name of the function; one that is registered already is replaced.
    fetches : list of tf.Tensor, tf.Operation or str
        What the function returns: the value of a single one, or a struct of several, whose fields
        are in the order of their operations' names.
    feeds_to_fields_map : dict, optional
        From placeholders (tensors, operations or names) to fields of the struct. Others are fed
        by the field of their name.
    blocked : bool
        What the graph is written for. False: for one row, so that shapes of placeholders are those
        of a value. True: for many rows, so that the first dimension is that of the rows, as in
        Keras; this is faster.
    register : bool
        Whether to register the function; if False, only the model is made.
    constants : dict, optional
        From placeholders (tensors, operations or names) that no field feeds to their values, such
        as ``{"keep_prob": 1.0}``.

    Returns
    -------
    Model
        The graph, which may be applied to columns as well.

    Raises
    ------
    AssertionError
        `graph` is not a graph, or a tensor is of another one.
    KeyError
        The graph has no such operation, or the map names something other than a placeholder that
        the fetches need.
    InvalidModelException
        The graph cannot be frozen or converted.
    SettingsException
        A constant does not name a placeholder that the fetches need, or does not fit it.

    Examples
    --------
    >>> with IsolatedSession() as issn:  # doctest: +SKIP
    ...     x = tf.compat.v1.placeholder(tf.float64, [], name="x")
    ...     makeGraphUDF(issn.graph, "plus_three", [tf.add(x, 3, name="z")])
    >>> spark.sql("SELECT plus_three(price) FROM houses")  # doctest: +SKIP
    """
    from sparkdl._bundles.graph.unfed_placeholders import constants_of

    part = strip_and_freeze_until(fetches, graph, _session_of(graph))
    fed_ops = [op_name(k, graph) for k in feeds_to_fields_map or {}]
    part = constants_of(plain_values(constants), part, udf_name, fed=fed_ops).put_into(part)
    tensors = sorted(tensor_name(f, graph) for f in fetches)
    outputs = {name.removesuffix(":0"): name for name in tensors}
    inputs = {n.name: n.name + ":0" for n in part.node if n.op == "Placeholder"}
    fields = {op_name(k, graph): field for k, field in (feeds_to_fields_map or {}).items()}
    unknown = fields.keys() - inputs.keys()
    if unknown:
        raise UnknownNameException(
            f"feeds_to_fields_map names {', '.join(sorted(unknown))}; the placeholders that the "
            f"fetches need are {', '.join(inputs) or 'none'}."
        )
    model = load_model(_bundle(part, inputs, outputs, udf_name, blocked))
    if register:
        model.register(udf_name, fields=fields)
    return model


def _session_of(graph: tf.Graph) -> tf.compat.v1.Session | None:
    session = tensorflow().compat.v1.get_default_session()
    return session if session is not None and session.graph is graph else None


def _bundle(
    part: tf.compat.v1.GraphDef,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    name: str,
    blocked: bool,
) -> str:
    if blocked:
        return stored_bundle(part, inputs=inputs, outputs=outputs, name=name)
    from sparkdl._bundles.graph.rows import over_rows

    return stored_bundle(over_rows(part, inputs, outputs), inputs=list(inputs), name=name)
