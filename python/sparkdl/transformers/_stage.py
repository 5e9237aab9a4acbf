"""What the stages have in common: params here, everything else in the JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.util import JavaMLReadable, JavaMLReader, JavaMLWritable
from pyspark.ml.wrapper import JavaTransformer

from sparkdl._jvm import door
from sparkdl._model_files.content import is_for_python
from sparkdl._places import local_copy
from sparkdl.named import named_model
from sparkdl.param.image_stage import ImageStageParams
from sparkdl.param.model_stage import ModelStageParams

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T = TypeVar("T", bound="ModelStage")


class ModelStage(JavaTransformer, ModelStageParams, JavaMLReadable[Any], JavaMLWritable):
    """A stage of Scala's package `org.sparkdl.ml`."""

    @classmethod
    def _java_class(cls) -> str:
        return f"org.sparkdl.ml.{cls.__name__}"

    def _create(self, **defaults: Any) -> None:
        """Make the Scala stage, and set the defaults that all stages have besides those given."""
        door()  # says what to do when there is no session, or one without the jar
        self._java_obj = self._new_java_obj(self._java_class(), self.uid)
        if self.hasParam("outputCol"):
            defaults["outputCol"] = f"{self.uid}__output"
        self._setDefault(handleInvalid="error", **defaults)

    def _resetUid(self, newUid: str) -> Any:
        super()._resetUid(newUid)
        if self.hasParam("outputCol"):
            self._setDefault(outputCol=f"{newUid}__output")
        return self

    def _complete_java(self, java: Any) -> None:
        """Give the Scala stage what only Python can make, when it is about to be used or saved."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        from pyspark.sql import DataFrame

        java = self._to_java()
        return DataFrame(java.transform(dataset._jdf), dataset.sparkSession)

    def _to_java(self) -> Any:
        java = super()._to_java()
        self._complete_java(java)
        return java

    @classmethod
    def read(cls) -> JavaMLReader[Any]:
        """Return a reader of saved stages."""
        return _StageReader(cls)


class ImageStage(ModelStage, ImageStageParams):
    """A stage that applies a network known by name to a column of images."""

    def _create(self, **defaults: Any) -> None:
        super()._create(scaleHint="SCALE_AREA_AVERAGING", weights="imagenet", **defaults)

    def _complete_java(self, java: Any) -> None:
        """Make the bundle that the JVM will look for, where Keras can make it."""
        if not self.isSet(self.modelName):
            return
        weights = self.getWeights()
        if weights == "imagenet":
            if named_model(self.getModelName()).resource:
                return
        elif not _is_weights_file(weights):
            return
        from sparkdl.model_cache import cache_place, ensure_bundle

        directory = self.getModelDir() if self.isSet(self.modelDir) else None
        if cache_place(directory).local is not None:  # else the JVM says what is missing there
            ensure_bundle(self.getModelName(), weights, directory)


class _StageReader(JavaMLReader[Any]):
    @classmethod
    def _java_loader_class(cls, clazz: Any) -> str:
        name: str = clazz._java_class()
        return name


def _is_weights_file(weights: str) -> bool:
    path = local_copy(weights)
    return path is not None and is_for_python(path)
