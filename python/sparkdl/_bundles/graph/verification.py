"""Runs a bundle once on made-up rows, before it is written, and compares it with its model."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sparkdl._bundles.description.manifest import BundleEnd
from sparkdl._bundles.graph.difference import Tolerance, difference, tolerance_of
from sparkdl._bundles.graph.graph import Array
from sparkdl._bundles.graph.made_up import made_up
from sparkdl._bundles.graph.original import GraphRun, NoEndException, Original
from sparkdl._bundles.graph.randomness import random_outputs
from sparkdl._bundles.graph.windows import windows_fit
from sparkdl.errors import InvalidModelException

if TYPE_CHECKING:
    import numpy.typing as npt

_log = logging.getLogger(__name__)
_ROWS = (3, 1)
_REASONS = (
    "Likely reasons: the model computes something outside of TensorFlow (in NumPy, for example), "
    "which became a constant; it keeps state between calls; its result depends on numbers that "
    "nearly tie, so that rounding matters; or sparkdl converts it wrongly, which is worth a "
    "report. verify=False (--no-verify in the shell) writes the bundle anyway."
)
# By what TensorFlow says: what old versions of Keras get wrong in graphs.
_OF_OLD_KERAS = {
    "Only one input size may be -1": "Flatten of Keras before 3.11 fails so, in the model's own "
    "predict() too, where the layer before it does not tell the length of its rows, as "
    "TextVectorization does not. Install keras 3.11 or newer, or put Reshape((-1,)) in its place."
}


@dataclass(frozen=True)
class ConvertedModel:
    """A bundle in the making: how to run it, and its ends.

    Attributes
    ----------
    name : str
        What messages call the model.
    run : GraphRun
    inputs, outputs : sequence of BundleEnd
    """

    name: str
    run: GraphRun
    inputs: Sequence[BundleEnd]
    outputs: Sequence[BundleEnd]


def verify(converted: ConvertedModel, original: Original | None) -> None:
    """Raise if a bundle gives other numbers than the model that it was made from.

    It is tried on several rows and on a single one. Rows that the model itself refuses are replaced
    by gentler ones; if it refuses these, too, there is nothing to compare, and the log says so.

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
    allowed = _tolerances(converted)
    try:
        for rows in _counts(converted.inputs):
            _verify(converted, original, rows, allowed)
    finally:
        for run in (converted.run, original):
            if isinstance(run, GraphRun):
                run.close()


def _tolerances(converted: ConvertedModel) -> dict[str, Tolerance | None]:
    """Return how far each output may be off; None for random ones, whose shapes are compared."""
    graph_def = converted.run.graph_def
    tolerance = tolerance_of(graph_def)
    random = random_outputs(graph_def, {o.name: o.tensor for o in converted.outputs})
    return {o.name: None if o.name in random else tolerance for o in converted.outputs}


def _counts(inputs: Sequence[BundleEnd]) -> tuple[int, ...]:
    fixed = [s.shape[0] for s in inputs if s.shape and s.shape[0] > 0]
    return tuple(fixed[:1]) or _ROWS


def _verify(
    converted: ConvertedModel,
    original: Original,
    rows: int,
    allowed: Mapping[str, Tolerance | None],
) -> None:
    faults: list[str] = []
    refusal: Exception | None = None
    for fed in made_up(converted.inputs, rows):
        if not windows_fit(converted.run, fed):
            refusal = ValueError("a window of pooling is larger than they are")
            continue
        try:
            expected = original(fed)
        except NoEndException:
            raise
        except Exception as e:  # whatever a model may raise on rows that do not suit it
            refusal = e
            continue
        fault = _fault(converted.run, fed, expected, allowed)
        if fault is None:
            return
        faults.append(fault)
        if len(faults) > 1:  # a single one may be a tie that rounding decides
            break
    if faults:
        raise InvalidModelException(
            f"The bundle of '{converted.name}' does not give what the model gives, on {rows} "
            f"made-up row{'s' * (rows > 1)}: {faults[0]}. {_reasons(faults[0])}"
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
    except Exception as e:  # TensorFlow raises many classes
        return f"the model takes them, the bundle fails: {' '.join(str(e).split())[:300]}"
    for name, tolerance in allowed.items():
        text = _compare(expected[name], got[name], tolerance)
        if text is not None:
            return f"output '{name}' {text}"
    return None


def _reasons(fault: str) -> str:
    return next((why for said, why in _OF_OLD_KERAS.items() if said in fault), _REASONS)


def _compare(
    expected: npt.ArrayLike, actual: npt.ArrayLike, allowed: Tolerance | None
) -> str | None:
    wanted, have = np.asarray(expected), np.asarray(actual)
    if wanted.shape != have.shape or (wanted.dtype != have.dtype and have.dtype != object):
        return (
            f"is {have.dtype} {list(have.shape)}; expected {wanted.dtype} {list(wanted.shape)}, as "
            "the model gives it"
        )
    return None if allowed is None else difference(wanted, have, allowed)
