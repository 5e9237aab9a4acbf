"""Makes bundles: a directory with a frozen graph and a description that Scala and Python read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.description.manifest import TensorSpec, specs_json, write_bundle
from sparkdl._bundles.description.plain_values import plain_values
from sparkdl._models.libraries import eagerly, tensorflow
from sparkdl._places.places import place_of
from sparkdl.errors import SettingsException
from sparkdl.labels import Labels, read_labels, write_labels

if TYPE_CHECKING:
    from sparkdl._bundles.graph.names import Finished

_IMAGE_KEYS = {"input", "height", "width", "channelOrder"}


def save_bundle(
    model: Any,
    path: str | Path,
    *,
    inputs: Any = None,
    outputs: Any = None,
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
    with lookup tables (TextVectorization, say) cannot become one graph of constants: the bundle
    then holds a whole SavedModel. Where Keras runs on another backend (JAX, PyTorch), its models
    and files are converted in a process of their own, on TensorFlow.

    Parameters
    ----------
    model : object
        A model of Keras 3 or tf_keras, or the path of its file; a `tf.function`, concrete
        function or Python callable on tensors; the path of a frozen graph or of a SavedModel; a
        `tf.Graph` or GraphDef without variables. Files are known by their content, and paths may
        be URIs of any of Hadoop's file systems.
    path : str or Path
        The directory to make; a URI of any of Hadoop's file systems, too.
    inputs : dict or list, optional
        For a function: dict from name to `tf.TensorSpec` or (dtype, shape), the first dimension
        being the batch. For a graph: dict from name to tensor, or list of tensors; by default
        its placeholders. For a Keras model or SavedModel: a list of names to use instead.
    outputs : dict or list, optional
        For a graph: dict from name to tensor, or list of tensors; by default the nodes that
        nothing uses. Else: a list of names for all outputs, or a dict from new to old name. What
        they are called without it, and in which order they come, is in docs/bundle.md.
    name : str, optional
        What the model is called in messages; by default the name of the directory.
    image : dict or True, optional
        Makes the model's only input an image: the bundle then takes uint8 pixels RGB. A dict may
        give height, width and channelOrder ("RGB", "BGR" or "L"); they default to the input's.
        None for height and width lets each image keep its own size where the model takes any.
    preprocessing : {"tf", "caffe", "torch"} or callable, optional
        What is done with the pixels inside the graph: to -1..1; to BGR minus ImageNet's mean; to
        mean 0 and deviation 1 of ImageNet; or a function from float32 to float32 tensors.
        Without it they are passed on as they are (0..255). Implies `image=True`.
    labels : str, Path or list, optional
        Names of the classes, see `sparkdl.labels.read_labels`.
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
        So it is with layers that are written for another backend of Keras only.
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

    named, values = name or place_of(path).name, plain_values(constants)
    if is_for_own_process(model, preprocessing):
        asked: dict[str, Any] = {
            "inputs": inputs,
            "outputs": outputs,
            "name": named,
            "image": image,
            "preprocessing": preprocessing,
            "labels": _labels(labels),
            "signature": signature,
            "constants": values,
            "custom_objects": custom_objects,
            "safe_mode": safe_mode,
            "verify": verify,
        }
        return convert(save_bundle, model, path, overwrite, asked)
    tensorflow()
    from sparkdl._bundles.model_constants import completed
    from sparkdl._bundles.model_sources import loose_from
    from sparkdl._bundles.other_backend.one_backend import traced

    with traced(), eagerly(), tempfile.TemporaryDirectory(prefix="sparkdl-") as scratch:
        loose = loose_from(
            model,
            inputs=inputs,
            outputs=outputs,
            signature=signature,
            constants=values,
            custom_objects=custom_objects,
            safe_mode=safe_mode,
            scratch=Path(scratch),
        )
        loose = completed(model, loose, values, inputs, named)
        shown = (image, preprocessing, _labels(labels))
        return _write(loose, path, named, *shown, overwrite, verify)


def _write(
    loose: Any,
    path: Any,
    name: str,
    image: Any,
    preprocessing: Any,
    labels: Any,
    overwrite: bool,
    verify: bool,
) -> str:
    from sparkdl._bundles.graph.images import as_image_model
    from sparkdl._bundles.graph.names import Loose, finish
    from sparkdl._bundles.graph.original import SavedModelRun
    from sparkdl._bundles.graph.verification import Converted
    from sparkdl._bundles.graph.verification import verify as compare

    shown = None
    if not isinstance(loose, Loose):
        if image or preprocessing:
            raise SettingsException(
                "image= and preprocessing= need a model that can be frozen; this one cannot "
                f"({loose.why}). Put the preprocessing into the model instead."
            )
        if verify:
            run = (loose.path, loose.tags, _tensors(loose.inputs), _tensors(loose.outputs))
            compare(
                Converted(name, SavedModelRun(*run), loose.inputs, loose.outputs), loose.original
            )
        return str(loose.write(path, name, labels, overwrite))
    if image or preprocessing is not None:
        loose, shown = as_image_model(loose, _image_options(image), preprocessing)
    finished = finish(loose)
    if verify:
        verify_finished(finished, name, loose.original)
    return write_finished(path, finished, name, labels, shown, overwrite)


def verify_finished(finished: Finished, name: str, original: Any) -> None:
    """Compare a graph that is ready to be written with the model that it was made from."""
    from sparkdl._bundles.graph.original import GraphRun
    from sparkdl._bundles.graph.verification import Converted, verify

    ends = (_tensors(finished.inputs), _tensors(finished.outputs))
    run = GraphRun(finished.graph_def, *ends, finished.weights)
    verify(Converted(name, run, finished.inputs, finished.outputs), original)


def _tensors(specs: Sequence[TensorSpec]) -> dict[str, str]:
    return {s.name: s.tensor for s in specs}


def _labels(labels: Any) -> Labels | None:
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
    finished: Finished,
    name: str,
    labels: Labels | None = None,
    image: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> str:
    """Write a graph that is frozen, named and simplified as a bundle."""
    from sparkdl._bundles.graph.graph_file import write_graph
    from sparkdl._bundles.graph.simplify import is_simplified

    manifest: dict[str, Any] = {
        "name": name,
        "source": finished.source,
        "graph": "graph.pb",
        # Sessions then only fuse kernels when they load it, which saves time and memory.
        "prepared": is_simplified(finished.graph_def),
        "inputs": specs_json(finished.inputs),
        "outputs": specs_json(finished.outputs),
    }
    if finished.random is not None:
        manifest["random"] = finished.random
    if image is not None:
        manifest["image"] = dict(image)
    if labels is not None:
        manifest["labels"] = "labels.json"

    def write_files(folder: Path) -> None:
        write_graph(folder / "graph.pb", finished.graph_def, finished.weights)
        if labels is not None:
            write_labels(folder, labels)

    return write_bundle(path, manifest, write_files, overwrite)
