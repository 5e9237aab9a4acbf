"""Cases of the random models: a model, its rows and its way through Spark, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from model_generator import make_rows, make_spec
from model_shrinking import smaller_specs
from model_spec import Spec
from model_ways import WAYS_IN, WAYS_OUT


@dataclass(frozen=True)
class Case:
    """A model, how many rows it gets, and the way that it takes."""

    spec: Spec
    rows: int
    nulls: bool
    extremes: bool  # whether the first row has zeros, infinities and NaN
    way_in: str
    way_out: str
    verify: bool = True

    def keeps_state(self) -> bool:
        """Say whether a state is taken as it is, as any variable of a function: not from Keras."""
        return self.spec.is_stateful() and self.way_in in ("function", "SavedModel")

    def is_another_model(self) -> bool:
        """Say whether what TensorFlow traces of the model gives other numbers than Keras.

        What a bundle is made of is compared with the model, but not that closely in 16 bits.
        """
        traced = self.way_in in ("function", "SavedModel", "frozen graph")
        unchecked = traced or self.spec.policy.startswith("mixed")
        return (
            self.spec.crops_images_of_unknown_sizes()
            or (unchecked and self.spec.has_time_distributed_layers_over_unknown_sizes())
            or (
                self.way_in == "SavedModel"
                and self.spec.has_layers_that_export_runs_as_in_training()
            )
        )

    def values(self) -> list[dict[int, Any]]:
        """Return the rows, all the same where random numbers make what they give differ."""
        rows = make_rows(self.spec, self.rows, self.extremes)
        return rows[:1] * len(rows) if self.spec.drawn() else rows


def make_case(seed: int) -> Case:
    """Return a random case; every fourth is of tf_keras."""
    spec = make_spec(seed, "tf_keras" if seed % 4 == 3 else "keras")
    rng = np.random.default_rng(seed)
    case = Case(
        spec,
        int(rng.choice([0, 1, 3, 5, 7], p=[0.04, 0.16, 0.3, 0.3, 0.2])),
        bool(rng.random() < 0.3),
        bool(rng.random() < 0.2) and not spec.drawn(),
        str(rng.choice(list(WAYS_IN))),
        str(rng.choice(list(WAYS_OUT))),
    )
    if case.way_in == "function" and rng.random() < 0.3:
        case = replace(case, spec=replace(spec, style="subclassed"))
    # A check of its own, which costs time; what Keras gets wrong itself it has to refuse.
    needed = spec.has_time_distributed_layers_over_unknown_sizes()
    return replace(case, verify=bool(rng.random() < 0.5) or needed)


def smaller_cases(case: Case) -> Iterator[Case]:
    """Give cases with fewer rows, on the shortest way, or with a smaller model."""
    yield from (replace(case, spec=spec) for spec in smaller_specs(case.spec))
    if case.nulls:
        yield replace(case, nulls=False)
    if case.extremes:
        yield replace(case, extremes=False)
    if case.rows > 1:
        yield replace(case, rows=1, extremes=False)
    if case.way_in != "live":
        yield replace(case, way_in="live")
    if case.way_out != "column":
        yield replace(case, way_out="column")
    if case.verify and not case.spec.has_time_distributed_layers_over_unknown_sizes():
        yield replace(case, verify=False)
