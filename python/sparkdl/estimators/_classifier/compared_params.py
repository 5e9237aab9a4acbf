"""Keywords of `compare_models` that are params of the estimator, for type checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from sparkdl._models.keras_arguments import OptimizerLike


class ComparedParams(TypedDict, total=False):
    """All but the network and its weights."""

    inputCol: str | None
    labelCol: str | None
    inputSize: Sequence[int] | Mapping[str, Sequence[int]] | None
    preprocessing: str
    modelDir: str | Path | None
    headUnits: int
    unfreezeFrom: str | None
    optimizer: OptimizerLike
    learningRate: float | None
    fineTuneLearningRate: float
    epochs: int
    batchSize: int
    validationFraction: float
    validationCol: str | None
    earlyStoppingPatience: int
    augment: Sequence[str] | str | None
    augmentCopies: int
    callbacks: Sequence[Any] | None
    classWeight: str
    tensorBoardDir: str | Path | None
    checkpointDir: str | Path | None
    seed: int
    numWorkers: int | None
    verbose: int
    predictionCol: str
    probabilityCol: str
    predictedLabelCol: str
    scaleHint: str
    precision: str | None
    handleInvalid: str
    errorCol: str | None
    custom_objects: Mapping[str, Any] | None
    safe_mode: bool
