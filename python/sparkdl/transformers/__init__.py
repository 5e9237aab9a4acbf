"""Stages for pipelines of Spark ML."""

from __future__ import annotations

from sparkdl.transformers.keras_tensor import KerasTransformer
from sparkdl.transformers.named_image import DeepImageFeaturizer, DeepImagePredictor
from sparkdl.transformers.tf_tensor import TFTransformer

__all__ = [
    "DeepImageFeaturizer",
    "DeepImagePredictor",
    "KerasTransformer",
    "TFTransformer",
]
