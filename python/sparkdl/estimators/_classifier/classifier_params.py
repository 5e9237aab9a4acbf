"""The settings of `ImageClassifierEstimator`, and the model that its bundle becomes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkdl._places.held_folders import hold_new
from sparkdl.estimators._classifier.base_params import BaseParams
from sparkdl.estimators._classifier.head_params import HeadParams
from sparkdl.param import HasLabelCol
from sparkdl.param.image_classifier_params import ImageClassifierParams

if TYPE_CHECKING:
    from sparkdl.transformers import ImageClassifierModel

# What the model takes over: all but the batch size, which is that of training.
_OF_MODEL = (
    "inputCol",
    "predictionCol",
    "probabilityCol",
    "predictedLabelCol",
    "scaleHint",
    "precision",
    "handleInvalid",
    "errorCol",
)


class ClassifierParams(HeadParams, BaseParams, ImageClassifierParams, HasLabelCol):
    """The images, the network, the head, and how they are trained."""

    # Code, and the consent to run it: not params, which are saved.
    custom_objects: Mapping[str, Any] | None = None
    safe_mode: bool = True

    def _model_of(self, bundle: Path) -> ImageClassifierModel:
        """Return the model that applies a bundle to what the estimator takes."""
        from sparkdl.transformers import ImageClassifierModel

        model = ImageClassifierModel(modelFile=hold_new(bundle))
        return model._set(**{n: self.getOrDefault(n) for n in _OF_MODEL if self.isDefined(n)})
