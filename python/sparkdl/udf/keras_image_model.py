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

    Input: image structs, or image files (JPEG, PNG, BMP, GIF, WebP, TIFF) as bytes or by path.
    Images are decoded, resized to the model's input, or left at their own size where the model
    takes any, and passed to it as RGB, 0..255, unless `preprocessing` or `preprocessor` says
    otherwise.

    Output: ``array<float>``, the model's output flattened row-major; a struct if there are several.

    Parameters
    ----------
    udf_name : str
        Its name in SQL; a function of this name is replaced.
    keras_model_or_file_path : object
        A Keras model with one input [batch, height, width, channels], or the path of one (.keras,
        .h5); a bundle; or anything else that `save_bundle` takes.
    preprocessor : callable, optional
        A function from the path of an image file to a numpy array [height, width, channels],
        which is passed to the model as it is. It runs in Spark's Python workers, once per row, on
        a temporary file: a PNG of an image struct, or the bytes as they are; a path is passed on.
        It needs Pillow there for structs.
    preprocessing : {"tf", "caffe", "torch"} or callable, optional
        As in `save_bundle`: what is done with the pixels inside the graph. Faster than a
        `preprocessor`, as no Python runs.
    image : dict, optional
        As in `save_bundle`: height, width and channelOrder.
    handle_invalid : str
        What becomes of an image that cannot be decoded, or on which the preprocessor fails:
        "error" (the default) fails the query, "keep" gives null. A null image always gives null.
    constants, custom_objects, safe_mode, verify, batch_size, precision, seed, spark : optional
        As in `registerKerasUDF`.

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
        The model has more than one input, or one that is not an image.

    Examples
    --------
    >>> sparkdl.registerKerasImageUDF("scores", "flowers.keras")  # doctest: +SKIP
    >>> spark.sql("SELECT path, scores(content) FROM files")  # doctest: +SKIP
    """
    model = keras_model_or_file_path
    changes_pixels = preprocessing is not None or image is not None
    if changes_pixels and preprocessor is not None:
        raise SettingsException(
            "preprocessor= makes the model's whole input, so preprocessing= and image= have no "
            "effect with it: leave them out, or do without the preprocessor."
        )
    if changes_pixels and is_bundle(model):
        raise SettingsException(
            f"{model} is a bundle, whose graph already has its preprocessing in it: leave out "
            "preprocessing= and image=, or make the bundle again with them."
        )
    unchanged = preprocessor is not None or is_bundle(model)
    pixels = {} if unchanged else {"image": _image(image), "preprocessing": preprocessing}
    options = {"custom_objects": custom_objects, "safe_mode": safe_mode, "verify": verify}
    loaded = read_model(model, constants, **pixels, **options).flattened()
    registered = with_options(loaded, handle_invalid, batch_size, precision, seed)
    session = spark or active_session()
    if preprocessor is None:
        door(session).registerImageModel(registered._jvm_model, session._jsparkSession, udf_name)
    else:
        # Imported here: pyspark.sql.functions takes a while.
        from sparkdl.udf._preprocessor import arrow_function

        keep = handle_invalid == "keep"
        registered._register(
            udf_name, session, None, arrow_function(preprocessor, _input(registered), keep)
        )
    return registered


def _image(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options of images, which by default keep their own size if the model takes any."""
    options = dict(options or {})
    return (
        options
        if options.keys() & {"height", "width"}
        else {"height": None, "width": None, **options}
    )


def _input(model: Model) -> TensorSpec:
    specs = model.inputs
    if len(specs) != 1 or specs[0].shape is None or len(specs[0].shape) != 4:
        raise SchemaMismatchException(
            "A function of images needs a model with one input [batch, height, width, channels]; "
            f"{model.name!r} has {'; '.join(map(str, specs))}. registerKerasUDF takes tensors."
        )
    return specs[0]
