"""What a model gives before it is converted: what its bundle is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.util import deprecation

from sparkdl._graph.graph import Array

# From rows by the name of their input to results by the name of their output.
Original = Callable[[Mapping[str, Array]], dict[str, Array]]


class GraphRun:
    """A graph of constants, run by TensorFlow in this process, as it is: nothing is optimised.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
    inputs, outputs : mapping of str to str
        From name to tensor.
    """

    def __init__(
        self, graph_def: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]
    ) -> None:
        self.graph_def = graph_def
        self._inputs, self._outputs = dict(inputs), dict(outputs)

    @cached_property
    def _session(self) -> Any:
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(self.graph_def, name="")
        return tf.compat.v1.Session(graph=graph, config=_config())

    def __call__(self, rows: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name."""
        feeds = {tensor: rows[name] for name, tensor in self._inputs.items()}
        return dict(self._session.run(self._outputs, feeds))

    def close(self) -> None:
        """Free the session, which has copies of all weights."""
        if "_session" in self.__dict__:
            self.__dict__.pop("_session").close()


class SavedModelRun(GraphRun):
    """A SavedModel, run by its tensors' names, as the JVM does."""

    def __init__(
        self, folder: Path, tags: str, inputs: Mapping[str, str], outputs: Mapping[str, str]
    ) -> None:
        with deprecation.silence(), tf.Graph().as_default() as graph:
            session = tf.compat.v1.Session(graph=graph, config=_config())
            tf.compat.v1.saved_model.load(session, tags.split(","), str(folder))
        super().__init__(graph.as_graph_def(), inputs, outputs)
        self.__dict__["_session"] = session


def of_function(
    call: Callable[..., Any], inputs: Sequence[str], outputs: Mapping[str, Any]
) -> Original:
    """Return a function of tensors as one of rows by name.

    Parameters
    ----------
    call : callable
        Takes a tensor per input.
    inputs : sequence of str
        The names of the inputs, in its order.
    outputs : mapping of str to str or int
        For each output the key of what `call` returns, or its place among all leaves: keys are
        looked up, so that an order that was mistaken in the conversion is not mistaken here, too.
    """

    def run(rows: Mapping[str, Array]) -> dict[str, Array]:
        with tf.device("/cpu:0"):  # other devices round differently
            result = call(*[tf.constant(rows[name]) for name in inputs])
        return {name: np.asarray(_leaf(result, which)) for name, which in outputs.items()}

    return run


def by_key(structure: Any, names: Sequence[str], places: Mapping[str, int]) -> dict[str, Any]:
    """Return where `of_function` finds outputs: by key where the structure has it, else by place.

    Parameters
    ----------
    structure : object
        What the function returns.
    names : sequence of str
        Of its outputs, in flattened order.
    places : mapping of str to int
        From the new name of each output that is wanted to its place among `names`.
    """
    plain = isinstance(structure, Mapping) and all(tf.is_tensor(v) for v in structure.values())
    keyed = plain and set(structure) == set(names)
    return {new: names[place] if keyed else place for new, place in places.items()}


def _leaf(result: Any, which: str | int) -> Any:
    if isinstance(which, str):
        return result[which]
    return tf.nest.flatten(result, expand_composites=True)[which]


def _config() -> Any:
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config
