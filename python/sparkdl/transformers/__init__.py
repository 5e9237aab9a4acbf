"""Stages for pipelines of Spark ML."""

from __future__ import annotations

from sparkdl.transformers.named_image import DeepImageFeaturizer, DeepImagePredictor

__all__ = ["DeepImageFeaturizer", "DeepImagePredictor"]
