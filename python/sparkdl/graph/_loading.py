"""Reads checkpoints and SavedModels into frozen graphs, for `TFInputGraph`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import escape, glob
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.util import deprecation

from sparkdl._bundles.description.manifest import BundleEnd
from sparkdl._bundles.graph.freeze import NotFrozenException, check_frozen, check_without_tables
from sparkdl._bundles.graph.names import dimensions
from sparkdl._bundles.graph.session import freeze_by_session, prune
from sparkdl._bundles.graph.unfed_placeholders import constants_of
from sparkdl._bundles.graph.weights import lightened, without_marks
from sparkdl._bundles.saved_model import UnfrozenSavedModel, random_draws
from sparkdl._bundles.saved_model_files import graph_with_tags, loaded_graph, meta_graphs
from sparkdl._models.composite_tensors import require_dense
from sparkdl._models.files.reaching_operations import of_saved_model, require_trusted
from sparkdl._models.unsaved_variables import require_values
from sparkdl._places.places import local_copy
from sparkdl.errors import InvalidModelException, ModelNotFoundException
from sparkdl.errors.builtin_errors import UnknownNameException
from sparkdl.graph._graph_with_ends import GraphWithEnds
from sparkdl.graph.utils import op_name, tensor_name

v1 = tf.compat.v1


@dataclass(frozen=True)
class RequestedEnds:
    """Which inputs and outputs are wanted: those of a signature, or by name."""

    signature: str | None = None
    feeds: Sequence[Any] = ()
    fetches: Sequence[Any] = ()
    constants: Mapping[str, Any] | None = None

    def require_trusted(self, meta: tf.compat.v1.MetaGraphDef, address: str | Path) -> None:
        """Refuse a graph from a file that reaches out of itself, unless the user trusts it."""
        if self.signature is not None and self.signature in meta.signature_def:
            signature = meta.signature_def[self.signature]
            ends = (_tensors(e) for e in (signature.inputs, signature.outputs))
            fed, fetched = (list(e.values()) for e in ends)
        else:
            fed, fetched = (
                [tensor_name(n) for n in _listed(e)] for e in (self.feeds, self.fetches)
            )
        require_trusted(of_saved_model(meta, fetched, fed), address)

    def of(self, graph: tf.Graph, meta: tf.compat.v1.MetaGraphDef, where: str) -> GraphWithEnds:
        """Look them up. The result has no graph yet."""
        if self.signature is None:
            ins, outs = (
                _tensors_by_name(requested, graph) for requested in (self.feeds, self.fetches)
            )
            return GraphWithEnds(None, ins, outs, shapes=_shapes(outs, graph))
        signatures = {k: s for k, s in meta.signature_def.items() if not k.startswith("__")}
        if self.signature not in signatures:
            raise UnknownNameException(
                f"{where} has no signature {self.signature!r}; it has: "
                f"{', '.join(sorted(signatures)) or 'none'}."
            )
        require_dense(meta, self.signature, where)
        require_values(meta, self.signature, where)
        signature = signatures[self.signature]
        ins, outs = (_tensors(requested) for requested in (signature.inputs, signature.outputs))
        output_shapes = {k: tf.TensorShape(signature.outputs[k].tensor_shape) for k in outs}
        return GraphWithEnds(None, ins, outs, True, shapes=output_shapes)


def _tensors_by_name(names: Sequence[Any] | str, graph: tf.Graph) -> dict[str, str]:
    # Tensors may be of the graph that was saved; only their names count here.
    full = [tensor_name(tensor_name(n), graph) for n in _listed(names)]
    return {t.removesuffix(":0"): t for t in full}


def _listed(names: Sequence[Any] | str) -> Sequence[Any]:
    return [names] if isinstance(names, str) or not isinstance(names, Sequence) else names


def _shapes(outputs: Mapping[str, str], graph: tf.Graph) -> dict[str, Any]:
    return {name: graph.get_tensor_by_name(tensor).shape for name, tensor in outputs.items()}


def _tensors(infos: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(infos[key].name) for key in sorted(infos)}


def from_session(
    graph: tf.Graph, session: tf.compat.v1.Session, ends: RequestedEnds
) -> GraphWithEnds:
    """Freeze a graph with the values that its session has."""
    for end in [*ends.feeds, *ends.fetches]:
        tensor_name(end, graph)  # raises if it is of another graph
    return _freeze(ends.of(graph, None, "The graph"), graph, session, ends)


def from_graph_def(graph_def: tf.compat.v1.GraphDef, ends: RequestedEnds) -> GraphWithEnds:
    """Take the part of a GraphDef that lies between the ends."""
    light, weights = lightened(graph_def, {})
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(without_marks(light), name="")
    result = ends.of(graph, None, "The graph")
    part = prune(light, _ops(result))
    check_frozen(part, "the GraphDef")
    return _with_constants(replace(result, graph_def=part, weights=weights), ends)


def from_checkpoint(path: str | Path, ends: RequestedEnds) -> GraphWithEnds:
    """Restore the latest checkpoint that a Saver of TensorFlow 1 wrote into a directory."""
    prefix = _latest(local_copy(path), path)
    with _session() as (graph, session):
        meta = _meta_graph(prefix)
        ends.require_trusted(meta, path)
        saver = v1.train.import_meta_graph(meta, clear_devices=True)
        result = ends.of(graph, meta, f"The checkpoint {prefix}")
        if saver is not None:  # None: there are no variables
            saver.restore(session, prefix)
        return _freeze(result, graph, session, ends)


def _latest(directory: Path | None, path: str | Path) -> str:
    if directory is None or not directory.is_dir():
        raise ModelNotFoundException(f"There is no directory {path} with checkpoints.")
    state = tf.train.get_checkpoint_state(str(directory))
    if state is None:
        raise ModelNotFoundException(
            f"{directory} has no checkpoint: expected a file 'checkpoint' that names the latest "
            f"one, as tf.compat.v1.train.Saver writes it, found {_files(directory)}."
        )
    # The path may be absolute, and that of the folder before it was moved or copied.
    named = str(state.model_checkpoint_path)
    for prefix in (str(directory / Path(named).name), named):
        if glob(f"{escape(prefix)}.*"):
            return prefix
    raise ModelNotFoundException(
        f"The file 'checkpoint' in {directory} names {named}, of which there are no files, neither "
        f"there nor as {Path(named).name} in this folder, which has {_files(directory)}. Copy the "
        "checkpoint's files (.index, .data-..., .meta) beside it."
    )


def _files(directory: Path) -> str:
    return ", ".join(sorted(f.name for f in directory.iterdir())[:10]) or "nothing"


def _meta_graph(prefix: str) -> Any:
    file = Path(prefix + ".meta")
    if not file.is_file():
        raise InvalidModelException(
            f"The checkpoint {prefix} has no graph: there is no {file.name}. Checkpoints of "
            "TensorFlow 2 and of Keras hold the values of variables only: build the model, restore "
            "it and use fromKeras or fromFunction, or save it as a SavedModel."
        )
    meta = v1.MetaGraphDef()
    meta.ParseFromString(file.read_bytes())
    return meta


def from_saved_model(path: str | Path, tag_set: str, ends: RequestedEnds) -> GraphWithEnds:
    """Load a SavedModel of TensorFlow 1 or 2 and freeze it; one with lookup tables stays whole."""
    folder = local_copy(path)
    if folder is None or not folder.is_dir():
        raise ModelNotFoundException(f"There is no SavedModel at {path}.")
    tags = [t.strip() for t in tag_set.split(",") if t.strip()]
    _check_tags(folder, tags)
    ends.require_trusted(graph_with_tags(folder, tags), path)
    with loaded_graph(folder, tags) as (graph, session, meta):
        result = ends.of(graph, meta, f"The SavedModel {folder}")
        try:
            return _freeze(result, graph, session, ends)
        except NotFrozenException as e:
            return _unfrozen(result, graph, folder, ",".join(tags), str(e), ends)


def _check_tags(folder: Path, tags: Sequence[str]) -> None:
    metas = meta_graphs(folder)
    sets = [sorted(m.meta_info_def.tags) for m in metas]
    if sorted(tags) not in sets:
        raise UnknownNameException(
            f"The SavedModel {folder} has no graph with the tags {','.join(tags)!r}; it has "
            f"{', '.join(repr(','.join(s)) for s in sets)}."
        )


@contextmanager
def _session() -> Iterator[tuple[Any, Any]]:
    with (
        deprecation.silence(),
        tf.Graph().as_default() as graph,
        v1.Session(graph=graph) as session,
    ):
        yield graph, session


def _ops(result: GraphWithEnds) -> list[str]:
    # Inputs that no output needs are still part of the graph.
    return [op_name(t) for t in [*result.outputs.values(), *result.inputs.values()]]


def _freeze(
    result: GraphWithEnds,
    graph: tf.Graph,
    session: tf.compat.v1.Session,
    ends: RequestedEnds,
) -> GraphWithEnds:
    check_without_tables(prune(graph.as_graph_def(), _ops(result)), "the session")
    graph_def, weights = freeze_by_session(session, graph, _ops(result))
    check_frozen(graph_def, "the session")
    return _with_constants(replace(result, graph_def=graph_def, weights=weights), ends)


def _with_constants(result: GraphWithEnds, ends: RequestedEnds) -> GraphWithEnds:
    """Put the constants into a graph. Inputs that have one are no longer inputs."""
    fed = () if result.signed else result.inputs.values()
    constants = constants_of(ends.constants, result.graph_def, "the graph", result.inputs, fed)
    return replace(
        result,
        graph_def=constants.put_into(result.graph_def),
        inputs=constants.without(result.inputs),
        whole=result.whole and result.whole.with_constants(ends.constants, "the graph"),
    )


def _unfrozen(
    result: GraphWithEnds,
    graph: tf.Graph,
    folder: Path,
    tags: str,
    why: str,
    ends: RequestedEnds,
) -> GraphWithEnds:
    inputs, outputs = (
        [_spec(name, graph.get_tensor_by_name(tensor)) for name, tensor in ends.items()]
        for ends in (result.inputs, result.outputs)
    )
    source = {"kind": "SavedModel", "tensorflow": str(tf.__version__)}
    graph_def = graph.as_graph_def()
    draws = random_draws(graph_def, result.outputs)
    whole = UnfrozenSavedModel(folder, inputs, outputs, source, why, tags, draws)
    return _with_constants(replace(result, graph_def=graph_def, whole=whole), ends)


def _spec(name: str, tensor: tf.Tensor) -> BundleEnd:
    return BundleEnd(name, tensor.name, tensor.dtype.name, dimensions(tensor.shape))
