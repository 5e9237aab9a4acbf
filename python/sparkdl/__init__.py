"""TensorFlow and Keras models on Spark DataFrames, run inside the executors' JVMs.

Examples
--------
>>> import sparkdl
>>> spark = sparkdl.start()  # doctest: +SKIP
"""

from __future__ import annotations

import warnings as _warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparkdl._submodules import submodules_of
from sparkdl._version import __version__, version
from sparkdl.session.other_packages import mixed_in as _mixed_in

if TYPE_CHECKING:
    from sparkdl import errors as errors
    from sparkdl import estimators as estimators
    from sparkdl import graph as graph
    from sparkdl import image as image
    from sparkdl import labels as labels
    from sparkdl import param as param
    from sparkdl import plot as plot
    from sparkdl import tensorframes as tensorframes
    from sparkdl import training as training
    from sparkdl import transformers as transformers
    from sparkdl import udf as udf
    from sparkdl._bundles.saving import save_bundle as save_bundle
    from sparkdl.data import tf_dataset as tf_dataset
    from sparkdl.estimators.comparison import compare_models as compare_models
    from sparkdl.estimators.image_classifier_estimator import (
        ImageClassifierEstimator as ImageClassifierEstimator,
    )
    from sparkdl.estimators.keras_image_file_estimator import (
        KerasImageFileEstimator as KerasImageFileEstimator,
    )
    from sparkdl.graph.input import TFInputGraph as TFInputGraph
    from sparkdl.image import readImages as readImages
    from sparkdl.networks.model_listing import models as models
    from sparkdl.plot.frames import show as show
    from sparkdl.session.doctor import doctor as doctor
    from sparkdl.session.spark_session import start as start
    from sparkdl.training.horovod_runner import HorovodRunner as HorovodRunner
    from sparkdl.training.keras_estimator import KerasEstimator as KerasEstimator
    from sparkdl.training.tensorflow_distributor import (
        TensorFlowDistributor as TensorFlowDistributor,
    )
    from sparkdl.transformers import DeepImageFeaturizer as DeepImageFeaturizer
    from sparkdl.transformers import DeepImagePredictor as DeepImagePredictor
    from sparkdl.transformers import ImageClassifierModel as ImageClassifierModel
    from sparkdl.transformers import KerasImageFileTransformer as KerasImageFileTransformer
    from sparkdl.transformers import KerasModel as KerasModel
    from sparkdl.transformers import KerasTransformer as KerasTransformer
    from sparkdl.transformers import TFImageTransformer as TFImageTransformer
    from sparkdl.transformers import TFTransformer as TFTransformer
    from sparkdl.transformers.utils import imageInputPlaceholder as imageInputPlaceholder
    from sparkdl.udf import registerKerasImageUDF as registerKerasImageUDF
    from sparkdl.udf import registerKerasUDF as registerKerasUDF
    from sparkdl.udf.model import Model as Model
    from sparkdl.udf.model import load_model as load_model

# Where each public name lives. They are imported at first use, so that `import sparkdl` stays
# under a second and never imports pyspark, TensorFlow or Keras.
# A submodule must not have the name of a function here: importing it would hide the function.
_EXPORTS = {
    "start": "sparkdl.session.spark_session",
    "doctor": "sparkdl.session.doctor",
    "readImages": "sparkdl.image",
    "show": "sparkdl.plot.frames",
    "DeepImageFeaturizer": "sparkdl.transformers",
    "DeepImagePredictor": "sparkdl.transformers",
    "TFTransformer": "sparkdl.transformers",
    "KerasTransformer": "sparkdl.transformers",
    "TFImageTransformer": "sparkdl.transformers",
    "KerasImageFileTransformer": "sparkdl.transformers",
    "KerasEstimator": "sparkdl.training.keras_estimator",
    "KerasModel": "sparkdl.transformers",
    "ImageClassifierModel": "sparkdl.transformers",
    "KerasImageFileEstimator": "sparkdl.estimators.keras_image_file_estimator",
    "ImageClassifierEstimator": "sparkdl.estimators.image_classifier_estimator",
    "compare_models": "sparkdl.estimators.comparison",
    "TFInputGraph": "sparkdl.graph.input",
    "imageInputPlaceholder": "sparkdl.transformers.utils",
    "load_model": "sparkdl.udf.model",
    "Model": "sparkdl.udf.model",
    "save_bundle": "sparkdl._bundles.saving",
    "models": "sparkdl.networks.model_listing",
    "tf_dataset": "sparkdl.data",
    "TensorFlowDistributor": "sparkdl.training.tensorflow_distributor",
    "HorovodRunner": "sparkdl.training.horovod_runner",
    "registerKerasImageUDF": "sparkdl.udf",
    "registerKerasUDF": "sparkdl.udf",
}

# Public modules, which `import sparkdl` makes reachable without an import of their own.
_MODULES = (
    "errors",
    "estimators",
    "graph",
    "image",
    "labels",
    "param",
    "plot",
    "tensorframes",
    "training",
    "transformers",
    "udf",
)

__all__ = ["__version__", "version", *_EXPORTS]


_submodule = submodules_of(__name__, _MODULES)

if _mixture := _mixed_in():
    _warnings.warn(_mixture, stacklevel=2)


def _find(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        return _submodule(name)
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


if not TYPE_CHECKING:  # to type checkers, any name would be there
    __getattr__ = _find


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
