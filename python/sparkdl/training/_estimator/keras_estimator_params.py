"""The settings of `KerasEstimator`: its params, and how Keras loads the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparkdl.param.predictions import PredictionParams
from sparkdl.training._estimator.column_params import TrainingColumns
from sparkdl.training._estimator.record_params import RecordParams
from sparkdl.training._estimator.training_params import TrainingParams


class KerasEstimatorParams(TrainingColumns, PredictionParams, TrainingParams, RecordParams):
    """What to train, on which columns, how, and what is kept of it."""

    # Code, and the consent to run it: not params, which are saved.
    custom_objects: Mapping[str, Any] | None = None
    safe_mode: bool = True
