"""`registerKerasUDF`: a model of tensors as a SQL function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sparkdl._bundles.bundle_store import is_bundle, stored_bundle
from sparkdl.udf.model import Model, load_model

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sparkdl._bundles.description.input_specs import UserEnds


def registerKerasUDF(
    udf_name: str,
    keras_model_or_file_path: object,
    *,
    inputs: UserEnds | None = None,
    outputs: UserEnds | None = None,
    constants: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    verify: bool = True,
    handle_invalid: str = "error",
    batch_size: int | None = None,
    precision: str | None = None,
    seed: int | None = None,
    fields: Mapping[str, str] | None = None,
    spark: SparkSession | None = None,
) -> Model:
    """Register a model of tensors as a SQL function.

    It takes a column per input, in the order of the model's inputs, or one struct whose fields
    have the names of the inputs. It returns the output, or a struct of several; outputs of higher
    rank are nested arrays. It is batched, and the model runs once per row even where a query names
    the function several times. A null argument gives null.

    Parameters
    ----------
    udf_name : str
        Its name in SQL; a function of this name is replaced.
    keras_model_or_file_path : object
        A Keras model or the path of one (.keras, .h5), a bundle, or anything else that
        `save_bundle` takes.
    inputs, outputs : optional
        As in `save_bundle`: other names, or the types of a function's tensors.
    constants : dict, optional
        Values of placeholders and inputs that no column feeds, by name, such as
        ``{"keep_prob": 1.0}``.
    custom_objects : dict, optional
        Passed to Keras when it loads a file.
    safe_mode : bool
        False lets Keras unpickle code (Lambda layers) from a file: only for files you trust.
    verify : bool
        Whether the bundle is compared with the model on made-up rows; see `save_bundle`.
    handle_invalid : str
        What becomes of a row that cannot be fed: "error" (the default) fails the query, "keep"
        gives null.
    batch_size : int, optional
        Rows per run, instead of ``spark.sparkdl.batchSize``.
    precision : str, optional
        "float32" or "bfloat16", instead of ``spark.sparkdl.precision``.
    seed : int, optional
        Makes the random numbers that a model draws repeatable; see `Model.with_seed`. Arguments
        after the inputs, ``f(x, id)``, then tell rows with equal inputs apart.
    fields : dict, optional
        From the name of an input to the name of its field, where they differ.
    spark : SparkSession, optional
        Default: the active session.

    Returns
    -------
    Model
        What was registered.

    Raises
    ------
    InvalidModelException, ModelNotFoundException, SettingsException
        As `save_bundle`.

    Examples
    --------
    >>> sparkdl.registerKerasUDF("price", "price.keras")  # doctest: +SKIP
    >>> spark.sql("SELECT id, price(measures)[0] FROM houses")  # doctest: +SKIP
    """
    loaded = read_model(
        keras_model_or_file_path,
        constants,
        inputs=inputs,
        outputs=outputs,
        custom_objects=custom_objects,
        safe_mode=safe_mode,
        verify=verify,
    )
    model = with_options(loaded, handle_invalid, batch_size, precision, seed)
    model.register(udf_name, spark, fields=fields)
    return model


def read_model(model: object, constants: Mapping[str, Any] | None, **options: Any) -> Model:
    """Return the model that a caller of the register functions names, with constants in it.

    The graph of a bundle is finished, so that its constants are put in when it is read.
    """
    if is_bundle(model):
        return load_model(stored_bundle(model, **options), constants=constants)
    return load_model(stored_bundle(model, constants=constants or None, **options))


def with_options(
    model: Model,
    handle_invalid: str,
    batch_size: int | None,
    precision: str | None,
    seed: int | None,
) -> Model:
    """Return the model with the options of a caller of the register functions."""
    model = model.with_handle_invalid(handle_invalid)
    if batch_size is not None:
        model = model.with_batch_size(batch_size)
    if seed is not None:
        model = model.with_seed(seed)
    return model if precision is None else model.with_precision(precision)
