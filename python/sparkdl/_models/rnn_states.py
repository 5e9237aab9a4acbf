"""What recurrent layers remember from one batch to the next (`stateful=True`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def stateful_layers(model: keras.Model) -> list[Any]:
    """Return the recurrent layers of a model, at any depth, that keep their state."""
    from keras.layers import RNN

    layers = [layer for layer in model._flatten_layers() if isinstance(layer, RNN)]
    return [layer for layer in layers if layer.stateful and layer.states is not None]


def initial_states(model: keras.Model) -> list[tuple[Any, Any]]:
    """Return the variables of such states, each with the value that it has in a new model.

    A row must not depend on what a model was last used for, so a graph begins with these. They are
    not weights: files of Keras do not keep them either.
    """
    from keras import tree

    states: list[tuple[Any, Any]] = []
    for layer in stateful_layers(model):
        variables = tree.flatten(layer.states)
        initial = tree.flatten(layer.get_initial_state(variables[0].shape[0]))
        states += zip(variables, initial, strict=True)
    return states
