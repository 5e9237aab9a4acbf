"""SavedModels: frozen if they can be, else copied whole."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from sparkdl._graph import freeze as freezing
from sparkdl._graph.names import Loose, dimensions
from sparkdl._manifest import TensorSpec, specs_json, write_bundle
from sparkdl._specs import renamed
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.labels import Labels, write_labels

_FOLDER = "saved_model"


@dataclass(frozen=True)
class UnfrozenSavedModel:
    """A SavedModel that has state besides variables (lookup tables), so it travels whole."""

    path: Path
    signature: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    why: str

    def write(self, path: str | Path, name: str, labels: Labels | None, overwrite: bool) -> str:
        """Write it as a bundle."""
        manifest: dict[str, Any] = {
            "name": name,
            "source": {"kind": "SavedModel", "tensorflow": str(tf.__version__)},
            "savedModel": _FOLDER,
            "signature": self.signature,
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
    except InvalidModelException as e:
        return _whole(path, signature, inputs, outputs, str(e))
    source = {"kind": "SavedModel", "signature": signature, "tensorflow": str(tf.__version__)}
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
    return Loose(
        graph_def, ins, {n: by_name[o] for o, n in zip(chosen, new_out, strict=True)}, source
    )


def _argument(tensor: str) -> str:
    return tensor.split(":")[0]


def _whole(path: Path, signature: str, inputs: Any, outputs: Any, why: str) -> UnfrozenSavedModel:
    if inputs is not None or outputs is not None:
        raise SettingsException(
            f"This SavedModel cannot be frozen, so its inputs and outputs keep their names. {why}"
        )
    from tensorflow.python.saved_model import loader_impl

    definition = next(
        m.signature_def[signature]
        for m in loader_impl.parse_saved_model(str(path)).meta_graphs
        if signature in m.signature_def
    )
    return UnfrozenSavedModel(
        path, signature, _specs(definition.inputs), _specs(definition.outputs), why
    )


def _specs(infos: Any) -> list[TensorSpec]:
    return [
        TensorSpec(
            name,
            infos[name].name,
            tf.as_dtype(infos[name].dtype).name,
            dimensions(tf.TensorShape(infos[name].tensor_shape)),
        )
        for name in sorted(infos)
    ]
