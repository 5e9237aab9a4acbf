"""Where pyspark looks for a Scala stage `org.sparkdl.ml.X` when it loads a pipeline.

pyspark turns the Scala class of a saved stage into the name of a Python class by replacing
`org.apache.spark` with `pyspark`, and imports that. `org` and `org.sparkdl` are namespace packages
(no `__init__.py`), so nothing stands in the way of other packages below `org`.
"""

from __future__ import annotations

from sparkdl.transformers import (
    DeepImageFeaturizer,
    DeepImagePredictor,
    ImageClassifierModel,
    KerasImageFileTransformer,
    KerasModel,
    KerasTransformer,
    TFImageTransformer,
    TFTransformer,
)

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
