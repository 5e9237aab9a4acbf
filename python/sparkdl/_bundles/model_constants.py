"""Constants in the place of placeholders, in models on their way into a bundle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sparkdl._bundles.graph.names import Loose
from sparkdl._bundles.graph.original import GraphRun, Original, with_values
from sparkdl._bundles.graph.unfed_placeholders import Constants, constants_of, require_fed
from sparkdl._bundles.saved_model import UnfrozenSavedModel
from sparkdl._places.places import local_copy

Model = Loose | UnfrozenSavedModel


def completed(given: Any, loose: Model, constants: Any, inputs: Any, name: str) -> Model:
    """Put constants into what became of a model, and check that its outputs lack nothing.

    Parameters
    ----------
    given : object
        The model as the user gave it.
    loose : Loose or UnfrozenSavedModel
    constants, inputs
        Those of `save_bundle`.
    name : str
        How messages call the model.

    Raises
    ------
    SettingsException, SchemaMismatchException
        A constant fits no placeholder, or is fed as well; a placeholder has no value.
    """
    if isinstance(given, (Loose, UnfrozenSavedModel)):
        return loose  # what is lacking may come with the stage that it is for
    if isinstance(loose, UnfrozenSavedModel):
        saved = _is_saved_model(given)  # has its constants already
        return loose if saved or not constants else loose.with_constants(constants, name)
    if constants and not _is_saved_model(given):
        loose = _replaced(loose, constants, inputs, name)
    require_fed(loose.graph_def, loose.inputs.values(), loose.outputs, name)
    return loose


def _is_saved_model(given: Any) -> bool:
    path = local_copy(given) if isinstance(given, (str, os.PathLike)) else None
    return path is not None and path.is_dir()


def _replaced(loose: Loose, constants: Mapping[str, Any], inputs: Any, name: str) -> Loose:
    # Inputs of a graph are those that columns are to feed; of other models, their new names.
    named = inputs is not None and loose.source.get("kind") == "graph"
    fed = list(loose.inputs.values()) if named else []
    found = constants_of(constants, loose.graph_def, name, loose.inputs, fed)
    kept = found.without(loose.inputs)
    graph_def = found.put_into(loose.graph_def)
    return replace(loose, graph_def=graph_def, inputs=kept, original=_original(loose, found))


def _original(loose: Loose, constants: Constants) -> Original | None:
    """Return the model itself with the constants."""
    model = loose.original
    if model is None:
        return None
    if isinstance(model, GraphRun):
        inputs = constants.without(model.inputs)
        return GraphRun(constants.put_into(model.graph_def), inputs, model.outputs)
    return with_values(model, constants.values_of(loose.inputs))
