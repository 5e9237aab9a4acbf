"""SavedModels: frozen if they can be, else copied whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from sparkdl._composite import require_dense
from sparkdl._graph import freeze as freezing
from sparkdl._graph.names import Loose, dimensions
from sparkdl._graph.placeholders import constants_of, require_fed
from sparkdl._manifest import TensorSpec, specs_json, write_bundle
from sparkdl._saved_file import FILE, graph_tagged, graph_with, stated
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

    def with_constants(self, constants: Any, name: str) -> UnfrozenSavedModel:
        """Return it with values for placeholders; see `constants_of` for the arguments."""
        tags = self.tags.split(",")
        named = {s.name: s.tensor for s in self.inputs}
        found = constants_of(constants, graph_tagged(self.path, tags).graph_def, name, named)
        kept = found.without(named)
        return replace(
            self,
            path=stated(self.path, tags, found),
            inputs=[s for s in self.inputs if s.name in kept],
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
        if labels is not None:
            manifest["labels"] = "labels.json"

        def write_files(folder: Path) -> None:
            shutil.copytree(self.path, folder / _FOLDER)
            if labels is not None:
                write_labels(folder, labels)

        return write_bundle(path, manifest, write_files, overwrite)


def from_saved_model(
    path: Path,
    signature: str,
    inputs: Any,
    outputs: Any,
    constants: Mapping[str, Any] | None = None,
) -> Loose | UnfrozenSavedModel:
    """Freeze one signature of a SavedModel under the signature's names."""
    if not (path / FILE).is_file():
        raise InvalidModelException(
            f"{path} is not a SavedModel: it has no saved_model.pb. Give the directory that has it."
        )
    meta = graph_with(path, signature)
    with_constants = path if meta is None else _prepared(path, meta, signature, constants)
    # What is loaded of TensorFlow 2 are functions, which are not in the graph.
    functions = meta is None or meta.HasField("object_graph_def")
    loaded = tf.saved_model.load(str(path if functions else with_constants))
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
        return _whole(with_constants, signature, inputs, outputs, str(e))
    source = _source(signature)
    by_argument = {_argument(t): t for t in given}
    old_out = sorted(results)
    named = {
        old: by_argument.get(f"{signature}_{old}", by_argument.get(old, given[i]))
        for i, old in enumerate(sorted(specs))
    }
    found = constants_of(constants if functions else None, graph_def, path.name, named)
    left = found.without(named)
    new_in = renamed(list(left), inputs, "inputs")[1]
    chosen, new_out = renamed(old_out, outputs, "outputs")
    by_name = dict(zip(old_out, tensors, strict=True))
    ins = dict(zip(new_in, left.values(), strict=True))
    ends = {n: by_name[o] for o, n in zip(chosen, new_out, strict=True)}
    shapes = {n: results[o].shape for o, n in zip(chosen, new_out, strict=True)}
    return Loose(found.put_into(graph_def), ins, ends, source, shapes)


def _prepared(path: Path, meta: Any, signature: str, constants: Any) -> Path:
    """Check that rows can be fed to a signature; return the SavedModel with the constants."""
    require_dense(meta, signature, f"The SavedModel {path}")
    ends = meta.signature_def[signature]
    ins, outs = ({n: i.name for n, i in e.items()} for e in (ends.inputs, ends.outputs))
    found = constants_of(constants, meta.graph_def, path.name, ins)
    fed = [*ins.values(), *(f"{op}:0" for op in found.tensors)]
    require_fed(meta.graph_def, fed, outs, path.name)
    return stated(path, meta.meta_info_def.tags, found)


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
    return UnfrozenSavedModel(path, ins, outs, _source(signature), why)


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
    return UnfrozenSavedModel(folder, ins, outs, *about)


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
