"""What the stages have in common: params here, everything else in the JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.util import JavaMLReadable, JavaMLReader, JavaMLWritable
from pyspark.ml.wrapper import JavaTransformer

from sparkdl._models.files.content import is_for_python
from sparkdl._places.places import local_copy
from sparkdl.param.image_stage import ImageStageParams
from sparkdl.param.keyword import without_none
from sparkdl.param.model_stage import ModelStageParams
from sparkdl.session.jvm_door import door

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T", bound="ModelStage")


class ModelStage(JavaTransformer, ModelStageParams, JavaMLReadable[Any], JavaMLWritable):
    """A stage of Scala's package `org.sparkdl.ml`."""

    @classmethod
    def _java_class(cls) -> str:
        return f"org.sparkdl.ml.{cls.__name__}"

    def _create(self, **defaults: Any) -> None:
        """Make the Scala stage, and set its defaults and those that all stages have."""
        door()  # says what to do when there is no session, or one without the jar
        self._java_obj = self._new_java_obj(self._java_class(), self.uid)
        if self.hasParam("outputCol"):
            defaults["outputCol"] = f"{self.uid}__output"
        self._setDefault(handleInvalid="error", **defaults)

    def _set(self: T, **keywords: Any) -> T:
        return super()._set(**without_none(keywords))

    def _resetUid(self, newUid: str) -> Any:
        super()._resetUid(newUid)
        if self.hasParam("outputCol"):
            self._setDefault(outputCol=f"{newUid}__output")
        return self

    def _complete_java(self, java: JavaObject, spark: SparkSession | None) -> None:
        """Give the Scala stage what only Python can make, when it is about to be used or saved."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        from pyspark.sql import DataFrame

        java = self._java_in(dataset.sparkSession)
        return DataFrame(java.transform(dataset._jdf), dataset.sparkSession)

    def _to_java(self) -> JavaObject:
        return self._java_in(None)

    def _java_in(self, spark: SparkSession | None) -> JavaObject:
        """Return the Scala stage, ready for a session; None means the active one."""
        java = super()._to_java()
        self._complete_java(java, spark)
        return java

    @classmethod
    def read(cls: type[T]) -> JavaMLReader[T]:
        """Return a reader of saved stages."""
        return _StageReader(cls)

    @classmethod
    def load(cls: type[T], path: str) -> T:
        """Return the stage that was saved at a path."""
        return cls.read().load(path)


class ImageStage(ModelStage, ImageStageParams):
    """A stage that applies a network known by name to a column of images."""

    def _create(self, **defaults: Any) -> None:
        super()._create(
            scaleHint="SCALE_AREA_AVERAGING", outputMode="vector", weights="imagenet", **defaults
        )

    def _complete_java(self, java: JavaObject, spark: SparkSession | None) -> None:
        """Give the Scala stage the bundle, where Keras can make it; else Scala finds it."""
        bundle = self._cached_bundle(spark) if self.isSet(self.modelName) else None
        if bundle is not None:
            java.setWeights(bundle)
        elif not self.isSet(self.weights):  # an earlier call may have set it
            java.clear(java.getParam("weights"))

    def _cached_bundle(self, spark: SparkSession | None) -> str | None:
        weights = self.getWeights()
        if weights != "imagenet" and not _is_weights_file(weights):
            return None
        from sparkdl.networks.model_cache import cache_place, ensure_bundle

        directory = self.getModelDir() if self.isSet(self.modelDir) else None
        cache = cache_place(directory, spark)
        if cache.local is None:  # the JVM reads it there, or says what is missing
            return None
        size = self.getInputSize() if self.isSet(self.inputSize) else None
        return ensure_bundle(self.getModelName(), weights, cache.local, size=size)


class _StageReader(JavaMLReader[Any]):
    @classmethod
    def _java_loader_class(cls, clazz: Any) -> str:
        name: str = clazz._java_class()
        return name


def _is_weights_file(weights: str) -> bool:
    path = local_copy(weights)
    return path is not None and is_for_python(path)
