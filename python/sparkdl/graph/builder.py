"""Puts graphs together: `IsolatedSession`, a separate graph, and `GraphFunction`, a piece."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sparkdl._models.files.content import no_file
from sparkdl._models.libraries import eagerly, other_backend, tensorflow
from sparkdl._models.live_keras import is_keras, is_tf_keras
from sparkdl._models.model_ends import check_called
from sparkdl._places.places import local_copy, place_of
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import InvalidModelException
from sparkdl.errors.builtin_errors import WrongStateException, WrongTypeException
from sparkdl.graph._keras_catch_up import KerasCatchUp
from sparkdl.graph.utils import (
    note_shapes,
    op_name,
    strip_and_freeze_until,
    tensor_name,
    validated_input,
    validated_output,
)

if TYPE_CHECKING:
    import tensorflow as tf

    from sparkdl._models.live_keras import LiveModel
    from sparkdl._places.places import PathOrUri

__all__ = ["GraphFunction", "IsolatedSession"]


class IsolatedSession:
    """A TensorFlow 1 session with its own graph, to build with `tf.compat.v1` or `tf` functions.

    Within the `with` block the graph is the default one: operations are added to it instead of
    being computed.

    Parameters
    ----------
    graph : tf.Graph, optional
        The graph to work in; by default a new one.
    using_keras : bool
        Lets layers of Keras be made in the block. Keras 3 knows no sessions, so that it would
        neither initialize their variables in this one nor set weights. With `using_keras`, `run`
        and `asGraphFunction` first catch up on what Keras meant to do: they initialize variables
        that have no value, and carry out assignments of constants (`set_weights`, `load_model`).

    Notes
    -----
    A Keras model that was made outside of the block cannot be called in it, since its variables
    are not in the graph ("Attempting to capture an EagerTensor"). Bring it in frozen, as below.

    A model's own `inputs` and `outputs` are not tensors of the graph but KerasTensors: call the
    model on a placeholder of the block, or use `fromKeras`. `get_weights`, `fit` and `predict` do
    not work in the block.

    Examples
    --------
    >>> outside = GraphFunction.fromKeras(model)  # doctest: +SKIP
    >>> with IsolatedSession() as issn:  # doctest: +SKIP
    ...     x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
    ...     _, outputs = issn.importGraphFunction(outside, {outside.input_names[0]: x * 2})
    ...     whole = issn.asGraphFunction([x], outputs)
    """

    def __init__(self, graph: tf.Graph | None = None, using_keras: bool = False) -> None:
        self.graph = graph or tensorflow().Graph()
        self.sess = tensorflow().compat.v1.Session(graph=self.graph)
        self._keras = KerasCatchUp(self.graph, self.sess) if using_keras else None
        self._scopes = ExitStack()

    def __enter__(self) -> IsolatedSession:
        self._scopes.enter_context(self.graph.as_default())
        self._scopes.enter_context(self.sess.as_default())
        return self

    def __exit__(self, *error: object) -> None:
        self._scopes.close()
        self.sess.close()

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the session: `tf.compat.v1.Session.run`."""
        if self._keras is not None:
            self._keras.catch_up()
        return self.sess.run(*args, **kwargs)

    def asGraphFunction(
        self, inputs: Sequence[Any], outputs: Sequence[Any], strip_and_freeze: bool = True
    ) -> GraphFunction:
        """Return the part of the graph between inputs and outputs, with the shapes of its tensors.

        Parameters
        ----------
        inputs : list of tf.Tensor, tf.Operation or str
            Placeholders.
        outputs : list of tf.Tensor, tf.Operation or str
            Each is the first output of its operation.
        strip_and_freeze : bool
            Whether variables become constants, with their present values, and the rest of the
            graph is left out.
        """
        input_names = [validated_input(i, self.graph) for i in inputs]
        output_names = [validated_output(o, self.graph) for o in outputs]
        if not strip_and_freeze:
            graph_def = self.graph.as_graph_def(add_shapes=True)
            return GraphFunction(graph_def, input_names, output_names)
        if self._keras is not None:
            self._keras.catch_up()
        # Inputs that no output needs are still inputs.
        ends = list(dict.fromkeys([*output_names, *input_names]))
        graph_def = strip_and_freeze_until(ends, self.graph, self.sess)
        note_shapes(graph_def, self.graph)
        return GraphFunction(graph_def, input_names, output_names)

    def importGraphFunction(
        self,
        gfn: GraphFunction,
        input_map: Mapping[str, Any] | None = None,
        prefix: str = "GFN-IMPORT",
        **gdef_kargs: Any,
    ) -> tuple[list[Any], list[Any]]:
        """Add a function's graph to this one.

        Parameters
        ----------
        gfn : GraphFunction
            What to add.
        input_map : dict, optional
            From names of its inputs to the tensors that replace them.
        prefix : str
            Scope of its operations; "" for none.
        **gdef_kargs
            Passed to `tf.import_graph_def`.

        Returns
        -------
        tuple of list of tf.Tensor, list of tf.Tensor
            Inputs (those in `input_map` are its tensors) and outputs, in the order of `gfn`.
        """
        tensors_by_input = {tensor_name(name): tensor for name, tensor in (input_map or {}).items()}
        ends = [[tensor_name(n) for n in names] for names in (gfn.input_names, gfn.output_names)]
        unknown = sorted(tensors_by_input.keys() - set(ends[0]))
        if unknown:
            raise WrongStateException(
                f"input_map names {', '.join(unknown)}; the function's inputs are "
                f"{', '.join(gfn.input_names)}."
            )
        kwargs = {**gdef_kargs, "return_elements": [*ends[0], *ends[1]], "name": prefix}
        with self.graph.as_default():
            tensors = tensorflow().import_graph_def(
                gfn.graph_def, input_map=tensors_by_input, **kwargs
            )
        count = len(ends[0])
        return list(tensors[:count]), list(tensors[count:])


