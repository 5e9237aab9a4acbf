"""`registerKerasImageUDF`: a model of images as a SQL function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.bundle_store import is_bundle
from sparkdl.errors import SchemaMismatchException, SettingsException
from sparkdl.session.jvm_door import active_session, door
from sparkdl.udf.keras_tensor_model import read_model, with_options
from sparkdl.udf.model import Model, TensorSpec

if TYPE_CHECKING:
    import numpy as np
    from pyspark.sql import SparkSession


def registerKerasImageUDF(
    udf_name: str,
    keras_model_or_file_path: object,
    preprocessor: Callable[[str], np.ndarray] | None = None,
    *,
    preprocessing: str | Callable[[Any], Any] | None = None,
    image: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    verify: bool = True,
    handle_invalid: str = "error",
    batch_size: int | None = None,
    precision: str | None = None,
    seed: int | None = None,
    spark: SparkSession | None = None,
) -> Model:
    """Register a model of images as a SQL function.

    Input: image structs, or image files (JPEG, PNG, BMP, GIF) as bytes or by path. Images are
    decoded, resized to the model's input, or left at their own size where the model takes any, and
    given to it as RGB, 0..255, unless `preprocessing` or `preprocessor` says otherwise.

    Output: ``array<float>``, the model's output flattened row-major; a struct of several.

    Parameters
    ----------
    udf_name : str
        Its name in SQL; one that is registered already is replaced.
    keras_model_or_file_path : object
        A Keras model with one input [batch, height, width, channels], or the path of one (.keras,
        .h5); a bundle; or whatever else `save_bundle` takes.
    preprocessor : callable, optional
        A function from the path of an image file to a numpy array [height, width, channels],
        which is given to the model as it is. It runs in Spark's Python workers, once per row, on
        a temporary file: a PNG of an image struct, or the bytes as they are; a path is passed on.
        It needs Pillow there for structs.
    preprocessing : {"tf", "caffe", "torch"} or callable, optional
        As in `save_bundle`: what is done with the pixels inside the graph. Faster than a
        `preprocessor`, as no Python runs.
    image : dict, optional
        As in `save_bundle`: height, width and channelOrder.
    constants : dict, optional
        Values of placeholders and inputs that are no images, by name, such as
        ``{"keep_prob": 1.0}``.
    custom_objects : dict, optional
        Passed to Keras when it loads a file.
    safe_mode : bool
        False lets Keras unpickle code (Lambda layers) from a file: only for files you trust.
    verify : bool
        Whether the bundle is compared with the model on made-up rows, see `save_bundle`.
    handle_invalid : str
        What becomes of an image that cannot be decoded, or that the preprocessor fails on:
        "error" (the default) fails the query, "keep" gives null. A null image gives null always.
    batch_size : int, optional
        Rows per run, instead of ``spark.sparkdl.batchSize``.
    precision : str, optional
        "float32" or "bfloat16", instead of ``spark.sparkdl.precision``.
    seed : int, optional
        As of `registerKerasUDF`.
    spark : SparkSession, optional
        Default: the active session.

    Returns
    -------
    Model
        What was registered.

    Raises
    ------
    InvalidModelException, ModelNotFoundException
        As `save_bundle`.
    SettingsException
        Arguments exclude each other, or do not fit the model.
    SchemaMismatchException
        The model has more than one input, or one that is no image.

    Examples
    --------
    >>> sparkdl.registerKerasImageUDF("scores", "flowers.keras")  # doctest: +SKIP
    >>> spark.sql("SELECT path, scores(content) FROM files")  # doctest: +SKIP
    """
    model = keras_model_or_file_path
    asked = preprocessing is not None or image is not None
    if asked and preprocessor is not None:
        raise SettingsException(
            "preprocessor= gives the model its input as it is, so preprocessing= and image= have "
            "no effect with it: leave them out, or do without the preprocessor."
        )
    if asked and is_bundle(model):
        raise SettingsException(
            f"{model} is a bundle, whose graph has its preprocessing in it already: leave out "
            "preprocessing= and image=, or make the bundle again with them."
        )
    as_it_is = preprocessor is not None or is_bundle(model)
    pixels = {} if as_it_is else {"image": _image(image), "preprocessing": preprocessing}
    loading = {"custom_objects": custom_objects, "safe_mode": safe_mode, "verify": verify}
    read = read_model(model, constants, **pixels, **loading).flattened()
    made = with_options(read, handle_invalid, batch_size, precision, seed)
    session = spark or active_session()
    if preprocessor is None:
        door(session).registerImageModel(made._jvm_model, session._jsparkSession, udf_name)
    else:
        # Imported here: pyspark.sql.functions takes a while.
        from sparkdl.udf._preprocessor import arrow_function

        keep = handle_invalid == "keep"
        made._register(udf_name, session, None, arrow_function(preprocessor, _input(made), keep))
    return made


def _image(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Say that images keep their own size, if the model takes any and the caller names none."""
    given = dict(given or {})
    return given if given.keys() & {"height", "width"} else {"height": None, "width": None, **given}


def _input(model: Model) -> TensorSpec:
    specs = model.inputs
    if len(specs) != 1 or specs[0].shape is None or len(specs[0].shape) != 4:
        raise SchemaMismatchException(
            "A function of images needs a model with one input [batch, height, width, channels]; "
            f"{model.name!r} has {'; '.join(map(str, specs))}. registerKerasUDF takes tensors."
        )
    return specs[0]
