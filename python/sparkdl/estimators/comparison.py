"""`sparkdl.compare_models`: which of the named networks is best for your images."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._models.live_keras import LiveModel
from sparkdl._places.places import local_copy
from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException
from sparkdl.errors.user_warnings import warn
from sparkdl.estimators.comparison_table import Comparison, Result
from sparkdl.networks.named_models import named_model, named_models

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from typing_extensions import Unpack

    from sparkdl.estimators._classifier.compared_params import ComparedParams
    from sparkdl.estimators.image_classifier_estimator import ImageClassifierEstimator
    from sparkdl.transformers import ImageClassifierModel

_MEGABYTE = 1e6

Networks = Sequence[str] | Mapping[str, LiveModel | str | Path]


def compare_models(
    df: DataFrame,
    models: Networks,
    weights: str | Path | Mapping[str, str | Path] = "imagenet",
    **params: Unpack[ComparedParams],
) -> Comparison:
    """Fit a classifier on each of several networks, with the same rows held out.

    Parameters
    ----------
    df : DataFrame
        Images and labels.
    models : list of str, or dict
        Names of `sparkdl.models()`; or a dict from titles of your own to such names, to networks of
        Keras and to files of Keras: ``{"ResNet50": "ResNet50", "my net": network}``.
    weights : str, Path or dict
        As of `ImageClassifierEstimator`; a dict has those of some networks by their names, the
        others get "imagenet".
    **params
        Of `ImageClassifierEstimator`, for all of them; at least inputCol and labelCol. inputSize is
        for the named networks, and may be a dict like weights; preprocessing is for the others.

    Returns
    -------
    Comparison
        Prints as a table; `plot()` is the picture; `models` are the fitted models and `best` is
        the best of them.

    Raises
    ------
    SettingsException
        No model is named, one is named twice, or params has what `models` says.
    TypeError
        `models` has something that is no name; networks need titles, in a dict.
    ModelNotFoundException, InvalidModelException
        None of the networks is available. If only some are not, they are left out of the
        comparison with a warning.
    SparkDLException
        As `ImageClassifierEstimator.fit`.

    Examples
    --------
    >>> comparison = sparkdl.compare_models(
    ...     images, ["VGG16", "ResNet50"], inputCol="image", labelCol="flower"
    ... )  # doctest: +SKIP
    >>> print(comparison)  # doctest: +SKIP
    >>> comparison.best.write().save("/models/flowers")  # doctest: +SKIP
    """
    estimators = _estimators(models, weights, {**params})
    fitted: dict[str, ImageClassifierModel] = {}
    results = []
    for name, estimator in estimators.items():
        try:
            fitted[name], result = _measure(df, name, estimator)
            results.append(result)
        except (ModelNotFoundException, InvalidModelException) as e:
            if not fitted and name == [*estimators][-1]:
                raise
            warn(f"{name} is left out of the comparison: {e}")
    return Comparison(results, fitted)


def _estimators(
    models: Networks,
    weights: str | Path | Mapping[str, str | Path],
    params: dict[str, Any],
) -> dict[str, ImageClassifierEstimator]:
    """Return an estimator per network, so that wrong names and params show before any is fitted."""
    networks = _titled(models)
    wrong = sorted(params.keys() & {"baseModel", "model", "modelFile"})
    if wrong:
        raise SettingsException(f"compare_models sets {', '.join(wrong)} itself; give `models`.")
    some = dict(weights) if isinstance(weights, Mapping) else dict.fromkeys(networks, weights)
    if unknown := sorted(some.keys() - networks.keys()):
        raise SettingsException(
            f"weights names {', '.join(unknown)}, which is not compared; models has "
            f"{', '.join(networks)}."
        )
    if without := [title for title, value in some.items() if value is None]:
        raise SettingsException(
            f"weights has None for {', '.join(without)}. Features of random weights say nothing; "
            "leave it out for ImageNet's weights, or give a file, such as one that you saved from "
            "keras.applications with weights=None."
        )
    return {
        title: _estimator(network, some.get(title, "imagenet"), _sized(params, title))
        for title, network in networks.items()
    }


def _sized(params: dict[str, Any], title: str) -> dict[str, Any]:
    """Return the params of one network, which may have an input of its own size."""
    size = params.get("inputSize")
    return {**params, "inputSize": size.get(title) if isinstance(size, Mapping) else size}


def _titled(models: Networks) -> dict[str, LiveModel | str | Path]:
    """Return the networks by their titles; those of named ones are their names."""
    if isinstance(models, Mapping):
        networks = dict(models)
    else:
        several = isinstance(models, Iterable) and not isinstance(models, str)
        names: list[Any] = list(models) if several else [models]
        for name in names:
            _check_name(name)
        networks = {} if len({*names}) < len(names) else {name: name for name in names}
    if not networks:
        raise SettingsException(f"Expected names of different networks, got {models}.")
    return networks


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(
            f"compare_models takes a list of names of sparkdl.models(), got {type(name).__name__}. "
            'Give your own networks titles, in a dict: compare_models(df, {"my net": network}, '
            "...)."
        )


def _estimator(
    network: LiveModel | str | Path, weights: str | Path, params: dict[str, Any]
) -> ImageClassifierEstimator:
    from sparkdl.estimators.image_classifier_estimator import ImageClassifierEstimator

    if isinstance(network, str) and network in {m.name for m in named_models()}:
        return ImageClassifierEstimator(baseModel=network, weights=weights, **params)
    own = {name: value for name, value in params.items() if name != "inputSize"}
    if isinstance(network, str | Path):
        file = local_copy(network)
        if file is None or not file.exists():
            named_model(str(network))  # says which names there are
        return ImageClassifierEstimator(modelFile=network, **own)
    return ImageClassifierEstimator(model=network, **own)


def _measure(
    df: DataFrame, name: str, estimator: ImageClassifierEstimator
) -> tuple[ImageClassifierModel, Result]:
    start = time.monotonic()
    model = estimator.fit(df)
    seconds = time.monotonic() - start
    accuracy, loss = _reached(model, estimator.getEarlyStoppingPatience() > 0)
    return model, Result(
        model=name,
        accuracy=accuracy,
        loss=loss,
        seconds=seconds,
        megabytes=(Path(model.getModelFile()) / "graph.pb").stat().st_size / _MEGABYTE,
        imagesPerSecond=_speed(model, df),
    )


def _reached(model: ImageClassifierModel, best: bool) -> tuple[float, float]:
    """Return accuracy and loss of the epoch whose weights the model has: the best, or the last."""
    first = model._parts().get("head", 0)  # the head's best epoch is not the network's
    history = {name: values[first:] for name, values in model.history.items()}
    prefix = "val_" if "val_loss" in history else ""
    losses = history[f"{prefix}loss"]
    last = len(losses) - 1
    epoch = min(range(last + 1), key=losses.__getitem__) if best and prefix else last
    return history[f"{prefix}accuracy"][epoch], losses[epoch]


def _speed(model: ImageClassifierModel, df: DataFrame) -> float:
    count = df.count()
    model.transform(df).limit(1).collect()  # loads the model
    start = time.monotonic()
    model.transform(df).write.format("noop").mode("overwrite").save()
    return count / (time.monotonic() - start)
