"""Keras models and concrete functions, whose inputs and outputs have names already, as programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import tensorflow as tf

from sparkdl._bundles.graph.graph import node_of
from sparkdl._bundles.graph.names import FrozenGraph
from sparkdl._models.libraries import eagerly
from sparkdl._models.live_keras import is_keras
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import InvalidModelException, SchemaMismatchException
from sparkdl.tensorframes._arguments import ProgramForm
from sparkdl.tensorframes._program import Program, finish, with_shapes

if TYPE_CHECKING:
    from sparkdl._models.live_keras import LiveModel


def is_model(fetches: object) -> bool:
    """Say whether this is a model that names its own inputs."""
    return is_keras(fetches) or isinstance(fetches, tf.types.experimental.ConcreteFunction)


def of_model(
    model: LiveModel | tf.types.experimental.ConcreteFunction,
    form: ProgramForm,
    feeds: Mapping[str, str],
) -> Program:
    """Make a program of a Keras model, in inference mode, or of a concrete function.

    Inputs are fed by the columns of their names, or by those that `feeds` names.
    """
    what = f"the model '{getattr(model, 'name', type(model).__name__)}'"
    if not form.block:
        raise SchemaMismatchException(
            f"{form.name} takes a program for one row, but {what} takes blocks of rows. Use "
            "map_blocks, or a function that adds the dimension of rows: "
            'lambda x: {"y": model(x[None])[0]}.'
        )
    frozen = _freeze(model, what)
    unknown = feeds.keys() - frozen.inputs.keys()
    if unknown:
        raise SchemaMismatchException(
            f"feed_dict names {', '.join(sorted(unknown))}, but {what} has the inputs "
            f"{', '.join(frozen.inputs)}. Expected {{input: column}}."
        )
    graph_def, ends = with_shapes(frozen.graph_def, frozen.outputs, frozen.shapes)
    ops = {node_of(tensor): feeds.get(name, name) for name, tensor in frozen.inputs.items()}
    part, needed = finish(graph_def, ends, ops, what)
    return Program(part, ends, needed, from_function=True)


def _freeze(model: LiveModel | tf.types.experimental.ConcreteFunction, what: str) -> FrozenGraph:
    from sparkdl._bundles.model_sources import frozen_from

    with scratch_folder() as scratch, eagerly():
        frozen = frozen_from(model, scratch=scratch)
    if not isinstance(frozen, FrozenGraph):
        raise InvalidModelException(
            f"Cannot freeze {what}: it has lookup tables, which cannot become constants. Apply it "
            "as a whole: sparkdl.load_model, or KerasTransformer."
        )
    return frozen
