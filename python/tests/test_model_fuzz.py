"""Random models of Keras 3 and tf_keras, by every way into Spark, against Keras on the same rows.

SPARKDL_FUZZ_CASES and SPARKDL_FUZZ_SEED say how many and which; see CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_building import build
from model_cases import Case, make_case, smaller_cases
from model_generator import make_rows
from model_jobs import Job, Prepared, prepared, said
from model_shrinking import smaller_specs
from model_spec import Input, Node, Spec
from model_truth import Drawn, expected, first_difference
from shrinking import shrink

from sparkdl._bundles.graph import weights

CASES = int(os.environ.get("SPARKDL_FUZZ_CASES", "200"))
SEED = int(os.environ.get("SPARKDL_FUZZ_SEED", "0"))
TOGETHER = 16  # cases that one job applies


@pytest.fixture(autouse=True)
def large_weights_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let models have weights beside their graph and in it; theirs are all small."""
    monkeypatch.setattr(weights, "LARGE_BYTES", 64)


@pytest.fixture
def plain_spark(spark: Any) -> Iterator[Any]:
    """The session, without generated code: to compile it takes longer than to run models."""
    cheap = {"spark.sql.codegen.factoryMode": "NO_CODEGEN", "spark.sql.codegen.wholeStage": "false"}
    for key, value in cheap.items():
        spark.conf.set(key, value)
    yield spark
    for key in cheap:
        spark.conf.unset(key)


def fault(case: Case, spark: Any) -> str | None:
    """Return what is wrong with a case, None if nothing is, or if Keras does not take it."""
    with tempfile.TemporaryDirectory() as folder:
        ready = prepared(case, Path(folder))
        if not isinstance(ready, Prepared):
            return ready
        job = Job([ready], spark)
        return next((why for _, why in _suspects(job, _submitted(job))), None)


def suspects(cases: Iterable[Case], spark: Any) -> Iterator[tuple[Case, str]]:
    """Give the cases that something is wrong with when many are applied in one job, and what.

    While Spark runs the jobs of some, the next are prepared.
    """
    running: list[tuple[Job, Future[Any]]] = []
    with ThreadPoolExecutor(1) as pool, tempfile.TemporaryDirectory() as folder:
        for found in _grouped(_prepared_in(Path(folder), cases)):
            if isinstance(found, tuple):
                yield found
                continue
            job = Job(found, spark)
            running.append((job, pool.submit(job.run)))
            while running[0][1].done() and len(running) > 1:
                yield from _suspects(*running.pop(0))
        for job, done in running:
            yield from _suspects(job, done)


def _prepared_in(folder: Path, cases: Iterable[Case]) -> Iterator[Prepared | tuple[Case, str]]:
    """Give the cases that are ready for Spark, and those that are wrong already."""
    taken = left = 0
    for case in cases:
        place = folder / str(case.spec.seed)
        place.mkdir()
        found = prepared(case, place)
        if found is None:
            left += 1
            continue
        taken += 1
        yield (case, found) if isinstance(found, str) else found
    assert taken > left, f"Keras and sparkdl should take most models, not {taken} and leave {left}"


def _grouped(
    found: Iterable[Prepared | tuple[Case, str]],
) -> Iterator[list[Prepared] | tuple[Case, str]]:
    """Give lists of cases with equally many rows, and what is wrong already as it comes."""
    groups: dict[int, list[Prepared]] = defaultdict(list)
    for one in found:
        if isinstance(one, tuple):
            yield one
            continue
        groups[len(one.rows)].append(one)
        if len(groups[len(one.rows)]) == TOGETHER:
            yield groups.pop(len(one.rows))
    yield from groups.values()


def _submitted(job: Job) -> Future[Any]:
    done: Future[Any] = Future()
    try:
        done.set_result(job.run())
    except Exception as e:
        done.set_exception(e)
    return done