@dataclass(frozen=True)
class GraphFunction:
    """A frozen graph with the names of the operations that are its inputs and outputs.

    Attributes
    ----------
    graph_def : tf.compat.v1.GraphDef
    input_names, output_names : list of str
        Names of operations, which stand for their first outputs.
    """

    graph_def: Any
    input_names: list[str]
    output_names: list[str]

    @classmethod
    def fromKeras(
        cls,
        model_or_file_path: LiveModel | PathOrUri,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool = True,
    ) -> GraphFunction:
        """Freeze a Keras model in inference mode.

        Parameters
        ----------
        model_or_file_path : keras.Model, tf_keras.Model, str or Path
            The model, or a .keras or .h5 file of one.
        custom_objects, safe_mode
            For files; see `sparkdl.save_bundle`.

        Raises
        ------
        TypeError
            It is neither.
        InvalidModelException
            The file is not one of Keras, or the model has lookup tables and cannot be frozen.
        """
        is_file = isinstance(model_or_file_path, (str, os.PathLike))
        if not is_file and not is_keras(model_or_file_path):
            raise WrongTypeException(
                "Expected a Keras model or the path of one (.keras, .h5), got "
                f"{type(model_or_file_path).__name__}."
            )
        if other_backend() and (is_file or not is_tf_keras(model_or_file_path)):
            return _from_bundle(model_or_file_path, custom_objects, safe_mode)
        with eagerly():
            if not isinstance(model_or_file_path, (str, os.PathLike)):
                check_called(model_or_file_path, "model_or_file_path")
                return _freeze_keras(model_or_file_path)
            from sparkdl._models.files.loading import load_keras_file

            file = local_copy(model_or_file_path)
            if file is None:
                raise no_file(place_of(model_or_file_path))
            return _freeze_keras(load_keras_file(file, custom_objects, safe_mode))

    @classmethod
    def fromList(cls, functions: Sequence[tuple[str | None, GraphFunction]]) -> GraphFunction:
        """Chain functions: the outputs of one are the inputs of the next.

        Parameters
        ----------
        functions : list of (str or None, GraphFunction)
            Each with the scope of its operations ("GFN-BLK-<i>" by default). The inputs of the
            first and the outputs of the last keep their names, without a scope.

        Raises
        ------
        AssertionError
            The list is empty, or a function has another number of inputs than the one before it
            has outputs.
        """
        from sparkdl._bundles.graph.freeze import static_signature

        _check_chain([f for _, f in functions])
        v1, first, last = tensorflow().compat.v1, functions[0][1], functions[-1][1]
        specs = static_signature(first.graph_def, first.input_names)
        with IsolatedSession() as issn:
            inputs = [
                v1.placeholder(spec.dtype, spec.shape, name=name)
                for spec, name in zip(specs, first.input_names, strict=True)
            ]
            tensors: list[Any] = inputs
            for i, (scope, function) in enumerate(functions):
                inputs_by_name = dict(zip(function.input_names, tensors, strict=True))
                prefix = scope or f"GFN-BLK-{i}"
                _, tensors = issn.importGraphFunction(function, inputs_by_name, prefix=prefix)
            outputs_by_name = zip(tensors, last.output_names, strict=True)
            outputs = [tensorflow().identity(t, name=name) for t, name in outputs_by_name]
            return issn.asGraphFunction(inputs, outputs)


def _check_chain(functions: Sequence[GraphFunction]) -> None:
    if not functions:
        raise WrongStateException("There is nothing to chain: the list of functions is empty.")
    for i, (before, after) in enumerate(pairwise(functions)):
        if len(before.output_names) != len(after.input_names):
            raise WrongStateException(
                f"Function {i} has {len(before.output_names)} outputs "
                f"({', '.join(before.output_names)}), but function {i + 1} takes "
                f"{len(after.input_names)} inputs ({', '.join(after.input_names)})."
            )


def _from_bundle(
    model: LiveModel | PathOrUri, custom_objects: Mapping[str, Any] | None, safe_mode: bool
) -> GraphFunction:
    """Freeze a model that another process converts, since Keras has another backend here."""
    from sparkdl._bundles.bundle_store import stored_bundle
    from sparkdl._bundles.description.manifest import read_manifest
    from sparkdl.graph._graph_with_ends import graph_of_bundle

    options = {"custom_objects": custom_objects, "safe_mode": safe_mode, "verify": False}
    bundle = stored_bundle(model, **options)
    manifest = read_manifest(bundle)
    if "graph" not in manifest:
        raise InvalidModelException(
            "The model has lookup tables, so it cannot become a single graph of constants. "
            "TFInputGraph.fromKeras can use it as a whole."
        )
    ends = [[op_name(s["tensor"]) for s in manifest[kind]] for kind in ("inputs", "outputs")]
    return GraphFunction(graph_of_bundle(bundle), *ends)


def _freeze_keras(model: LiveModel) -> GraphFunction:
    from sparkdl._bundles.graph.names import FrozenGraph, finish
    from sparkdl._bundles.graph.seeds import without_seed_input
    from sparkdl._bundles.keras_source import from_keras

    with scratch_folder() as scratch:
        frozen = from_keras(model, None, None, type(model).__name__, scratch)
    if not isinstance(frozen, FrozenGraph):
        raise InvalidModelException(f"{frozen.why} TFInputGraph.fromKeras can use it as a whole.")
    finished = finish(frozen)
    ends = [
        [op_name(spec.tensor) for spec in specs] for specs in (finished.inputs, finished.outputs)
    ]
    return GraphFunction(without_seed_input(finished.whole()), *ends)
