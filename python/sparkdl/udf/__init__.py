"""Models as functions in SQL."""

from __future__ import annotations

from sparkdl.udf.keras_image_model import registerKerasImageUDF
from sparkdl.udf.keras_tensor_model import registerKerasUDF

__all__ = ["registerKerasImageUDF", "registerKerasUDF"]
