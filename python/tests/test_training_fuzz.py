"""Trainings that a seed draws, by KerasEstimator's workers and by Keras' own fit.

SPARKDL_FUZZ_CASES trainings are compared (8), which SPARKDL_FUZZ_SEED draws (0). A failure prints
the smallest case that still fails.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from training_cases import (
    Case,
    drawn,
    for_keras,
    loss_weights_of,
    losses_of,
    metrics_of,
    model_of,
    optimizer_of,
    rows_of,
    structured,
)
from training_shrinking import smallest
from training_threads import SPLIT_SEED, spec_for, trained

from sparkdl._placement.validation import Fraction
from sparkdl.param import SparkDLTypeConverters
from sparkdl.training._estimator import training_converters

CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "8"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "0"))
RELATIVE, ABSOLUTE = 1e-4, 2e-5


@pytest.mark.parametrize("number", range(CASES))
def test_a_training_that_a_seed_draws_follows_keras(number: int) -> None:
    case = drawn(SEED, number)
    failure = difference(case)
    if failure is not None:
        least = smallest(case, lambda c: difference(c) is not None)
        pytest.fail(
            f"SPARKDL_FUZZ_SEED={SEED}, case {number}: {failure}\nThe smallest that fails: "
            f"{json.dumps(least)}: {difference(least)}"
        )


def difference(case: Case) -> str | None:
    """Return how the workers' training differs from Keras' own, None if it does not."""
    expected = by_keras(case)
    try:
        with tempfile.TemporaryDirectory() as folder:
            actual = by_workers(case, Path(folder))
    except Exception as e:
        return f"{type(e).__name__}: {e}"
    finally:
        keras.backend.clear_session()
    return compared(expected, actual)


def compared(expected: tuple[Any, Any], actual: tuple[Any, Any]) -> str | None:
    """Compare histories and weights."""
    if set(expected[0]) != set(actual[0]):
        return f"expected the history of {list(expected[0])}, got that of {list(actual[0])}"
    pairs = [(n, expected[0][n], actual[0][n]) for n in expected[0]]
    weights = zip(expected[1], actual[1], strict=True)
    pairs += [(f"weight {i}", *pair) for i, pair in enumerate(weights)]
    for name, right, value in pairs:
        same = np.shape(right) == np.shape(value)
        if not same or not np.allclose(value, right, RELATIVE, ABSOLUTE, equal_nan=True):
            return f"{name} is {np.array(right).tolist()} in Keras, {np.array(value).tolist()} here"
    return None


def by_keras(case: Case) -> tuple[dict[str, Any], list[Any]]:
    """Return history and weights of Keras' own training."""
    keras.backend.clear_session()  # which counts up the names of metrics
    model = model_of(case)
    model.compile(optimizer_of(case), losses_of(case), loss_weights_of(case), metrics_of(case))
    # Keras 3.15 would build it in its first step, and ScheduleFreeAdamW's momentum anew in each.
    model.optimizer.build(model.trainable_variables)
    inputs, labels, weights = rows_of(case)
    kinds = [o["kind"] for o in case["outputs"]]
    targets = [for_keras(k, y) for k, y in zip(kinds, labels, strict=True)]
    rows, held_out = np.arange(case["rows"]), np.zeros(0, int)
    if case["validation"]:
        held_out = Fraction(case["validation"], SPLIT_SEED).chosen(0, case["rows"])

    def part(places: Any) -> tuple[Any, ...]:
        x = structured(case["input structure"], "in", [a[places] for a in inputs])
        y = structured(case["output structure"], "out", [a[places] for a in targets])
        return (x, y) if weights is None else (x, y, weights[places])

    x, y, *weight = part(np.setdiff1d(rows, held_out))
    done = model.fit(
        x,
        y,
        sample_weight=weight[0] if weight else None,
        validation_data=part(held_out) if len(held_out) else None,
        batch_size=case["batch"],
        epochs=case["epochs"],
        shuffle=False,
        verbose=0,
    )
    return done.history, model.get_weights()


