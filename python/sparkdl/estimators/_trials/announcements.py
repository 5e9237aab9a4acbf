"""What the user is told about trials, before they begin and when they have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sparkdl._models.keras_arguments import LossLike, OptimizerLike
from sparkdl._placement.placement import TRAINING
from sparkdl._processes.console import show
from sparkdl.errors import ModelExecutionException
from sparkdl.errors.user_warnings import warn
from sparkdl.estimators._trials.image_layout import TrainingImages
from sparkdl.estimators._trials.trial_task import TrialOutcome

if TYPE_CHECKING:
    from sparkdl.estimators._trials.trial_params import TrialParams


def warn_of_rejected(images: TrainingImages) -> None:
    """Warn of rows that are left out."""
    if images.rejected:
        more = "; ..." if images.rejected > len(images.reasons) else ""
        warn(f"{images.rejected} rows are not trained on: {'; '.join(images.reasons)}{more}")


def announce(estimators: Sequence[TrialParams], images: TrainingImages) -> dict[int, str]:
    """Print what is going to be trained; return the names of the trials that are not silent."""
    names = {
        i: f"trial {i + 1}/{len(estimators)}"
        for i, e in enumerate(estimators)
        if e.getKerasFitParams().get("verbose", 1) != 0
    }
    if names:
        layout = images.layout
        height, width, channels = layout.shapes[0]
        rows, dtype = layout.rows[TRAINING], layout.fields.inputs[0].dtype
        show(f"training on {rows} images of {height} x {width} x {channels} ({dtype})")
    for i, name in names.items():
        show(f"{name}: {_settings(estimators[i])}")
    return names


def _settings(estimator: TrialParams) -> str:
    """Return how a model is trained, in a line."""
    optimizer, loss = estimator.getKerasOptimizer(), estimator.getKerasLoss()
    fit_params = {k: v for k, v in estimator.getKerasFitParams().items() if k != "verbose"}
    parts = [_name(optimizer), _name(loss), *(f"{k}={v}" for k, v in fit_params.items())]
    return ", ".join(parts)


def _name(value: OptimizerLike | LossLike) -> str:
    """Return what an optimizer or a loss is called, with the learning rate of a configuration."""
    if isinstance(value, Mapping):
        rate = value.get("config", {}).get("learning_rate")
        return f"{value.get('class_name')}" + (f"({rate:.4g})" if isinstance(rate, float) else "")
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


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