def _suspects(job: Job, future: Future[Any]) -> Iterator[tuple[Case, str]]:
    """Give the cases of a job whose numbers are wrong; all of them, if the job has failed."""
    try:
        got = future.result()
    except Exception as e:
        yield from ((one.case, said(e)) for one in job.cases)
        return
    for number, one in enumerate(job.cases):
        if number in job.refused:
            why = job.refused[number]
        else:
            why = first_difference(one.case, one.expected, got[number])
        if why is not None:
            yield one.case, why


def check(case: Case, spark: Any, others: str) -> None:
    """Fail with the smallest case that still does, if this one does by itself."""
    if fault(case, spark) is None:
        return
    least = shrink(case, smaller_cases, lambda c: fault(c, spark) is not None, most=60)
    pytest.fail(
        f"make_case({case.spec.seed}) fails; the smallest model that does: {least}: "
        f"{fault(least, spark)}. Of all: {others}"
    )


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")  # inputs without names
def test_models_give_in_spark_what_they_give_in_keras(plain_spark: Any) -> None:
    cases = (make_case(SEED * 1_000_000 + number) for number in range(CASES))
    found = list(suspects(cases, plain_spark))
    wrong = "; ".join(f"make_case({case.spec.seed}): {why}" for case, why in found)
    for case, _ in found:
        check(case, plain_spark, wrong)
    assert not found, f"wrong beside others only: {wrong}"


def test_a_model_that_fails_is_made_as_small_as_it_can_be() -> None:
    layers = [
        ("Dense", {"units": 3}),
        ("Rescaling", {"scale": 2.0}),
        ("Conv1D", {"filters": 2, "kernel_size": 2}),
        ("Flatten", {}),
    ]
    nodes = tuple(Node(layer, ((i + 1, 0),)) for i, layer in enumerate(layers))
    ends = (("a", ("leaf", (5, 0))), ("b", ("leaf", (2, 0))), ("c", ("leaf", (0, 0))))
    inputs = (Input("other", "int32", (2,)), Input("x", "float32", (5, 3)))
    spec = Spec(0, inputs, nodes, ("dict", ends), takes="dict", style="nested")

    def fails(candidate: Spec) -> bool:
        try:
            build(candidate)
        except Exception:
            return False
        return any(n.layer[0] == "Rescaling" for n in candidate.nodes)

    least = shrink(spec, smaller_specs, fails)
    assert [n.layer[0] for n in least.nodes] == ["Rescaling"], least
    assert (len(least.inputs), least.style, least.outputs) == (1, "functional", ("leaf", (1, 0)))


def test_what_a_layer_in_training_gives_is_compared_where_keras_does_not_draw() -> None:
    """Keras 3 has layers follow the model, which is in inference; tf_keras has not."""
    layers = (
        Node(("training:GaussianNoise", {"stddev": 0.5}), ((0, 0),)),
        Node(("Dense", {"units": 4}), ((2, 0),)),
        Node(("training:GaussianNoise", {"stddev": 0.5}), ((1, 0),), same_as=2),
    )
    inputs = (Input("x", "float32", (4,)), Input("text", "string", (3,)))
    outputs = ("list", (("leaf", (3, 0)), ("leaf", (4, 0))))
    spec = Spec(0, inputs, layers, outputs, batch=2)
    (numbers, text), _ = expected(spec, build(spec), make_rows(spec, 2))
    assert numbers.shape == (4,)
    assert text.shape == (3,)
    in_keras_2 = replace(spec, library="tf_keras", nodes=layers[:2], outputs=("leaf", (3, 0)))
    (drawn,), _ = expected(in_keras_2, build(in_keras_2), make_rows(spec, 2))
    assert isinstance(drawn, Drawn)
    assert drawn.all_differ


def test_an_output_without_any_number_is_compared_by_its_first_dimensions() -> None:
    case = Case(Spec(0, (), (), ("list", ())), 1, False, False, "live", "column")
    wanted = [[np.zeros((3, 1, 0, 4))]]
    assert first_difference(case, wanted, {0: [[[[]], [[]], [[]]]]}) is None
    assert first_difference(case, wanted, {0: [[[[]], [[]]]]}) is not None
