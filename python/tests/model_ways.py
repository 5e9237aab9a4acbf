"""The ways of a generated model into Spark: how it becomes a bundle, and how it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import tensorflow as tf
from model_building import LIBRARIES
from model_spec import Ref, Spec, input_structure, leaf_refs, packed
from pyspark.sql import functions as F

import sparkdl
from sparkdl import TFInputGraph
from sparkdl._bundles.bundle_store import stored_bundle


@dataclass(frozen=True)
class Way:
    """What is handed over, with which options, and the names of its ends, where these are known.

    `read` is the model that Keras makes of a file, where it gives other numbers than the one that
    was saved.
    """

    given: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    inputs: list[str] | None = None
    outputs: list[str] | None = None
    read: Any = None


@dataclass(frozen=True)
class Arrival:
    """A bundle, and the stage that it is of, where that is the way out."""

    bundle: str
    stage: Any = None


def arrive(way: Way, out: str, verify: bool) -> Arrival:
    """Make a bundle, once: a stage of Keras that takes the model itself makes its own."""
    whole, takes = "inputs" not in way.options, partial(sparkdl.KerasTransformer, verify=verify)
    if out != "KerasTransformer":
        return Arrival(stored_bundle(way.given, verify=verify, **way.options))
    if whole and hasattr(way.given, "weights"):
        stage = takes(model=way.given)
        return Arrival(stage.getModelFile(), stage)
    # The options are those of the stage, which then finds the bundle of its file.
    bundle = stored_bundle(way.given, safe_mode=True, verify=verify, **way.options)
    is_file = whole and way.given.is_file()
    return Arrival(bundle, takes(modelFile=str(way.given if is_file else bundle)))


def live(spec: Spec, model: Any, folder: Path) -> Way:
    """Take the model as it is."""
    return Way(model)


def _file(suffix: str) -> Callable[[Spec, Any, Path], Way]:
    def way(spec: Spec, model: Any, folder: Path) -> Way:
        file = folder / f"model{suffix}"
        model.save(file)
        read = LIBRARIES[spec.library].models.load_model(file, compile=False)  # if Keras can
        # Of outputs in an OrderedDict, Keras gives layers each other's weights.
        return Way(file, read=read if spec.outputs[0] == "ordered" else None)

    return way


def _call(spec: Spec, model: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
    specs = {
        given.name or f"in{i}": tf.TensorSpec([spec.batch, *given.shape], given.dtype)
        for i, given in enumerate(spec.inputs)
    }

    def call(*tensors: Any) -> Any:
        values: dict[Ref, Any] = {(i, 0): t for i, t in enumerate(tensors)}
        return model(packed(input_structure(spec), values), training=False)

    return call, specs


def has_graph(spec: Spec, model: Any) -> bool:
    """Say whether TensorFlow can trace the model: there are layers that only run eagerly."""
    call, specs = _call(spec, model)
    try:
        tf.function(call, autograph=False).get_concrete_function(*specs.values())
    except Exception:  # whatever a layer raises
        return False
    return True


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
    return Way(tf.function(call, autograph=False), {"inputs": specs}, list(specs))


def saved_model(spec: Spec, model: Any, folder: Path) -> Way:
    """Take a SavedModel that Keras exports."""
    options: dict[str, Any] = {}
    if spec.library == "keras":
        options = {"verbose": False, "input_signature": _signature(spec, model)}
    with redirect_stdout(StringIO()):  # tf_keras tells what it has written
        model.export(folder / "saved", **options)
    named = spec.outputs[0] in ("dict", "ordered")
    outputs = None if named else [f"output_{i}" for i in range(_count(spec))]
    return Way(folder / "saved", {}, _tensor_names(spec, model), outputs)


def _signature(spec: Spec, model: Any) -> list[Any] | None:
    """Return what the model takes if its batch is fixed, which Keras 3 would not write."""
    if spec.batch is None:
        return None
    ends = zip(_tensor_names(spec, model), spec.inputs, strict=True)
    specs = {
        (i, 0): tf.TensorSpec([spec.batch, *given.shape], given.dtype, name)
        for i, (name, given) in enumerate(ends)
    }
    return [packed(input_structure(spec), specs)]


def _tensor_names(spec: Spec, model: Any) -> list[str]:
    """Return what Keras calls each input, named or not; it sorts those that are taken by key."""
    places = list(range(len(spec.inputs)))
    if spec.takes == "dict" or (spec.takes == "ordered" and spec.library == "tf_keras"):
        keys = [key for key, _ in input_structure(spec)[1]]
        places.sort(key=lambda place: keys[place])
    names = dict(zip(places, (tensor.name for tensor in model.inputs), strict=True))
    return [names[place] for place in range(len(names))]


def frozen_graph(spec: Spec, model: Any, folder: Path) -> Way:
    """Take a file with a frozen graph, which TensorFlow itself could run on a processor."""
    if any(n.layer[0] == "Conv3D" and n.layer[1].get("groups", 1) > 1 for n in spec.nodes):
        raise ValueError("Only XLA has a kernel for three-dimensional convolutions in groups.")
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    call, specs = _call(spec, model)

    def flat(*tensors: Any) -> list[Any]:
        return flattened(spec, call(*tensors))

    concrete = tf.function(flat, autograph=False).get_concrete_function(*specs.values())
    frozen = convert_variables_to_constants_v2(concrete)
    (folder / "graph.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
    names = [f"out{i}" for i in range(_count(spec))]
    ends = {
        "inputs": dict(zip(specs, (t.name for t in frozen.inputs), strict=True)),
        "outputs": dict(zip(names, (t.name for t in frozen.outputs), strict=True)),
    }
    return Way(folder / "graph.pb", ends, list(specs), names)


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


# What appends a model's outputs to a frame: from the bundle, the column of each input, and what the
# column of each output is to be called.
Applied = Callable[[Arrival, Mapping[str, str], Mapping[str, str], Any], Any]


def by_keras_stage(
    way: Arrival, columns: Mapping[str, str], outputs: Mapping[str, str], df: Any
) -> Any:
    """Apply KerasTransformer."""
    ends = {"inputCols": list(columns.values()), "outputCols": list(outputs.values())}
    return way.stage.setParams(**ends, handleInvalid="keep").transform(df)


def by_graph_stage(
    way: Arrival, columns: Mapping[str, str], outputs: Mapping[str, str], df: Any
) -> Any:
    """Apply TFTransformer."""
    return sparkdl.TFTransformer(
        tfInputGraph=TFInputGraph.fromBundle(way.bundle),
        inputMapping={column: name for name, column in columns.items()},
        outputMapping=dict(outputs),
        handleInvalid="keep",
    ).transform(df)


def by_column(way: Arrival, columns: Mapping[str, str], outputs: Mapping[str, str], df: Any) -> Any:
    """Apply a column."""
    return _taken_apart(df, sparkdl.load_model(way.bundle)(*columns.values()), outputs)


def by_function(
    way: Arrival, columns: Mapping[str, str], outputs: Mapping[str, str], df: Any
) -> Any:
    """Apply a SQL function to a column per input."""
    name = _registered(way, outputs)
    return _taken_apart(df, F.expr(f"{name}({', '.join(columns.values())})"), outputs)


def by_struct(way: Arrival, columns: Mapping[str, str], outputs: Mapping[str, str], df: Any) -> Any:
    """Apply a SQL function to a struct whose fields are in another order."""
    name = _registered(way, outputs)
    fields = ", ".join(f"'{name}', {column}" for name, column in reversed(columns.items()))
    return _taken_apart(df, F.expr(f"{name}(named_struct({fields}))"), outputs)


def _registered(way: Arrival, outputs: Mapping[str, str]) -> str:
    name = f"generated_{_first(outputs)}"  # another one for each model of a query
    sparkdl.registerKerasUDF(name, way.bundle)
    return name


def _taken_apart(df: Any, made: Any, outputs: Mapping[str, str]) -> Any:
    if len(outputs) == 1:
        return df.withColumn(_first(outputs), made)
    whole = f"made_{_first(outputs)}"
    fields = {column: F.col(whole).getField(name) for name, column in outputs.items()}
    return df.withColumn(whole, made).withColumns(fields).drop(whole)


def _first(outputs: Mapping[str, str]) -> str:
    return next(iter(outputs.values()))


WAYS_OUT: Mapping[str, Applied] = {
    "KerasTransformer": by_keras_stage,
    "TFTransformer": by_graph_stage,
    "column": by_column,
    "SQL function": by_function,
    "SQL function of a struct": by_struct,
}
