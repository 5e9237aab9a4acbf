"""Runs a bundle once on made-up rows, before it is written, and compares it with its model."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl._bundles.description.manifest import TensorSpec
from sparkdl._bundles.graph.difference import Tolerance, difference, tolerance_of
from sparkdl._bundles.graph.graph import Array
from sparkdl._bundles.graph.made_up import made_up
from sparkdl._bundles.graph.original import GraphRun, Original
from sparkdl._bundles.graph.randomness import random_outputs
from sparkdl.errors import InvalidModelException

_log = logging.getLogger(__name__)
_ROWS = (3, 1)
_REASONS = (
    "Likely reasons: the model computes something outside of TensorFlow (in NumPy, say), which "
    "became a constant; it keeps state between calls; numbers that nearly tie decide what it "
    "gives, so that rounding matters; or sparkdl converts it wrongly, which is worth a report. "
    "verify=False (--no-verify in the shell) makes the bundle all the same."
)


@dataclass(frozen=True)
class Converted:
    """A bundle in the making: how to run it, and its ends.

    Attributes
    ----------
    name : str
        What messages call the model.
    run : GraphRun
    inputs, outputs : sequence of TensorSpec
    """

    name: str
    run: GraphRun
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]


def verify(converted: Converted, original: Original | None) -> None:
    """Raise if a bundle gives other numbers than the model that it was made from.

    Several rows are tried, and a single one. Rows that the model itself refuses are exchanged for
    gentler ones; when it refuses these, too, there is nothing to compare, and the log says so.

    Parameters
    ----------
    converted : Converted
    original : callable or None
        The model. None where there is nothing but the graph that is to be written.

    Raises
    ------
    InvalidModelException
        An output differs, or the bundle fails where the model does not.
    """
    if original is None:
        return
    allowed = _allowed(converted)
    try:
        for rows in _counts(converted.inputs):
            _verify(converted, original, rows, allowed)
    finally:
        for run in (converted.run, original):
            if isinstance(run, GraphRun):
                run.close()


def _allowed(converted: Converted) -> dict[str, Tolerance | None]:
    """Return how far each output may be off; None where it is drawn, so that its shape counts."""
    graph_def = converted.run.graph_def
    tolerance = tolerance_of(graph_def)
    random = random_outputs(graph_def, {o.name: o.tensor for o in converted.outputs})
    return {o.name: None if o.name in random else tolerance for o in converted.outputs}


def _counts(inputs: Sequence[TensorSpec]) -> tuple[int, ...]:
    fixed = [s.shape[0] for s in inputs if s.shape and s.shape[0] > 0]
    return tuple(fixed[:1]) or _ROWS


def _verify(
    converted: Converted,
    original: Original,
    rows: int,
    allowed: Mapping[str, Tolerance | None],
) -> None:
    faults: list[str] = []
    refusal: Exception | None = None
    for fed in made_up(converted.inputs, rows):
        try:
            expected = original(fed)
        except Exception as e:  # whatever a model may raise on rows that do not suit it
            refusal = e
            continue
        fault = _fault(converted.run, fed, expected, allowed)
        if fault is None:
            return
        faults.append(fault)
        if len(faults) > 1:  # once may be a tie that rounding decides
            break
    if faults:
        raise InvalidModelException(
            f"The bundle of '{converted.name}' does not give what the model gives, on {rows} "
            f"made-up row{'s' * (rows > 1)}: {faults[0]}. {_REASONS}"
        )
    _log.warning(
        "The bundle of '%s' could not be compared with the model, which refuses made-up rows (%s).",
        converted.name,
        str(refusal).split("\n")[0],
    )


def _fault(
    run: GraphRun,
    fed: Mapping[str, Array],
    expected: Mapping[str, Array],
    allowed: Mapping[str, Tolerance | None],
) -> str | None:
    try:
        got = run(fed)
    except Exception as e:  # TensorFlow raises many kinds
        return f"the model takes them, the bundle fails: {' '.join(str(e).split())[:300]}"
    for name, tolerance in allowed.items():
        found = _compare(expected[name], got[name], tolerance)
        if found is not None:
            return f"output '{name}' {found}"
    return None


def _compare(expected: Any, got: Any, allowed: Tolerance | None) -> str | None:
    want, have = np.asarray(expected), np.asarray(got)
    if want.shape != have.shape or (want.dtype != have.dtype and have.dtype != object):
        return (
            f"is {have.dtype} {list(have.shape)}; expected {want.dtype} {list(want.shape)}, as "
            "the model gives it"
        )
    return None if allowed is None else difference(want, have, allowed)