def by_workers(case: Case, folder: Path) -> tuple[dict[str, Any], list[Any]]:
    """Return history and weights of a training by workers that are threads."""
    keras.backend.clear_session()
    model = model_of(case)
    inputs, labels, weights = rows_of(case)
    inputs_of_model = [inputs[int(t.name.removeprefix("in_"))] for t in model.inputs]
    targets = [labels[int(n.removeprefix("out_"))] for n in model.output_names]
    factors = loss_weights_of(case)
    spec = spec_for(
        model,
        inputs_of_model,
        targets,
        folder,
        weights=weights,
        fraction=case["validation"],
        optimizer=SparkDLTypeConverters.toKerasOptimizer(optimizer_of(case)),
        loss=training_converters.losses(losses_of(case)),
        metrics=training_converters.metrics(metrics_of(case)),
        loss_weights=None if factors is None else training_converters.loss_weights(factors),
        batch=case["batch"],
        epochs=case["epochs"],
    )
    data = [a for a in (*inputs_of_model, *targets, weights) if a is not None]
    model, history = trained(spec, data, case["workers"], folder / "work")
    return history, model.get_weights()


@pytest.mark.parametrize("number", [0, 1])
def test_a_training_on_spark_follows_keras(number: int, spark: Any) -> None:
    import sparkdl

    case = {**drawn(SEED + 1, number), "input structure": "list", "output structure": "list"}
    case.update(workers=1 + number, validation=0)
    for output in case["outputs"]:  # processes of workers do not know a class of the tests
        output["metrics"] = [m for m in output["metrics"] if m[0] != "SeveralErrors"]
    expected = by_keras(case)
    keras.backend.clear_session()
    inputs, labels, weights = rows_of(case)
    columns = {f"x{i}": a for i, a in enumerate(inputs)}
    columns |= {f"y{i}": a for i, a in enumerate(labels)}
    if weights is not None:
        columns["w"] = weights
    rows = [tuple(a[i].tolist() for a in columns.values()) for i in range(case["rows"])]
    fitted = sparkdl.KerasEstimator(
        model=model_of(case),
        inputCols=[c for c in columns if c.startswith("x")],
        labelCols=[c for c in columns if c.startswith("y")],
        optimizer=optimizer_of(case),
        loss=losses_of(case),
        metrics=metrics_of(case),
        lossWeights=loss_weights_of(case),
        sampleWeightCol="w" if weights is not None else None,
        batchSize=case["batch"],
        epochs=case["epochs"],
        numWorkers=case["workers"],
        shuffle=False,
        verbose=0,
    ).fit(spark.createDataFrame(rows, list(columns)).coalesce(1))
    actual = fitted.history, fitted.keras_model().get_weights()
    assert compared(expected, actual) is None, json.dumps(case)


def test_the_momentum_of_a_schedule_free_optimizer_begins_at_the_weights_once() -> None:
    assert difference(schedule_free()) is None


def schedule_free() -> Case:
    """Return a training of several steps by `ScheduleFreeAdamW`."""
    case: Case = {
        **drawn(0, 0),
        "optimizer": "ScheduleFreeAdamW",
        "settings": {},
        "wrapper": "none",
        "workers": 1,
        "epochs": 3,
    }
    return case


def test_a_failing_case_is_made_small() -> None:
    outputs = [{"kind": "wide", "loss": ["mse"], "metrics": [["mae"], ["accuracy"]]}] * 2
    case = {**drawn(0, 0), "optimizer": "Nadam", "workers": 3, "outputs": outputs}

    def fails(case: Case) -> bool:
        return case["optimizer"] == "Nadam" and ["mae"] in case["outputs"][0]["metrics"]

    least = smallest(case, fails)
    assert least["outputs"] == [{"kind": "wide", "loss": ["mse"], "metrics": [["mae"]]}]
    assert (least["optimizer"], least["settings"], least["workers"]) == ("Nadam", {}, 1)
    assert least["rows"] == least["batch"]
