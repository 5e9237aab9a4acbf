"""SavedModels: frozen if they can be, else copied whole."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from sparkdl._graph import freeze as freezing
from sparkdl._graph.names import Loose, dimensions
from sparkdl._graph.original import Original, of_function
from sparkdl._manifest import TensorSpec, specs_json, write_bundle
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
    original: Original | None = None

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
        whole = _whole(path, signature, inputs, outputs, str(e))
        return replace(whole, original=_original(function, sorted(specs), {n: n for n in results}))
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
    original = _original(function, old_in, dict(zip(new_out, chosen, strict=True)), new_in)
    return Loose(graph_def, ins, ends, source, shapes, original)


def _original(
    function: Any, inputs: list[str], outputs: dict[str, str], names: list[str] | None = None
) -> Original:
    def call(*tensors: Any) -> Any:
        return function(**dict(zip(inputs, tensors, strict=True)))

    return of_function(call, names or inputs, outputs)


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
