"""Stages for pipelines of Spark ML."""

from __future__ import annotations

from sparkdl.transformers.fitted_keras import KerasModel
from sparkdl.transformers.image_classifier import ImageClassifierModel
from sparkdl.transformers.keras_image import KerasImageFileTransformer
from sparkdl.transformers.keras_tensor import KerasTransformer
from sparkdl.transformers.named_image import DeepImageFeaturizer, DeepImagePredictor
from sparkdl.transformers.tf_image import TFImageTransformer
from sparkdl.transformers.tf_tensor import TFTransformer

__all__ = [
    "DeepImageFeaturizer",
    "DeepImagePredictor",
    "ImageClassifierModel",
    "KerasImageFileTransformer",
    "KerasModel",
    "KerasTransformer",
    "TFImageTransformer",
    "TFTransformer",
]
