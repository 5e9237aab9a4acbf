"""Params that several stages share, and their converters."""

from __future__ import annotations

from sparkdl.param.image_stage import ImageStageParams
from sparkdl.param.model_stage import ModelStageParams

__all__ = ["ImageStageParams", "ModelStageParams"]
