"""What every model of an estimator can tell about itself, and how it is exported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import read_manifest, verify_bundle, write_bundle
from sparkdl._bundles.description.training_record import FAILURE, HISTORY, facts, keras_file
from sparkdl._notebook import Text
from sparkdl._places.places import place_of
from sparkdl.errors import InvalidModelException, SettingsException
from sparkdl.plot.metric_values import text_of
from sparkdl.transformers._trained import Trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FittedModel(Trained):
    """A stage whose `modelFile` is a bundle that an estimator has written."""

    def summary(self) -> str:
        """Return, as text, what the model is, how it was trained and its best numbers."""
        bundle = self._bundle_folder()
        manifest = read_manifest(bundle)
        origin = {k: v for k, v in facts(bundle).items() if k not in (HISTORY, FAILURE)}
        lines = [f"model '{manifest['name']}'", *(f"  {k}: {v}" for k, v in origin.items())]
        return Text("\n".join([*lines, *_best_epoch(self.history)]))

    def plot_history(self) -> Figure:
        """Return a figure of losses and metrics by epoch; see `sparkdl.plot.history`."""
        from sparkdl.plot import history

        return history(self.history, self._parts())

    def _parts(self) -> dict[str, int]:
        """Return the parts of the training with their epochs, if there were several."""
        return {}

    def keras_model(
        self, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
    ) -> Any:
        """Return the trained model as a `keras.Model`, without what it was compiled with.

        Parameters
        ----------
        custom_objects : dict, optional
            Custom classes and functions that the model uses, by name.
        safe_mode : bool
            False lets Keras run code that is pickled in the file (Lambda layers).

        Raises
        ------
        InvalidModelException
            The bundle holds a graph only, because the model was never a Keras model as a whole.
        """
        from sparkdl._models.files.loading import load_keras_file

        file = self._keras_file()  # held until it is loaded
        return load_keras_file(Path(file), custom_objects, safe_mode)

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
            `load_weights` read them. Existing files are replaced. The path may also be a URI of any
            of Hadoop's file systems.
        custom_objects, safe_mode
            See `keras_model`; only `NAME.json` needs them.

        Raises
        ------
        SettingsException
            The path has another ending.
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
            with target.writing() as new:
                shutil.copyfile(file, new)
        else:
            model = self.keras_model(custom_objects, safe_mode)
            with target.beside(name.with_suffix(".weights.h5").name).writing() as weights:
                model.save_weights(weights)
            with target.writing() as new:
                text = json.dumps(json.loads(model.to_json()), indent=2)
                new.write_text(text, encoding="utf-8")
        return str(target)

    def export_bundle(self, path: str | Path, overwrite: bool = False) -> str:
        """Copy the bundle, for `sparkdl.load_model`, SQL functions and Scala; return its path.

        Raises
        ------
        SettingsException
            The path exists, and is not a bundle or `overwrite` is False.
        """
        bundle = Path(self._bundle_folder())
        manifest = verify_bundle(bundle)
        description = {k: v for k, v in manifest.items() if k not in ("formatVersion", "files")}

        def write_files(folder: Path) -> None:
            for name in manifest["files"]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle / name, folder / name)

        return write_bundle(path, description, write_files, overwrite)

    def _bundle_folder(self) -> str:
        folder = self._local_bundle()
        if folder is None:
            stage: Any = self
            model_file = stage.getModelFile() if stage.isSet("modelFile") else "not set"
            raise SettingsException(
                f"{type(self).__name__}: expected modelFile to be a bundle, but it is "
                f"{model_file}. A stage that was saved and loaded has its bundle there."
            )
        return folder

    def _keras_file(self) -> str:
        file = keras_file(self._bundle_folder())
        if file is None:
            raise InvalidModelException(
                f"The bundle of this {type(self).__name__} holds a graph of constants and no Keras "
                "model: no estimator has written it, or its base was a bundle (such as TinyNet). "
                "export_bundle() exports what there is."
            )
        return str(file)


def _best_epoch(history: Mapping[str, list[Any]]) -> list[str]:
    """Return how many epochs there were, and the numbers of the one with the least loss."""
    watched = next((name for name in ("val_loss", "loss") if history.get(name)), None)
    if watched is None:
        return []
    losses = history[watched]
    best = min(range(len(losses)), key=lambda i: (losses[i] != losses[i], losses[i]))
    best_values = {name: values[best] for name, values in history.items() if best < len(values)}
    return [
        f"trained for {len(losses)} epoch(s); least {watched} in epoch {best + 1}:",
        f"  {text_of(best_values)}",
    ]
