"""The ways of a generated model into Spark: how it becomes a bundle, and how it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from model_generator import Ref, Spec, input_structure, leaf_refs, packed
from pyspark.sql import functions as F

import sparkdl
from sparkdl import TFInputGraph
from sparkdl._bundle_store import stored_bundle


@dataclass(frozen=True)
class Way:
    """A bundle, what it was made of, and the names of its ends, where these are known."""

    bundle: str
    given: Any
    inputs: list[str] | None = None
    outputs: list[str] | None = None


def live(spec: Spec, model: Any, folder: Path) -> Way:
    """Take the model as it is."""
    return Way(stored_bundle(model), model)


def _file(suffix: str) -> Callable[[Spec, Any, Path], Way]:
    def way(spec: Spec, model: Any, folder: Path) -> Way:
        file = folder / f"model{suffix}"
        model.save(file)
        return Way(stored_bundle(file), file)

    return way


def _call(spec: Spec, model: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
    specs = {
        given.name or f"in{i}": tf.TensorSpec([spec.batch, *given.shape], given.dtype)
        for i, given in enumerate(spec.inputs)
    }

    def call(*tensors: Any) -> Any:
        values: dict[Ref, Any] = {(i, 0): t for i, t in enumerate(tensors)}
        made = model(packed(input_structure(spec), values), training=False)
        flat = flattened(spec, made)
        return {f"out{i}": tensor for i, tensor in enumerate(flat)}

    return call, specs


def flattened(spec: Spec, made: Any) -> list[Any]:
    """Return what a model gives as a list of leaves, as they are written in its outputs."""

    def at(value: Any, path: tuple[Any, ...]) -> Any:
        return at(value[path[0]], path[1:]) if path else value

    if spec.outputs[0] in ("list", "tuple") and not isinstance(made, (list, tuple)):
        return [made]  # Keras takes a list of one apart
    return [at(made, path) for path, _ in leaf_refs(spec.outputs)]


def function(spec: Spec, model: Any, folder: Path) -> Way:
    """Take a tf.function around the model."""
    call, specs = _call(spec, model)
    traced = tf.function(call, autograph=False)
    bundle = stored_bundle(traced, inputs=specs)
    return Way(bundle, traced, list(specs), [f"out{i}" for i in range(_count(spec))])


def saved_model(spec: Spec, model: Any, folder: Path) -> Way:
    """Take a SavedModel that Keras exports."""
    model.export(folder / "saved", verbose=False)
    outputs = None if spec.outputs[0] == "dict" else [f"output_{i}" for i in range(_count(spec))]
    inputs = [given.name for given in spec.inputs]
    return Way(stored_bundle(folder / "saved"), folder / "saved", inputs, outputs)  # type: ignore[arg-type]


def frozen_graph(spec: Spec, model: Any, folder: Path) -> Way:
    """Take a file with a frozen graph."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    call, specs = _call(spec, model)
    concrete = tf.function(call, autograph=False).get_concrete_function(*specs.values())
    frozen = convert_variables_to_constants_v2(concrete)
    (folder / "graph.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
    names = [f"out{i}" for i in range(_count(spec))]
    inputs = dict(zip(specs, (t.name for t in frozen.inputs), strict=True))
    outputs = dict(zip(sorted(names), (t.name for t in frozen.outputs), strict=True))
    bundle = stored_bundle(folder / "graph.pb", inputs=inputs, outputs=outputs)
    return Way(bundle, bundle, list(specs), names)


def _count(spec: Spec) -> int:
    return len(leaf_refs(spec.outputs))


WAYS_IN: Mapping[str, Callable[[Spec, Any, Path], Way]] = {
    "live": live,
    ".keras": _file(".keras"),
    ".h5": _file(".h5"),
    "function": function,
    "SavedModel": saved_model,
    "frozen graph": frozen_graph,
}


def by_keras_stage(way: Way, columns: dict[str, str], outputs: list[str], df: Any) -> Any:
    """Apply KerasTransformer."""
    is_model = not isinstance(way.given, (Path, str)) and hasattr(way.given, "weights")
    is_file = isinstance(way.given, Path) and way.given.is_file()
    file = way.given if is_file else way.bundle
    stage = sparkdl.KerasTransformer(
        inputCols=list(columns.values()),
        outputCols=[f"o{i}" for i in range(len(outputs))],
        handleInvalid="keep",
        **({"model": way.given} if is_model else {"modelFile": str(file)}),
    )
    return stage.transform(df)


def by_graph_stage(way: Way, columns: dict[str, str], outputs: list[str], df: Any) -> Any:
    """Apply TFTransformer."""
    return sparkdl.TFTransformer(
        tfInputGraph=TFInputGraph.fromBundle(way.bundle),
        inputMapping={column: name for name, column in columns.items()},
        outputMapping={name: f"o{i}" for i, name in enumerate(outputs)},
        handleInvalid="keep",
    ).transform(df)


def by_column(way: Way, columns: dict[str, str], outputs: list[str], df: Any) -> Any:
    """Apply a column."""
    return _taken_apart(df, sparkdl.load_model(way.bundle)(*columns.values()), outputs)


def by_function(way: Way, columns: dict[str, str], outputs: list[str], df: Any) -> Any:
    """Apply a SQL function to a column per input."""
    sparkdl.registerKerasUDF("generated", way.bundle)
    return _taken_apart(df, F.expr(f"generated({', '.join(columns.values())})"), outputs)


def by_struct(way: Way, columns: dict[str, str], outputs: list[str], df: Any) -> Any:
    """Apply a SQL function to a struct whose fields are in another order."""
    sparkdl.registerKerasUDF("generated", way.bundle)
    fields = ", ".join(f"'{name}', {column}" for name, column in reversed(columns.items()))
    return _taken_apart(df, F.expr(f"generated(named_struct({fields}))"), outputs)


def _taken_apart(df: Any, made: Any, outputs: list[str]) -> Any:
    with_made = df.withColumn("made", made)
    if len(outputs) == 1:
        return with_made.withColumnRenamed("made", "o0")
    fields = {f"o{i}": F.col("made").getField(name) for i, name in enumerate(outputs)}
    return with_made.withColumns(fields)


WAYS_OUT = {
    "KerasTransformer": by_keras_stage,
    "TFTransformer": by_graph_stage,
    "column": by_column,
    "SQL function": by_function,
    "SQL function of a struct": by_struct,
}
