"""`sparkdl.compare_models`: which of the named networks is best for your images."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl.errors import InvalidModelException, ModelNotFoundException, SettingsException
from sparkdl.errors.user_warnings import warn
from sparkdl.estimators.comparison_table import Comparison, Result

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from sparkdl.estimators.image_classifier_estimator import ImageClassifierEstimator
    from sparkdl.transformers import ImageClassifierModel

_MEGABYTE = 1e6


def compare_models(
    df: DataFrame,
    models: Sequence[str],
    weights: str | Path | Mapping[str, str | Path] = "imagenet",
    **params: Any,
) -> Comparison:
    """Fit a classifier on each of several named networks, with the same rows held out.

    Parameters
    ----------
    df : DataFrame
        Images and labels.
    models : list of str
        Names of `sparkdl.models()`.
    weights : str, Path or dict
        As of `ImageClassifierEstimator`; a dict has those of some networks by their names, the
        others get "imagenet".
    **params
        Of `ImageClassifierEstimator`, for all of them; at least inputCol and labelCol.

    Returns
    -------
    Comparison
        Prints as a table; `plot()` is the picture; `models` are the fitted models and `best` is
        the best of them.

    Raises
    ------
    SettingsException
        No model is named, one is named twice, or params has what `models` says.
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
    estimators = _estimators(models, weights, params)
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
    models: Sequence[str],
    weights: str | Path | Mapping[str, str | Path],
    params: dict[str, Any],
) -> dict[str, ImageClassifierEstimator]:
    """Return an estimator per network, so that wrong names and params show before any is fitted."""
    from sparkdl.estimators.image_classifier_estimator import ImageClassifierEstimator

    names = list(models)
    if not names or len({*names}) != len(names):
        raise SettingsException(f"Expected names of different networks, got {names}.")
    wrong = sorted(params.keys() & {"baseModel", "model", "modelFile"})
    if wrong:
        raise SettingsException(f"compare_models sets {', '.join(wrong)} itself; give `models`.")
    some = dict(weights) if isinstance(weights, Mapping) else dict.fromkeys(names, weights)
    if unknown := sorted(some.keys() - {*names}):
        raise SettingsException(
            f"weights names {', '.join(unknown)}, which is not compared; models has "
            f"{', '.join(names)}."
        )
    return {
        n: ImageClassifierEstimator(baseModel=n, weights=some.get(n, "imagenet"), **params)
        for n in names
    }


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
