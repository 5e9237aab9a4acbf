"""`TFInputGraph`: a TensorFlow graph with its inputs and outputs, ready to be applied."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.bundle_store import stored_bundle
from sparkdl._bundles.description.plain_values import plain_values
from sparkdl._models.libraries import tensorflow
from sparkdl._models.live_keras import is_keras
from sparkdl._models.model_ends import check_called
from sparkdl._places.places import path_text, place_of
from sparkdl.errors.builtin_errors import WrongStateException
from sparkdl.graph._graph_with_ends import (
    GraphWithEnds,
    ends_of_bundle,
    graph_of_bundle,
    resolve,
    tensor_of,
)

if TYPE_CHECKING:
    import tensorflow as tf

    from sparkdl._models.live_keras import LiveModel
    from sparkdl._places.places import PathOrUri

    Pairs = Mapping[str, str] | Iterable[tuple[str, str]]
    File = str | os.PathLike[str]


class TFInputGraph:
    """A frozen TensorFlow graph with its inputs and outputs; the `from...` functions make it.

    Inputs and outputs may be given as names of operations ("x") or of tensors ("x:0"), or as the
    tensors or operations themselves. With a signature, its keys are used instead. An unknown name
    is an error that lists those that exist.

    Examples
    --------
    >>> graph = TFInputGraph.fromSavedModelWithSignature(
    ...     "/models/scores", "serve", "serving_default"
    ... )  # doctest: +SKIP
    >>> graph.inputs, graph.outputs  # doctest: +SKIP
    (['features'], ['score'])
    """

    def __init__(
        self, graph: GraphWithEnds, name: str = "graph", bundle: str | None = None
    ) -> None:
        self._graph = graph
        self._name = name
        self._given_bundle = bundle

    @cached_property
    def graph_def(self) -> Any:
        """The GraphDef: frozen, and only what the outputs need.

        A model with lookup tables cannot be frozen; its graph is the whole one.
        """
        if self._graph.graph_def is None:
            return graph_of_bundle(self.bundle)
        from sparkdl._bundles.graph.weights import put_back

        return put_back(self._graph.graph_def, self._graph.weights)

    @property
    def input_tensor_name_from_signature(self) -> dict[str, str] | None:
        """From a signature's keys to tensors of the graph; None without a signature."""
        return dict(self._graph.inputs) if self._graph.signed else None

    @property
    def output_tensor_name_from_signature(self) -> dict[str, str] | None:
        """From a signature's keys to tensors of the graph; None without a signature."""
        return dict(self._graph.outputs) if self._graph.signed else None

    @property
    def inputs(self) -> list[str]:
        """What the bundle calls its inputs: keys of the signature, else "op", "op:1"."""
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[str]:
        """What the bundle calls its outputs."""
        return list(self._graph.outputs)

    @cached_property
    def bundle(self) -> str:
        """Path of the graph's bundle, written at first use; it is held as `stored_bundle` says."""
        graph = self._graph
        if self._given_bundle is not None:
            return self._given_bundle
        if graph.whole is not None:
            return stored_bundle(graph.whole, name=self._name)
        from sparkdl._bundles.model_sources import from_graph

        frozen = from_graph(
            graph.graph_def, graph.inputs, graph.outputs, self._name, graph.shapes, graph.weights
        )
        return stored_bundle(frozen, name=self._name)

    def input_name(self, key_or_tensor: tf.Tensor | tf.Operation | str) -> str:
        """Return what the bundle calls an input, for a key, a tensor, an operation or a name."""
        return resolve(key_or_tensor, self._graph.inputs, "input")

    def output_name(self, key_or_tensor: tf.Tensor | tf.Operation | str) -> str:
        """Return what the bundle calls an output, for a key, a tensor, an operation or a name."""
        return resolve(key_or_tensor, self._graph.outputs, "output")

    def translateInputMapping(self, input_mapping: Pairs) -> dict[str, str]:
        """Return {column: tensor} for {column: key of the signature}.

        The stages take keys of a signature as they are, so this is not needed for them.

        Raises
        ------
        AssertionError
            The graph was not made from a signature.
        KeyError
            The signature has no such key.
        """
        tensors = self._require_signature(self.input_tensor_name_from_signature)
        return {column: tensor_of(key, tensors, "input") for column, key in _pairs(input_mapping)}

    def translateOutputMapping(self, output_mapping: Pairs) -> dict[str, str]:
        """Return {tensor: column} for {key of the signature: column}; see above."""
        tensors = self._require_signature(self.output_tensor_name_from_signature)
        return {tensor_of(key, tensors, "output"): column for key, column in _pairs(output_mapping)}

    def _require_signature(self, names: dict[str, str] | None) -> dict[str, str]:
        if names is None:
            raise WrongStateException(
                "This TFInputGraph was not made from a signature, so there are no keys to "
                "translate; its names are those of tensors. Use it as it is, or make it with "
                "fromSavedModelWithSignature or fromCheckpointWithSignature."
            )
        return names

    def __repr__(self) -> str:
        graph = self._graph
        ins, outs = (
            ", ".join(f"{n} ({t})" for n, t in e.items()) for e in (graph.inputs, graph.outputs)
        )
        return f"TFInputGraph(inputs: {ins}; outputs: {outs})"

    @classmethod
    def fromGraph(
        cls,
        graph: tf.Graph,
        sess: tf.compat.v1.Session,
        feed_names: Sequence[Any],
        fetch_names: Sequence[Any],
        *,
        constants: Mapping[str, Any] | None = None,
    ) -> TFInputGraph:
        """Take a graph of TensorFlow 1 with the values that variables have in its session.

        Parameters
        ----------
        graph : tf.Graph
            It is not changed.
        sess : tf.compat.v1.Session
            Of this graph; it stays open.
        feed_names, fetch_names : list of str, tf.Tensor or tf.Operation
            Inputs, whose first dimension is that of the rows, and outputs.
        constants : dict, optional
            Values of placeholders and inputs that no column is to feed, by name, such as
            ``{"keep_prob": 1.0}``.
        """
        tensorflow()
        from sparkdl.graph import _loading
        from sparkdl.graph.utils import validated_graph

        ends = _loading.RequestedEnds(None, feed_names, fetch_names, plain_values(constants))
        return cls(_loading.from_session(validated_graph(graph), sess, ends))

    @classmethod
    def fromGraphDef(
        cls,
        graph_def: tf.compat.v1.GraphDef,
        feed_names: Sequence[Any],
        fetch_names: Sequence[Any],
        *,
        constants: Mapping[str, Any] | None = None,
    ) -> TFInputGraph:
        """Take a GraphDef without variables; the arguments are those of `fromGraph`."""
        if not isinstance(graph_def, tensorflow().compat.v1.GraphDef):
            raise WrongStateException(
                f"Expected a GraphDef, got {type(graph_def).__name__}. "
                "For a tf.Graph use fromGraph."
            )
        from sparkdl.graph import _loading

        ends = _loading.RequestedEnds(None, feed_names, fetch_names, plain_values(constants))
        return cls(_loading.from_graph_def(graph_def, ends))

    @classmethod
    def fromCheckpoint(
        cls,
        checkpoint_dir: File,
        feed_names: Sequence[Any],
        fetch_names: Sequence[Any],
        *,
        constants: Mapping[str, Any] | None = None,
    ) -> TFInputGraph:
        """Take the latest checkpoint of a `tf.compat.v1.train.Saver`, with its .meta file.

        The other arguments are those of `fromGraph`.
        """
        return cls._checkpoint(
            checkpoint_dir, (None, feed_names, fetch_names, plain_values(constants))
        )

    @classmethod
    def fromCheckpointWithSignature(
        cls,
        checkpoint_dir: File,
        signature_def_key: str,
        *,
        constants: Mapping[str, Any] | None = None,
    ) -> TFInputGraph:
        """Take the latest checkpoint, with the ends that a signature in its .meta file names."""
        return cls._checkpoint(checkpoint_dir, (signature_def_key, (), (), plain_values(constants)))

    @classmethod
    def _checkpoint(cls, path: File, ends: tuple[Any, ...]) -> TFInputGraph:
        tensorflow()
        from sparkdl.graph import _loading

        graph = _loading.from_checkpoint(path_text(path), _loading.RequestedEnds(*ends))
        return cls(graph, place_of(path).name)

    @classmethod
    def fromSavedModel(
        cls,
        saved_model_dir: File,
        tag_set: str,
        feed_names: Sequence[Any],
        fetch_names: Sequence[Any],
        *,
        constants: Mapping[str, Any] | None = None,
    ) -> TFInputGraph:
        """Take a SavedModel of TensorFlow 1 or 2 and name its tensors.

        Parameters
        ----------
        saved_model_dir : str or PathLike
            A directory, on any of Hadoop's file systems.
        tag_set : str
            Which graph: its tags separated by commas, usually "serve".
        feed_names, fetch_names : list of str
            Tensors, as `saved_model_cli show --all` prints them.
        constants : dict, optional
            Values of placeholders and inputs that no column is to feed, by name, such as
            ``{"keep_prob": 1.0}``.
        """
        ends = (None, feed_names, fetch_names, plain_values(constants))
        return cls._saved_model(saved_model_dir, tag_set, ends)

    @classmethod
    def fromSavedModelWithSignature(
        cls,
        saved_model_dir: File,
        tag_set: str,
        signature_def_key: str,
        *,
        constants: Mapping[str, Any] | None = None,
    ) -> TFInputGraph:
        """Take a SavedModel of TensorFlow 1 or 2, with the inputs and outputs of a signature."""
        return cls._saved_model(
            saved_model_dir, tag_set, (signature_def_key, (), (), plain_values(constants))
        )

    @classmethod
    def _saved_model(cls, path: File, tag_set: str, ends: tuple[Any, ...]) -> TFInputGraph:
        tensorflow()
        from sparkdl.graph import _loading

        graph = _loading.from_saved_model(path_text(path), tag_set, _loading.RequestedEnds(*ends))
        return cls(graph, place_of(path).name)

    @classmethod
    def fromKeras(
        cls,
        model_or_file: LiveModel | PathOrUri,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
        *,
        constants: Mapping[str, Any] | None = None,
        verify: bool = True,
    ) -> TFInputGraph:
        """Take a Keras model, live or from a .keras or .h5 file, in inference mode.

        The names of its inputs and outputs are used like a signature's keys. For the other
        arguments see `save_bundle`.
        """
        if is_keras(model_or_file):
            check_called(model_or_file, "model_or_file")
        reading = {"custom_objects": custom_objects, "safe_mode": safe_mode, "verify": verify}
        return cls.fromBundle(stored_bundle(model_or_file, constants=constants, **reading))

    @classmethod
    def fromFunction(
        cls,
        function: Callable[..., Any],
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | Mapping[str, str] | None = None,
        *,
        constants: Mapping[str, Any] | None = None,
        verify: bool = True,
    ) -> TFInputGraph:
        """Take a `tf.function` or a Python function of tensors.

        Parameters
        ----------
        function : callable
            From tensors to a tensor, or a list or dict of them.
        inputs : dict, optional
            From name to `tf.TensorSpec` or (dtype, shape), the first dimension being that of the
            rows; not needed for a `tf.function` with an input_signature.
        outputs : list or dict, optional
            Names of all outputs, or a dict from new to old name.
        constants : dict, optional
            Values of inputs that no column is to feed, by name, such as
            ``{"keep_prob": 1.0}``.
        verify : bool
            Whether the bundle is compared with the function; see `save_bundle`.
        """
        reading = {"inputs": inputs, "outputs": outputs, "verify": verify}
        return cls.fromBundle(stored_bundle(function, constants=constants, **reading))

    @classmethod
    def fromBundle(cls, path: File) -> TFInputGraph:
        """Take a bundle, or anything else at a path or URI that `save_bundle` takes."""
        bundle = stored_bundle(path)
        return cls(ends_of_bundle(bundle), Path(bundle).name, bundle)


def _pairs(mapping: Pairs) -> list[tuple[str, str]]:
    return list(mapping.items() if isinstance(mapping, Mapping) else mapping)
