"""Constants in the place of placeholders, in models on their way into a bundle."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.graph.names import FrozenGraph
from sparkdl._bundles.graph.original import GraphRun, Original, with_values
from sparkdl._bundles.graph.unfed_placeholders import Constants, constants_of, require_fed
from sparkdl._bundles.saved_model import UnfrozenSavedModel
from sparkdl._places.places import local_copy

if TYPE_CHECKING:
    from sparkdl._bundles.description.input_specs import UserEnds

Model = FrozenGraph | UnfrozenSavedModel


def with_constants(
    model: object,
    frozen: Model,
    constants: Mapping[str, Any] | None,
    inputs: UserEnds | None,
    name: str,
) -> Model:
    """Put constants into a frozen model, and check that its outputs lack nothing.

    Parameters
    ----------
    model : object
        The model as the user gave it.
    frozen : FrozenGraph or UnfrozenSavedModel
    constants, inputs
        Those of `save_bundle`.
    name : str
        What messages call the model.

    Raises
    ------
    SettingsException, SchemaMismatchException
        A constant fits no placeholder, or is fed as well; a placeholder has no value.
    """
    if isinstance(model, (FrozenGraph, UnfrozenSavedModel)):
        return frozen  # what is missing may be given to the stage that it is for
    if isinstance(frozen, UnfrozenSavedModel):
        saved = _is_saved_model(model)  # has its constants already
        return frozen if saved or not constants else frozen.with_constants(constants, name)
    if constants and not _is_saved_model(model):
        frozen = _put_constants(frozen, constants, inputs, name)
    require_fed(frozen.graph_def, frozen.inputs.values(), frozen.outputs, name)
    return frozen


def _is_saved_model(model: object) -> bool:
    path = local_copy(model) if isinstance(model, (str, os.PathLike)) else None
    return path is not None and path.is_dir()


def _put_constants(
    frozen: FrozenGraph, constants: Mapping[str, Any], inputs: UserEnds | None, name: str
) -> FrozenGraph:
    # Inputs of a graph are those that columns are to feed; of other models, their new names.
    columns_feed_inputs = inputs is not None and frozen.source.get("kind") == "graph"
    fed = list(frozen.inputs.values()) if columns_feed_inputs else []
    values = constants_of(constants, frozen.graph_def, name, frozen.inputs, fed)
    remaining_inputs = values.without(frozen.inputs)
    graph_def = values.put_into(frozen.graph_def)
    return replace(
        frozen, graph_def=graph_def, inputs=remaining_inputs, original=_original(frozen, values)
    )


def _original(frozen: FrozenGraph, constants: Constants) -> Original | None:
    """Return the model itself with the constants."""
    model = frozen.original
    if model is None:
        return None
    if isinstance(model, GraphRun):
        inputs = constants.without(model.inputs)
        return GraphRun(constants.put_into(model.graph_def), inputs, model.outputs, model.weights)
    return with_values(model, constants.values_of(frozen.inputs))
