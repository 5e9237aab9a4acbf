"""What the user is told about trials, before they begin and when they have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sparkdl._placement.placement import TRAINING
from sparkdl._processes.console import show
from sparkdl.errors import ModelExecutionException
from sparkdl.errors.user_warnings import warn
from sparkdl.estimators._trials.image_layout import TrainingImages
from sparkdl.estimators._trials.trial_task import TrialOutcome


def warn_of_rejected(found: TrainingImages) -> None:
    """Warn of rows that are left out."""
    if found.rejected:
        more = "; ..." if found.rejected > len(found.reasons) else ""
        warn(f"{found.rejected} rows are not trained on: {'; '.join(found.reasons)}{more}")


def announce(estimators: Sequence[Any], found: TrainingImages) -> dict[int, str]:
    """Say what is going to be trained; return the names of the trials that are not silent."""
    names = {
        i: f"trial {i + 1}/{len(estimators)}"
        for i, e in enumerate(estimators)
        if e.getKerasFitParams().get("verbose", 1) != 0
    }
    if names:
        layout = found.layout
        height, width, channels = layout.shapes[0]
        rows, dtype = layout.rows[TRAINING], layout.fields.inputs[0].dtype
        show(f"training on {rows} images of {height} x {width} x {channels} ({dtype})")
    for i, name in names.items():
        show(f"{name}: {_settings(estimators[i])}")
    return names


def _settings(estimator: Any) -> str:
    """Return how a model is trained, in a line."""
    optimizer, loss = estimator.getKerasOptimizer(), estimator.getKerasLoss()
    given = {k: v for k, v in estimator.getKerasFitParams().items() if k != "verbose"}
    parts = [_name(optimizer), _name(loss), *(f"{k}={v}" for k, v in given.items())]
    return ", ".join(parts)


def _name(made: Any) -> str:
    """Return what an optimizer or a loss is called, with what its configuration says of numbers."""
    if isinstance(made, Mapping):
        config = made.get("config", {})
        rate = config.get("learning_rate")
        return f"{made.get('class_name')}" + (f"({rate:.4g})" if isinstance(rate, float) else "")
    return made if isinstance(made, str) else getattr(made, "__name__", str(made))


def report(outcomes: Sequence[TrialOutcome]) -> None:
    """Warn of trials that failed; raise if all did."""
    failed = [o for o in outcomes if o.failure is not None]
    if len(failed) == len(outcomes):
        raise ModelExecutionException(
            f"No model was trained: all {len(outcomes)} trial(s) failed.\n{_reasons(outcomes)}"
        )
    if failed:
        warn(
            f"{len(failed)} of {len(outcomes)} trials failed; their models have learnt nothing and "
            f"predict zeros.\n{_reasons(outcomes)}"
        )


def _reasons(outcomes: Sequence[TrialOutcome]) -> str:
    """Return why trials failed, one per line."""
    failed = [o for o in outcomes if o.failure is not None]
    return "\n".join(f"- trial {o.trial + 1}: {o.failure}" for o in failed)
