"""Params that several stages share, their converters, and mixins for custom stages."""

from __future__ import annotations

from sparkdl.param.declaration import declare_param
from sparkdl.param.image_stage import ImageStageParams
from sparkdl.param.keyword import keyword_only, setter_like
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
    "declare_param",
    "keyword_only",
    "setter_like",
]
