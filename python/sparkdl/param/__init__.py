"""Params that several stages share, their converters, and mixins for stages of one's own."""

from __future__ import annotations

from sparkdl.param.image_stage import ImageStageParams
from sparkdl.param.keyword import keyword_only
from sparkdl.param.model_stage import ModelStageParams
from sparkdl.param.shared_params import (
    CanLoadImage,
    HasInputCol,
    HasInputMapping,
    HasKerasLoss,
    HasKerasModel,
    HasKerasOptimizer,
    HasLabelCol,
    HasOutputCol,
    HasOutputMapping,
    HasOutputMode,
    HasTFInputGraph,
)
from sparkdl.param.sparkdl_converters import OUTPUT_MODES, SparkDLTypeConverters

__all__ = [
    "OUTPUT_MODES",
    "CanLoadImage",
    "HasInputCol",
    "HasInputMapping",
    "HasKerasLoss",
    "HasKerasModel",
    "HasKerasOptimizer",
    "HasLabelCol",
    "HasOutputCol",
    "HasOutputMapping",
    "HasOutputMode",
    "HasTFInputGraph",
    "ImageStageParams",
    "ModelStageParams",
    "SparkDLTypeConverters",
    "keyword_only",
]
