"""What a model gives before it is converted: what its bundle is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, reduce
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tensorflow.python.util import deprecation

from sparkdl._bundles.graph.graph import Array
from sparkdl._bundles.graph.random_ops import needed_nodes
from sparkdl._bundles.graph.seeds import is_seed
from sparkdl._bundles.graph.variable_uses import is_write
from sparkdl._bundles.graph.weights import Weights, feeds, without_marks
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef

# From rows by the name of their input to results by the name of their output.
Original = Callable[[Mapping[str, Array]], dict[str, Array]]


RUN_SECONDS = 600.0
"""How long a model may take for a few rows."""
_ANY_SEED = np.zeros(2, np.int64)


class NoEndException(InvalidModelException):
    """A model from a file did not give a result in time."""


class GraphRun:
    """A graph of constants, run by TensorFlow in this process.

    Parameters
    ----------
    graph_def : tf.compat.v1.GraphDef
    inputs, outputs : mapping of str to str
        From name to tensor.
    weights : dict, optional
        Those that stand beside the graph.
    fused : bool, optional
        Let TensorFlow fuse operations for the processor, as executors do: what it fuses wrongly is
        seen. By default the graph is run as it is.
    """

    def __init__(
        self,
        graph_def: GraphDef,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        weights: Weights | None = None,
        *,
        fused: bool = False,
    ) -> None:
        self._graph_def = graph_def
        self._fused = fused
        self.weights = weights or {}
        self.inputs, self.outputs = dict(inputs), dict(outputs)

    @property
    def graph_def(self) -> Any:
        """The graph."""
        return self._graph_def

    @cached_property
    def session(self) -> Any:
        """The session, made at first use."""
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(without_marks(self.graph_def), name="")
        return tf.compat.v1.Session(graph=graph, config=_config(fused=self._fused))

    def __call__(self, rows: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name."""
        fed: dict[str, Any] = feeds(self.graph_def, self.weights) if self.weights else {}
        fed.update({t: rows[name] for name, t in self.inputs.items()})  # perhaps of a weight
        graph = self.session.graph
        seeds = [op for op in graph.get_operations() if is_seed(op.node_def)]
        fed.update({op.outputs[0].name: _ANY_SEED for op in seeds})
        deadline = tf.compat.v1.RunOptions(timeout_in_ms=int(RUN_SECONDS * 1000))
        try:
            return dict(self.session.run(self.outputs, fed, options=deadline))
        except tf.errors.DeadlineExceededError:
            raise NoEndException(
                f"The model did not give a result within {RUN_SECONDS:g} seconds on a few made-up "
                "rows: it has a loop that does not end on them. verify=False (--no-verify in the "
                "shell) writes the bundle without a run; spark.sparkdl.runTimeout ends runs in "
                "jobs."
            ) from None

    def close(self) -> None:
        """Free the session, which has copies of all weights."""
        if "session" in self.__dict__:
            self.__dict__.pop("session").close()


class SavedModelRun(GraphRun):
    """A SavedModel, run by its tensors' names, as the JVM does."""

    def __init__(
        self, folder: Path, tags: str, inputs: Mapping[str, str], outputs: Mapping[str, str]
    ) -> None:
        super().__init__(None, inputs, outputs)
        self._folder, self._tags = folder, tags

    @property
    def graph_def(self) -> Any:
        """The graph, with variables."""
        return self.session.graph.as_graph_def()

    def __call__(self, rows: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name, each time with the variables that were saved."""
        outputs = super().__call__(rows)
        if self._changes:
            self.close()
        return outputs

    @cached_property
    def _changes(self) -> bool:
        return any(map(is_write, needed_nodes(self.graph_def, self.outputs.values())))

    @cached_property
    def session(self) -> Any:
        """The session, with the variables that were saved when it was made at first use."""
        with tf.Graph().as_default() as graph:
            session = tf.compat.v1.Session(graph=graph, config=_config())
            load_into(session, self._folder, self._tags.split(","))
        return session


def load_into(session: tf.compat.v1.Session, folder: Path, tags: Sequence[str]) -> Any:
    """Load one graph of a SavedModel of TensorFlow 1 or 2 into a session; return its MetaGraphDef.

    Raises
    ------
    InvalidModelException
        A part of it is missing or damaged.
    """
    try:
        with deprecation.silence():
            return tf.compat.v1.saved_model.load(session, list(tags), str(folder))
    except (tf.errors.OpError, OSError, ValueError) as e:
        raise InvalidModelException(
            f"TensorFlow cannot load the SavedModel {folder}: {str(e).splitlines()[0]}. Check "
            "that its variables and assets folders are complete."
        ) from e


def of_function(
    call: Callable[..., Any], inputs: Sequence[str], outputs: Mapping[str, tuple[Any, ...]]
) -> Original:
    """Return a function of tensors as one of rows by name.

    Parameters
    ----------
    call : callable
        Takes a tensor per input.
    inputs : sequence of str
        The names of the inputs, in its order.
    outputs : mapping of str to tuple
        For each output the keys and indices that lead to it in what `call` returns. Outputs are
        found by them and not by order, which the conversion may have got wrong.
    """

    def run(rows: Mapping[str, Array]) -> dict[str, Array]:
        with tf.device("/cpu:0"), _unoptimized():  # other devices round differently
            result = call(*[tf.constant(rows[name]) for name in inputs])
        return {name: np.asarray(reduce(getitem, path, result)) for name, path in outputs.items()}

    return run


def restoring(variables: Sequence[Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives these variables their old values back after the call."""
    if not variables:
        return call

    def run(*tensors: tf.Tensor) -> Any:
        before = [variable.numpy() for variable in variables]
        try:
            return call(*tensors)
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    return run


@contextmanager
def _unoptimized() -> Iterator[None]:
    """Have functions run as they are: TensorFlow fuses some operations wrongly for a processor."""
    optimizer, key = tf.config.optimizer, "disable_meta_optimizer"
    before = optimizer.get_experimental_options().get(key, False)
    optimizer.set_experimental_options({key: True})  # others stay as they are
    try:
        yield
    finally:
        optimizer.set_experimental_options({key: before})


def with_values(model: Original, values: Mapping[str, Array]) -> Original:
    """Return a model in which some inputs have one value for all rows."""
    return lambda rows: model({**rows, **values})


def _config(*, fused: bool = False) -> Any:
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    rewrites = config.graph_options.rewrite_options
    if fused:  # Scala's GraphOptimizer.Fusions
        rewrites.optimizers.extend(["constfold", "remap"])
        rewrites.meta_optimizer_iterations = rewrites.ONE
    else:
        rewrites.disable_meta_optimizer = True
    return config
