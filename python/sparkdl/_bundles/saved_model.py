"""SavedModels: frozen if they can be, else copied whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from sparkdl._bundles.description.input_specs import UserEnds, rename_ends
from sparkdl._bundles.description.manifest import (
    SEED,
    BundleEnd,
    random_json,
    specs_json,
    write_bundle,
)
from sparkdl._bundles.graph import freeze as freezing
from sparkdl._bundles.graph.generators import is_generator
from sparkdl._bundles.graph.names import FrozenGraph, dimensions
from sparkdl._bundles.graph.original import Original, SavedModelRun, with_values
from sparkdl._bundles.graph.random_ops import (
    DRAWING,
    OF_GENERATORS,
    describe_draws,
    forget_seeds,
    needed_nodes,
)
from sparkdl._bundles.graph.session import freeze_by_session, prune
from sparkdl._bundles.graph.state_writes import without_writes
from sparkdl._bundles.graph.unfed_placeholders import constants_of, require_fed
from sparkdl._bundles.saved_model_files import (
    DEFAULT_SIGNATURE,
    graph_with_tags,
    meta_graph,
    meta_graphs,
    signature_of,
    write_constants,
)
from sparkdl._models.composite_tensors import require_dense
from sparkdl._models.files.reaching_operations import of_saved_model, require_trusted
from sparkdl._models.live_keras import export_model
from sparkdl._models.unsaved_variables import require_values
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.labels import Labels, write_labels

if TYPE_CHECKING:
    import keras
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef, TensorInfo

_FOLDER = "saved_model"


@dataclass(frozen=True)
class UnfrozenSavedModel:
    """A SavedModel that has state besides variables (lookup tables), so it travels whole."""

    path: Path
    inputs: list[BundleEnd]
    outputs: list[BundleEnd]
    source: dict[str, str]
    why: str
    tags: str = "serve"
    random: dict[str, Any] | None = None
    original: Original | None = None

    def with_constants(self, constants: Mapping[str, Any] | None, name: str) -> UnfrozenSavedModel:
        """Return it with values for placeholders; see `constants_of` for the arguments."""
        tags = self.tags.split(",")
        tensors = {s.name: s.tensor for s in self.inputs}
        values = constants_of(constants, graph_with_tags(self.path, tags).graph_def, name, tensors)
        remaining = values.without(tensors)
        model = self.original
        return replace(
            self,
            original=model and with_values(model, values.values_of(tensors)),
            path=write_constants(self.path, tags, values),
            inputs=[s for s in self.inputs if s.name in remaining],
        )

    def write(self, path: str | Path, name: str, labels: Labels | None, overwrite: bool) -> str:
        """Write it as a bundle."""
        manifest: dict[str, Any] = {
            "name": name,
            "source": self.source,
            "savedModel": _FOLDER,
            "tags": self.tags,
            "inputs": specs_json(self.inputs),
            "outputs": specs_json(self.outputs),
        }
        if self.random is not None:
            manifest["random"] = self.random
        if labels is not None:
            manifest["labels"] = "labels.json"

        def write_files(folder: Path) -> None:
            shutil.copytree(self.path, folder / _FOLDER)
            _rewrite(folder / _FOLDER / "saved_model.pb", self._without_state)
            if labels is not None:
                write_labels(folder, labels)

        return write_bundle(path, manifest, write_files, overwrite)

    def _without_state(self, graph_def: GraphDef) -> Any:
        """Return a graph that draws other numbers in every session, and keeps its variables."""
        functions = graph_def.library.function
        forget_seeds([*graph_def.node, *(n for f in functions for n in f.node_def)])
        ops = [s.tensor.split(":")[0] for s in self.outputs]
        if any(op not in {n.name for n in graph_def.node} for op in ops):
            return graph_def  # of other tags
        generators = {n.name for n in graph_def.node if is_generator(n.name)}
        return without_writes(graph_def, "the SavedModel", ops, generators)


def from_saved_model(
    path: Path,
    signature: str,
    inputs: UserEnds | None,
    outputs: UserEnds | None,
    constants: Mapping[str, Any] | None = None,
    trusted: bool = False,
    address: object = None,
) -> FrozenGraph | UnfrozenSavedModel:
    """Freeze one signature of a SavedModel under the signature's names.

    The objects that Python saved with it are not made again: those of Keras 2 need Keras 2, and
    signatures need none of them. Unless it is `trusted`, it may not reach out of its graph; errors
    about that call it by its `address`.
    """
    meta = meta_graph(path)
    tags = sorted(meta.meta_info_def.tags)
    key = signature_of(path, meta, signature)
    original_path, path = path, _with_constants(path, meta, key, constants)
    meta = meta if path == original_path else meta_graph(path)
    ends = meta.signature_def[key]
    old_in, old_out = sorted(ends.inputs), sorted(ends.outputs)
    new_in = rename_ends(old_in, inputs, "inputs")[1]
    chosen, new_out = rename_ends(old_out, outputs, "outputs")
    input_tensors = {new: ends.inputs[old].name for old, new in zip(old_in, new_in, strict=True)}
    output_tensors = {new: ends.outputs[old].name for old, new in zip(chosen, new_out, strict=True)}
    found = of_saved_model(meta, output_tensors.values())
    require_trusted(found, original_path if address is None else address, trusted)
    # The session stays open: its variables are the weights, and the comparison runs it.
    original = SavedModelRun(path, ",".join(tags), input_tensors, output_tensors)
    ops = [t.split(":")[0] for t in (*output_tensors.values(), *input_tensors.values())]
    try:
        freezing.check_without_tables(prune(original.graph_def, ops), str(path))
        session = original.session
        graph_def, weights = freeze_by_session(session, session.graph, ops, own=True)
        freezing.check_frozen(graph_def, str(path))
    except freezing.NotFrozenException as e:
        original.close()
        return _unfrozen(path, (meta, key, ",".join(tags)), inputs, outputs, str(e))
    for node in graph_def.node:
        node.attr.pop("_output_shapes", None)  # of the batch that it was exported with
    shapes = {
        new: tf.TensorShape(ends.outputs[old].tensor_shape)
        for old, new in zip(chosen, new_out, strict=True)
    }
    ends = (input_tensors, output_tensors)
    return FrozenGraph(graph_def, *ends, _source(key), shapes, original, weights)


def _with_constants(
    path: Path, meta: MetaGraphDef, signature: str, constants: Mapping[str, Any] | None
) -> Path:
    """Check that rows can be fed to a signature; return the SavedModel with the constants."""
    require_dense(meta, signature, f"The SavedModel {path}")
    require_values(meta, signature, f"The SavedModel {path}")
    ends = meta.signature_def[signature]
    inputs, outputs = ({n: i.name for n, i in e.items()} for e in (ends.inputs, ends.outputs))
    values = constants_of(constants, meta.graph_def, path.name, inputs)
    fed = [*inputs.values(), *(f"{op}:0" for op in values.tensors)]
    require_fed(meta.graph_def, fed, outputs, path.name)
    return write_constants(path, meta.meta_info_def.tags, values)


def _source(signature: str) -> dict[str, str]:
    return {"kind": "SavedModel", "signature": signature, "tensorflow": str(tf.__version__)}


def _unfrozen(
    path: Path,
    origin: tuple[MetaGraphDef, str, str],
    inputs: UserEnds | None,
    outputs: UserEnds | None,
    why: str,
) -> UnfrozenSavedModel:
    if inputs is not None or outputs is not None:
        raise SettingsException(
            f"This SavedModel cannot be frozen, so its inputs and outputs keep their names. {why}"
        )
    meta, signature, tags = origin
    definition = meta.signature_def[signature]
    ins, outs = (
        [_spec(n, infos[n]) for n in sorted(infos)]
        for infos in (definition.inputs, definition.outputs)
    )
    draws = random_draws(meta.graph_def, signature_tensors(definition))
    return UnfrozenSavedModel(path, ins, outs, _source(signature), why, tags, draws)


def export_whole(
    function: tf.types.experimental.GenericFunction,
    model: keras.Model,
    folder: Path,
    inputs: list[str],
    outputs: list[str],
    origin: tuple[dict[str, str], str],
) -> UnfrozenSavedModel:
    """Write a Keras model as a SavedModel that is to travel whole.

    Parameters
    ----------
    function : tf.function
        From tensors named "in0", "in1", ... to a dict with the keys "out0", "out1", ...
    model : keras.Model
        What owns the function's variables and tables.
    folder : Path
        An empty directory.
    inputs, outputs : list of str
        What users call the tensors.
    origin : tuple of dict and str
        The source for the manifest, and why the function was not frozen.
    """
    try:
        export_model(model, function, DEFAULT_SIGNATURE, folder)
    except (AssertionError, ValueError) as e:
        raise InvalidModelException(f"{origin[1]} As a SavedModel: {e}") from e
    meta = meta_graphs(folder)[0]
    definition = meta.signature_def[DEFAULT_SIGNATURE]
    ins = [_spec(n, definition.inputs[f"in{i}"]) for i, n in enumerate(inputs)]
    outs = [_spec(n, definition.outputs[f"out{i}"]) for i, n in enumerate(outputs)]
    draws = random_draws(meta.graph_def, signature_tensors(definition))
    return UnfrozenSavedModel(folder, ins, outs, origin[0], origin[1], random=draws)


def signature_tensors(definition: SignatureDef) -> dict[str, str]:
    """Return the tensors of a signature: outputs, and the hidden seed if it has one."""
    seed = {SEED: definition.inputs[SEED].name} if SEED in definition.inputs else {}
    return {**{f"output {n}": info.name for n, info in definition.outputs.items()}, **seed}


def random_draws(graph_def: GraphDef, tensors: Mapping[str, str]) -> dict[str, Any] | None:
    """Return how the graph of a SavedModel draws random numbers, as model.json says it."""
    outputs = [t for name, t in tensors.items() if name != SEED]
    nodes = needed_nodes(graph_def, outputs)
    # The engine sets the states of generators, by a tensor of this name that it adds.
    has_generators = any(n.op == "VarHandleOp" and is_generator(n.name) for n in nodes)
    drawing = DRAWING - OF_GENERATORS if has_generators else DRAWING
    seed = tensors.get(SEED, f"{SEED}:0" if has_generators else None)
    return random_json(seed, describe_draws(n for n in nodes if n.op in drawing))


def _rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    """Change the graphs of a SavedModel; a file that stays the same stays byte by byte."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    before = saved.SerializeToString(deterministic=True)
    for meta in saved.meta_graphs:
        meta.graph_def.CopyFrom(change(meta.graph_def))
    after = saved.SerializeToString(deterministic=True)
    if after != before:
        file.write_bytes(after)


def _spec(name: str, info: TensorInfo) -> BundleEnd:
    shape = dimensions(tf.TensorShape(info.tensor_shape))
    return BundleEnd(name, info.name, tf.as_dtype(info.dtype).name, shape)
