"""SavedModels: frozen if they can be, else copied whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from sparkdl._graph import freeze as freezing
from sparkdl._graph.generators import is_generator
from sparkdl._graph.names import Loose, dimensions
from sparkdl._graph.random_ops import DRAWING, OF_GENERATORS, forget_seeds, named, needed
from sparkdl._manifest import SEED, TensorSpec, random_json, specs_json, write_bundle
from sparkdl._specs import renamed
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.labels import Labels, write_labels

_FOLDER = "saved_model"
_DEFAULT = "serving_default"


@dataclass(frozen=True)
class UnfrozenSavedModel:
    """A SavedModel that has state besides variables (lookup tables), so it travels whole."""

    path: Path
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    source: dict[str, str]
    why: str
    tags: str = "serve"
    random: dict[str, Any] | None = None

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
            if self.random is not None:
                _forget_seeds(folder / _FOLDER / "saved_model.pb")
            if labels is not None:
                write_labels(folder, labels)

        return write_bundle(path, manifest, write_files, overwrite)


def from_saved_model(
    path: Path, signature: str, inputs: Any, outputs: Any
) -> Loose | UnfrozenSavedModel:
    """Freeze one signature of a SavedModel under the signature's names."""
    if not (path / "saved_model.pb").is_file():
        raise InvalidModelException(
            f"{path} is not a SavedModel: it has no saved_model.pb. Give the directory that has it."
        )
    loaded = tf.saved_model.load(str(path))
    if signature not in loaded.signatures:
        raise InvalidModelException(
            f"The SavedModel {path} has no signature {signature!r}; it has "
            f"{', '.join(sorted(loaded.signatures)) or 'none'}. Pass signature=."
        )
    function = loaded.signatures[signature]
    specs = function.structured_input_signature[1]
    results = function.structured_outputs
    try:
        graph_def, given, tensors = freezing.freeze(function)
        freezing.check_frozen(graph_def, str(path))
    except freezing.NotFrozenException as e:
        return _whole(path, signature, inputs, outputs, str(e))
    source = _source(signature)
    by_argument = {_argument(t): t for t in given}
    old_in = sorted(specs)
    old_out = sorted(results)
    new_in = renamed(old_in, inputs, "inputs")[1]
    chosen, new_out = renamed(old_out, outputs, "outputs")
    by_name = dict(zip(old_out, tensors, strict=True))
    ins = {
        new: by_argument.get(f"{signature}_{old}", by_argument.get(old, given[i]))
        for i, (old, new) in enumerate(zip(old_in, new_in, strict=True))
    }
    ends = {n: by_name[o] for o, n in zip(chosen, new_out, strict=True)}
    shapes = {n: results[o].shape for o, n in zip(chosen, new_out, strict=True)}
    return Loose(graph_def, ins, ends, source, shapes)


def _argument(tensor: str) -> str:
    return tensor.split(":")[0]


def _source(signature: str) -> dict[str, str]:
    return {"kind": "SavedModel", "signature": signature, "tensorflow": str(tf.__version__)}


def _whole(path: Path, signature: str, inputs: Any, outputs: Any, why: str) -> UnfrozenSavedModel:
    if inputs is not None or outputs is not None:
        raise SettingsException(
            f"This SavedModel cannot be frozen, so its inputs and outputs keep their names. {why}"
        )
    definition = _definition(path, signature)
    ins, outs = (
        [_spec(n, infos[n]) for n in sorted(infos)]
        for infos in (definition.inputs, definition.outputs)
    )
    draws = random_of(path, signature_tensors(definition))
    return UnfrozenSavedModel(path, ins, outs, _source(signature), why, random=draws)


def export_whole(
    function: Any, model: Any, folder: Path, inputs: list[str], outputs: list[str], about: Any
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
    about : tuple of dict and str
        The source for the manifest, and why the function was not frozen.
    """
    from keras.export import ExportArchive

    archive = ExportArchive()
    archive.track(model)
    archive.add_endpoint(_DEFAULT, function)
    try:
        archive.write_out(str(folder), verbose=False)
    except (AssertionError, ValueError) as e:
        raise InvalidModelException(f"{about[1]} As a SavedModel: {e}") from e
    definition = _definition(folder, _DEFAULT)
    ins = [_spec(n, definition.inputs[f"in{i}"]) for i, n in enumerate(inputs)]
    outs = [_spec(n, definition.outputs[f"out{i}"]) for i, n in enumerate(outputs)]
    draws = random_of(folder, signature_tensors(definition))
    return UnfrozenSavedModel(folder, ins, outs, about[0], about[1], random=draws)


def signature_tensors(definition: Any) -> dict[str, str]:
    """Return the tensors of a signature: outputs, and the hidden seed if it has one."""
    seed = {SEED: definition.inputs[SEED].name} if SEED in definition.inputs else {}
    return {**{f"output {n}": info.name for n, info in definition.outputs.items()}, **seed}


def random_of(path: Path, tensors: Mapping[str, str], tags: str = "serve") -> dict[str, Any] | None:
    """Return how a SavedModel draws random numbers, as model.json says it."""
    from tensorflow.python.saved_model import loader_impl

    metas = loader_impl.parse_saved_model(str(path)).meta_graphs
    graph_def = next(m.graph_def for m in metas if {*tags.split(",")} == {*m.meta_info_def.tags})
    outputs = [t for name, t in tensors.items() if name != SEED]
    nodes = needed(graph_def, outputs)
    # The engine sets the states of generators, by a tensor of this name that it adds.
    known = any(n.op == "VarHandleOp" and is_generator(n.name) for n in nodes)
    own = DRAWING - OF_GENERATORS if known else DRAWING
    seed = tensors.get(SEED, f"{SEED}:0" if known else None)
    return random_json(seed, named(n for n in nodes if n.op in own))


def _forget_seeds(file: Path) -> None:
    """Let the operations of a SavedModel draw other numbers in every session."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for meta in saved.meta_graphs:
        functions = meta.graph_def.library.function
        forget_seeds([*meta.graph_def.node, *(n for f in functions for n in f.node_def)])
    file.write_bytes(saved.SerializeToString(deterministic=True))


def _definition(path: Path, signature: str) -> Any:
    from tensorflow.python.saved_model import loader_impl

    return next(
        m.signature_def[signature]
        for m in loader_impl.parse_saved_model(str(path)).meta_graphs
        if signature in m.signature_def
    )


def _spec(name: str, info: Any) -> TensorSpec:
    shape = dimensions(tf.TensorShape(info.tensor_shape))
    return TensorSpec(name, info.name, tf.as_dtype(info.dtype).name, shape)
