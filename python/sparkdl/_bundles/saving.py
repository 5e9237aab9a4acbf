"""Makes bundles: a directory with a frozen graph and a description that Scala and Python read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import WEIGHTS, BundleEnd, specs_json, write_bundle
from sparkdl._bundles.description.plain_values import plain_values
from sparkdl._models.libraries import eagerly, tensorflow
from sparkdl._places.places import place_of
from sparkdl._places.temporary_folders import scratch_folder
from sparkdl.errors import SettingsException
from sparkdl.labels import Labels, read_labels, write_labels

if TYPE_CHECKING:
    from sparkdl._bundles.description.input_specs import UserEnds
    from sparkdl._bundles.graph.names import FinishedGraph, FrozenGraph
    from sparkdl._bundles.graph.original import Original
    from sparkdl._bundles.saved_model import UnfrozenSavedModel

_IMAGE_KEYS = {"input", "height", "width", "channelOrder"}


def save_bundle(
    model: object,
    path: str | Path,
    *,
    inputs: UserEnds | None = None,
    outputs: UserEnds | None = None,
    name: str | None = None,
    image: Mapping[str, Any] | bool | None = None,
    preprocessing: str | Callable[[Any], Any] | None = None,
    labels: str | Path | Sequence[Any] | None = None,
    signature: str = "serving_default",
    constants: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    overwrite: bool = False,
    verify: bool = True,
) -> str:
    """Write a model as a bundle, which the stages, `load_model` and Scala take.

    Variables become constants, and what depends on constants only is computed once (batch norm,
    for example, goes into the weights of the convolution before it). Keras models and SavedModels
    with lookup tables (as in TextVectorization) cannot become one graph of constants: the bundle
    then holds a whole SavedModel. Where Keras runs on another backend (JAX, PyTorch), its models
    and files are converted in a separate process, on TensorFlow.

    Parameters
    ----------
    model : object
        A model of Keras 3 or tf_keras, or the path of its file; a `tf.function`, concrete
        function or Python callable on tensors; the path of a frozen graph or of a SavedModel; a
        `tf.Graph` or GraphDef without variables. Files are recognized by their content, and paths
        may be URIs of any of Hadoop's file systems.
    path : str or Path
        The directory to make, which may also be a URI of any of Hadoop's file systems.
    inputs : dict or list, optional
        For a function: dict from name to `tf.TensorSpec` or (dtype, shape), the first dimension
        being the batch. For a graph: dict from name to tensor, or list of tensors; by default
        its placeholders. For a Keras model or SavedModel: a list of names to use instead.
    outputs : dict or list, optional
        For a graph: dict from name to tensor, or list of tensors; by default the nodes that
        nothing uses. Otherwise a list of names for all outputs, or a dict from new to old name.
        docs/bundle.md says what they are called without it, and in which order they come.
    name : str, optional
        What the model is called in messages; by default the name of the directory.
    image : dict or True, optional
        Makes the model's only input an image: the bundle then takes uint8 RGB pixels. A dict may
        give height, width and channelOrder ("RGB", "BGR" or "L"); they default to the input's.
        None for height and width lets each image keep its own size where the model takes any.
    preprocessing : {"tf", "caffe", "torch"} or callable, optional
        What is done with the pixels inside the graph: to -1..1; to BGR minus ImageNet's mean; to
        mean 0 and deviation 1 of ImageNet; or a function from float32 to float32 tensors.
        Without it they are passed on as they are (0..255). Implies `image=True`.
    labels : str, Path or list, optional
        Names of the classes; see `sparkdl.labels.read_labels`.
    signature : str
        Which signature of a SavedModel. Where there is no "serving_default", a single other
        one is used, with a warning.
    constants : dict, optional
        Values of placeholders and inputs that no column is to feed, by name, such as
        ``{"keep_prob": 1.0}``: booleans, numbers, texts, or lists of them.
    custom_objects : dict, optional
        Passed to Keras when it loads a file.
    safe_mode : bool
        False lets Keras unpickle code (Lambda layers) from a file: only for files you trust.
    overwrite : bool
        Whether an existing bundle is replaced.
    verify : bool
        Whether the bundle is run on a few made-up rows first and compared with the model.

    Returns
    -------
    str
        The absolute path of the bundle, or its URI.

    Raises
    ------
    InvalidModelException
        The model cannot be converted, or the bundle gives other numbers; the message says why.
        Layers that are written for another backend of Keras only are such a case.
    SettingsException
        The path exists, or an argument does not fit the model.
    SchemaMismatchException
        The outputs of a graph need a placeholder that is neither an input nor given a constant.

    Examples
    --------
    >>> import sparkdl
    >>> sparkdl.save_bundle(
    ...     lambda x: {"double": x * 2}, "/tmp/double", inputs={"x": ("float32", [None, 3])}
    ... )  # doctest: +SKIP
    """
    from sparkdl._bundles.other_backend.conversion import convert, is_for_own_process

    model_name, constant_values = name or place_of(path).name, plain_values(constants)
    if is_for_own_process(model, preprocessing):
        options: dict[str, Any] = {
            "inputs": inputs,
            "outputs": outputs,
            "name": model_name,
            "image": image,
            "preprocessing": preprocessing,
            "labels": _labels(labels),
            "signature": signature,
            "constants": constant_values,
            "custom_objects": custom_objects,
            "safe_mode": safe_mode,
            "verify": verify,
        }
        return convert(save_bundle, model, path, overwrite, options)
    tensorflow()
    from sparkdl._bundles.model_constants import with_constants
    from sparkdl._bundles.model_sources import frozen_from
    from sparkdl._bundles.other_backend.one_backend import explain_tracing

    with explain_tracing(), eagerly(), scratch_folder() as scratch:
        graph = frozen_from(
            model,
            inputs=inputs,
            outputs=outputs,
            signature=signature,
            constants=constant_values,
            custom_objects=custom_objects,
            safe_mode=safe_mode,
            scratch=scratch,
        )
        graph = with_constants(model, graph, constant_values, inputs, model_name)
        extras = (image, preprocessing, _labels(labels))
        return _write(graph, path, model_name, *extras, overwrite, verify)


def _write(
    frozen: FrozenGraph | UnfrozenSavedModel,
    path: str | Path,
    name: str,
    image: Mapping[str, Any] | bool | None,
    preprocessing: str | Callable[[Any], Any] | None,
    labels: Labels | None,
    overwrite: bool,
    verify: bool,
) -> str:
    from sparkdl._bundles.graph.images import as_image_model
    from sparkdl._bundles.graph.names import FrozenGraph, finish
    from sparkdl._bundles.graph.original import SavedModelRun
    from sparkdl._bundles.graph.verification import ConvertedModel
    from sparkdl._bundles.graph.verification import verify as compare

    image_input = None
    if not isinstance(frozen, FrozenGraph):
        if image or preprocessing:
            raise SettingsException(
                "image= and preprocessing= need a model that can be frozen; this one cannot "
                f"({frozen.why}). Put the preprocessing into the model instead."
            )
        if verify:
            run = (frozen.path, frozen.tags, _tensors(frozen.inputs), _tensors(frozen.outputs))
            compare(
                ConvertedModel(name, SavedModelRun(*run), frozen.inputs, frozen.outputs),
                frozen.original,
            )
        return str(frozen.write(path, name, labels, overwrite))
    if image or preprocessing is not None:
        frozen, image_input = as_image_model(frozen, _image_options(image), preprocessing)
    finished = finish(frozen)
    if verify:
        verify_finished(finished, name, frozen.original)
    return write_finished(path, finished, name, labels, image_input, overwrite)


def verify_finished(finished: FinishedGraph, name: str, original: Original | None) -> None:
    """Compare a graph that is ready to be written with the model that it was made from."""
    from sparkdl._bundles.graph.original import GraphRun
    from sparkdl._bundles.graph.verification import ConvertedModel, verify

    ends = (_tensors(finished.inputs), _tensors(finished.outputs))
    run = GraphRun(finished.graph_def, *ends, finished.weights, fused=True)
    verify(ConvertedModel(name, run, finished.inputs, finished.outputs), original)


def _tensors(specs: Sequence[BundleEnd]) -> dict[str, str]:
    return {s.name: s.tensor for s in specs}


def _labels(labels: str | Path | Sequence[Any] | None) -> Labels | None:
    return None if labels is None else read_labels(labels)


def _image_options(image: Mapping[str, Any] | bool | None) -> dict[str, Any]:
    options = dict(image) if isinstance(image, Mapping) else {}
    unknown = options.keys() - _IMAGE_KEYS
    if unknown:
        raise SettingsException(
            f"image= does not know {', '.join(sorted(unknown))}; it takes "
            f"{', '.join(sorted(_IMAGE_KEYS))}."
        )
    return options


def write_finished(
    path: str | Path,
    finished: FinishedGraph,
    name: str,
    labels: Labels | None = None,
    image: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> str:
    """Write a graph that is frozen, named and simplified as a bundle."""
    from sparkdl._bundles.graph.graph_writing import GRAPH, write_graph
    from sparkdl._bundles.graph.simplify import is_simplified
    from sparkdl._bundles.graph.stored_weights import FILE, offsets_of

    manifest: dict[str, Any] = {
        "name": name,
        "source": finished.source,
        "graph": GRAPH,
        # Sessions then only fuse kernels when they load it, which saves time and memory.
        "prepared": is_simplified(finished.graph_def),
        "inputs": specs_json(finished.inputs),
        "outputs": specs_json(finished.outputs),
    }
    offsets = offsets_of(finished.graph_def, finished.weights)
    if offsets:
        manifest[WEIGHTS] = FILE
    if finished.random is not None:
        manifest["random"] = finished.random
    if image is not None:
        manifest["image"] = dict(image)
    if labels is not None:
        manifest["labels"] = "labels.json"

    def write_files(folder: Path) -> None:
        write_graph(folder, finished.graph_def, finished.weights, offsets)
        if labels is not None:
            write_labels(folder, labels)

    return write_bundle(path, manifest, write_files, overwrite)
