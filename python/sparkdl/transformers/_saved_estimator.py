"""Saved estimators: the params as Spark ML writes them, and a copy of the model's file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.ml.util import (
    DefaultParamsReader,
    DefaultParamsWriter,
    MLReadable,
    MLReader,
    MLWritable,
    MLWriter,
)

from sparkdl._places.held_folders import hold_new
from sparkdl._places.places import local_copy, place_of
from sparkdl._places.temporary_folders import new_folder
from sparkdl.errors import (
    InvalidModelException,
    ModelNotFoundException,
    SettingsException,
    SparkDLException,
)
from sparkdl.param.saved_function import text_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MODEL = "model"

E = TypeVar("E", bound="SavedEstimator")


class SavedEstimator(MLReadable[Any], MLWritable):
    """An estimator that is saved with the files that its params name."""

    def write(self) -> MLWriter:
        """Return a writer of the params, the model's file and the loader."""
        return EstimatorWriter(self)

    @classmethod
    def read(cls: type[E]) -> MLReader[E]:
        """Return a reader of saved estimators."""
        return EstimatorReader(cls)

    @classmethod
    def load(cls: type[E], path: str) -> E:
        """Return the estimator that was saved at a path."""
        return cls.read().load(path)


class EstimatorWriter(MLWriter):
    """Writes an estimator to a directory of any file system that Hadoop knows."""

    def __init__(self, estimator: Any) -> None:
        super().__init__()
        self._estimator = estimator

    def saveImpl(self, path: str) -> None:
        """Write the params, then the model into the directory `model`."""
        params = {p.name: v for p, v in self._estimator._paramMap.items()}
        file = params.pop("modelFile", None)
        if "imageLoader" in params:
            params["imageLoader"] = text_of(params["imageLoader"])
        _check_json(params)
        name = None if file is None else place_of(file).name
        DefaultParamsWriter.saveMetadata(
            self._estimator, path, self.sparkSession, {_MODEL: name}, params
        )
        if file is not None:
            fs, hadoop_path = _hadoop(self.sparkSession, path)
            local = local_copy(file)
            if local is None:
                raise ModelNotFoundException(f"Cannot save modelFile: there is no file {file}.")
            fs.copyFromLocalFile(
                hadoop_path(f"file:{local}"), hadoop_path(f"{path}/{_MODEL}/{name}")
            )


class EstimatorReader(MLReader[Any]):
    """Reads what `EstimatorWriter` wrote; the model is copied to a directory of this process."""

    def __init__(self, cls: Any) -> None:
        super().__init__()
        self._class = cls

    def load(self, path: str) -> Any:
        """Return the estimator in a directory."""
        try:
            metadata = DefaultParamsReader.loadMetadata(path, self.sparkSession)
            estimator = self._class()._resetUid(metadata["uid"])
            DefaultParamsReader.getAndSetParams(estimator, metadata)
            name = metadata[_MODEL]
        except SparkDLException:
            raise
        except (
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            AssertionError,
            RecursionError,
        ) as e:
            raise InvalidModelException(
                f"Cannot load the {self._class.__name__} saved at '{path}': {e}. Its metadata are "
                "damaged, or those of another stage: load it as what it was saved as, or save it "
                "again."
            ) from e
        if name is None:
            return estimator
        fs, hadoop_path = _hadoop(self.sparkSession, path)
        source = hadoop_path(f"{path}/{_MODEL}/{name}")
        if not fs.exists(source):
            raise ModelNotFoundException(
                f"The {self._class.__name__} saved at '{path}' lacks its model, {_MODEL}/{name}. "
                "Save it again."
            )
        local = new_folder("loaded") / name
        fs.copyToLocalFile(False, source, hadoop_path(f"file:{local}"), True)
        return estimator.setModelFile(hold_new(local))


def _check_json(params: dict[str, Any]) -> None:
    for name, value in params.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError) as e:
            raise SettingsException(
                f"Cannot save {name}: {e}. Only what fits into JSON can be saved: names, numbers, "
                "texts, and optimizers and losses of Keras, but no callbacks, arrays or functions. "
                f"Clear {name} before saving, and set it again after loading."
            ) from None


def _hadoop(session: SparkSession, path: str) -> tuple[Any, Any]:
    """Return the file system of a path, and Hadoop's class of paths."""
    jvm: Any = session._jvm
    hadoop_path = jvm.org.apache.hadoop.fs.Path
    conf = session.sparkContext._jsc.hadoopConfiguration()
    return hadoop_path(path).getFileSystem(conf), hadoop_path
