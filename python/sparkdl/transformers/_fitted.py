"""What every model of an estimator can tell of itself, and how it is taken elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import read_manifest, verify_bundle, write_bundle
from sparkdl._bundles.description.training_record import FAILURE, HISTORY, facts, keras_file
from sparkdl._places.places import place_of
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.plot.metric_values import text_of
from sparkdl.transformers._trained import Trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FittedModel(Trained):
    """A stage whose `modelFile` is a bundle that an estimator has written."""

    def summary(self) -> str:
        """Return, as text, what the model is, how it was trained and what it reached."""
        bundle = self._bundle_folder()
        manifest = read_manifest(bundle)
        about = {k: v for k, v in facts(bundle).items() if k not in (HISTORY, FAILURE)}
        lines = [f"model '{manifest['name']}'", *(f"  {k}: {v}" for k, v in about.items())]
        return "\n".join([*lines, *_reached(self.history)])

    def plot_history(self) -> Figure:
        """Return a figure of losses and metrics by epoch, see `sparkdl.plot.history`."""
        from sparkdl.plot import history

        return history(self.history, self._parts())

    def _parts(self) -> dict[str, int]:
        """The parts of the training, with their epochs, if there were several."""
        return {}

    def keras_model(
        self, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
    ) -> Any:
        """Return the trained model as a `keras.Model`, without what it was compiled with.

        Parameters
        ----------
        custom_objects : dict, optional
            Classes and functions of yours that the model uses, by name.
        safe_mode : bool
            False lets Keras run code that is pickled in the file (Lambda layers).

        Raises
        ------
        InvalidModelException
            The bundle holds a graph only, because the model never was one of Keras as a whole.
        """
        from sparkdl._models.files.loading import load_keras_file

        return load_keras_file(self._keras_file(), custom_objects, safe_mode)

    def export_keras(
        self,
        path: str | Path,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
    ) -> str:
        """Write the trained model for Keras; return the absolute path or URI.

        Parameters
        ----------
        path : str or Path
            `NAME.keras` gets the whole model. `NAME.json` gets the architecture, and
            `NAME.weights.h5` beside it the weights: `keras.models.model_from_json` and
            `load_weights` read them. Files that exist are replaced. URIs of any of Hadoop's file
            systems are taken, too.
        custom_objects, safe_mode
            See `keras_model`; only `NAME.json` needs them.

        Raises
        ------
        SettingsException
            The path ends otherwise.
        InvalidModelException
            See `keras_model`.
        """
        target = place_of(path)
        name = Path(target.name)
        if name.suffix not in (".keras", ".json"):
            raise SettingsException(
                f"Cannot export to {target}: expected a path that ends in .keras (the whole "
                "model) or .json (the architecture, with the weights in .weights.h5 beside it)."
            )
        file = self._keras_file()
        if name.suffix == ".keras":
            with target.writing() as made:
                shutil.copyfile(file, made)
        else:
            model = self.keras_model(custom_objects, safe_mode)
            with target.beside(name.with_suffix(".weights.h5").name).writing() as weights:
                model.save_weights(weights)
            with target.writing() as made:
                text = json.dumps(json.loads(model.to_json()), indent=2)
                made.write_text(text, encoding="utf-8")
        return str(target)

    def export_bundle(self, path: str | Path, overwrite: bool = False) -> str:
        """Copy the bundle, for `sparkdl.load_model`, SQL functions and Scala; return its path.

        Raises
        ------
        SettingsException
            The path exists, and is no bundle or `overwrite` is False.
        """
        bundle = Path(self._bundle_folder())
        manifest = verify_bundle(bundle)
        named = {k: v for k, v in manifest.items() if k not in ("formatVersion", "files")}

        def write_files(folder: Path) -> None:
            for name in manifest["files"]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle / name, folder / name)

        return write_bundle(path, named, write_files, overwrite)

    def _bundle_folder(self) -> str:
        found = self._local_bundle()
        if found is None:
            stage: Any = self
            given = stage.getModelFile() if stage.isSet("modelFile") else "not set"
            raise SettingsException(
                f"{type(self).__name__}: expected modelFile to be a bundle, it is {given}. A stage "
                "that was saved and loaded has its bundle here."
            )
        return found

    def _keras_file(self) -> Path:
        file = keras_file(self._bundle_folder())
        if file is None:
            raise InvalidModelException(
                f"The bundle of this {type(self).__name__} holds a graph of constants and no model "
                "of Keras: it is none of an estimator, or its base was a bundle (such as TinyNet). "
                "export_bundle() gives what there is."
            )
        return file


def _reached(history: Mapping[str, list[Any]]) -> list[str]:
    """Return how many epochs there were, and the numbers of the one with the least loss."""
    watched = next((name for name in ("val_loss", "loss") if history.get(name)), None)
    if watched is None:
        return []
    losses = history[watched]
    best = min(range(len(losses)), key=lambda i: (losses[i] != losses[i], losses[i]))
    reached = {name: values[best] for name, values in history.items() if best < len(values)}
    return [
        f"trained for {len(losses)} epoch(s); least {watched} in epoch {best + 1}:",
        f"  {text_of(reached)}",
    ]
