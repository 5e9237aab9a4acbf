"""Stages that take a Keras model, live or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.param import TypeConverters

from sparkdl._models.files.content import is_for_python
from sparkdl._models.live_keras import is_keras
from sparkdl._places.places import local_copy
from sparkdl.errors import SettingsException
from sparkdl.param.keyword import without_none
from sparkdl.param.tensor_stage import ModelFileParams
from sparkdl.transformers._old_methods import OldFitParams
from sparkdl.transformers._stage import ModelStage

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import SparkSession

    from sparkdl._models.live_keras import LiveModel

K = TypeVar("K", bound="KerasFileStage")


class KerasFileStage(OldFitParams, ModelStage, ModelFileParams):
    """A stage whose model is `modelFile`; files of Keras become bundles when they are needed."""

    # How Keras is to load a file. It is code and not params: a saved stage has the finished bundle.
    _custom_objects: Mapping[str, Any] | None = None
    _safe_mode: bool = True
    _verify: bool = True
    # Of a file of Keras; held as long as the stage may be used again.
    _bundle_of_file: str | None = None

    def _set(self: K, **keywords: Any) -> K:
        """Set params, and what is not one: the model, and how it is converted."""
        params = without_none(keywords)
        model = params.pop("model", None)
        self._custom_objects = params.pop("custom_objects", self._custom_objects)
        self._safe_mode = TypeConverters.toBoolean(params.pop("safe_mode", self._safe_mode))
        self._verify = TypeConverters.toBoolean(params.pop("verify", self._verify))
        if model is not None:
            if params.get("modelFile") is not None:
                raise SettingsException(
                    "model and modelFile are both set: pass a live model or the path of one."
                )
            params["modelFile"] = self._bundle(model)
        return super()._set(**params)

    def _bundle(self, model: LiveModel | str) -> str:
        from sparkdl._bundles.bundle_store import stored_bundle
        from sparkdl._models.model_ends import check_called

        if is_keras(model):
            check_called(model, "model")
        return stored_bundle(
            model,
            custom_objects=self._custom_objects,
            safe_mode=self._safe_mode,
            verify=self._verify,
        )

    def _complete_java(self, java: JavaObject, spark: SparkSession | None) -> None:
        if not self.isSet(self.modelFile):
            return
        local = local_copy(self.getModelFile())
        if local is None or is_for_python(local):
            self._bundle_of_file = self._bundle(self.getModelFile())
            java.setModelFile(self._bundle_of_file)
