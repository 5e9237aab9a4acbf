"""The settings of `KerasImageFileEstimator`, and the transformer that a trial's bundle becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.param import TypeConverters

from sparkdl.param import HasKerasLoss, HasKerasModel, HasKerasOptimizer, HasLabelCol
from sparkdl.param.declaration import declare_param
from sparkdl.param.image_file import ImageFileParams

if TYPE_CHECKING:
    from sparkdl.transformers import KerasImageFileTransformer

T = TypeVar("T", bound="TrialParams")


class TrialParams(ImageFileParams, HasLabelCol, HasKerasModel, HasKerasOptimizer, HasKerasLoss):
    """The images, the model that every trial begins with, and how it is trained."""

    seed = declare_param(
        "seed",
        "For keras.utils.set_random_seed, before each trial loads the model; unset: none.",
        TypeConverters.toInt,
    )

    # Code, and the consent to run it: not params, which are saved.
    custom_objects: Mapping[str, Any] | None = None
    safe_mode: bool = True

    def getSeed(self) -> int:
        """Return the seed of every trial."""
        return self.getOrDefault(self.seed)

    def setSeed(self: T, value: int) -> T:
        """Set the seed of every trial."""
        return self._set(seed=value)

    def _transformer_of(self, bundle: str) -> KerasImageFileTransformer:
        """Return the transformer that applies a trained model to what the estimator takes."""
        from sparkdl.transformers import KerasImageFileTransformer

        transformer = self._copyValues(KerasImageFileTransformer()).setModelFile(bundle)
        transformer._keras_fit_params = self.getKerasFitParams()
        transformer.clear(transformer.seed)  # the estimator's belongs to the training
        return transformer
