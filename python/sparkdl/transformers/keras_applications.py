"""The named models as Keras models, with the preprocessing that they expect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import numpy.typing as npt

from sparkdl._models.libraries import keras, tensorflow
from sparkdl._old_names import old_names_of, warn_of
from sparkdl.errors import SettingsException
from sparkdl.image.imageIO import fixColorChannelOrdering
from sparkdl.networks.model_weights import download
from sparkdl.networks.named_models import NamedModel, named_model, named_models

if TYPE_CHECKING:
    import tensorflow as tf
    from keras import KerasTensor

Pixels = Union[npt.NDArray[Any], "tf.Tensor"]


@dataclass(frozen=True)
class KerasApplicationModel:
    """A named model.

    Attributes
    ----------
    name : str
        One of `KERAS_APPLICATION_MODELS`.
    """

    name: str

    def inputShape(self) -> tuple[int, int]:
        """Return the height and width of the images that the network takes."""
        row = named_model(self.name)
        return row.height, row.width

    def preprocess(self, inputImage: Pixels) -> Pixels:
        """Prepare pixels 0..255 [..., height, width, 3] in BGR order as the network expects them.

        They are a numpy array or a tensor.
        """
        module = import_module(f"keras.applications.{_keras_name(named_model(self.name))[0]}")
        rgb = fixColorChannelOrdering("RGB", inputImage)
        is_array = isinstance(rgb, np.ndarray)
        values = rgb.astype("float32") if is_array else tensorflow().cast(rgb, "float32")
        prepared: Pixels = module.preprocess_input(values)
        return prepared

    def model(
        self,
        preprocessed: KerasTensor | None = None,
        featurize: bool = False,
        weights: str | None = "imagenet",
    ) -> Any:
        """Return the Keras model.

        Parameters
        ----------
        preprocessed : keras.KerasTensor, optional
            The input to build it on; by default its own.
        featurize : bool
            Leave out the classifier. As in 1.x the last map is the output; ResNet50's is pooled.
        weights : str or None
            "imagenet", a weights file of Keras, or None for random ones.
        """
        keras()
        row = named_model(self.name)
        module, function = _keras_name(row)
        create = getattr(import_module(f"keras.applications.{module}"), function)
        pooling = "avg" if featurize and self.name == "ResNet50" else None
        options = {"input_tensor": preprocessed} if preprocessed is not None else {}
        shape = (row.height, row.width, 3)
        create_network = partial(
            create, include_top=not featurize, input_shape=shape, pooling=pooling, **options
        )
        if weights == "imagenet":
            return download(row, lambda: create_network(weights=weights))
        return create_network(weights=weights)

    def getModelData(self, featurize: bool, weights: str | None = "imagenet") -> dict[str, Any]:
        """Return the network in a session of TensorFlow 1, which the caller closes.

        Parameters
        ----------
        featurize : bool
            As in `model`.
        weights : str or None
            As in `model`.

        Returns
        -------
        dict
            session; inputTensorName, of the pixels 0..255 [rows, height, width, 3] in BGR order;
            outputTensorName; inputTensorSize, which is (height, width); outputMode, "vector".
        """
        warn_of("getModelData", "sparkdl.save_bundle makes what runs, DeepImageFeaturizer runs it")
        from sparkdl._models.libraries import eagerly
        from sparkdl.graph.builder import GraphFunction, IsolatedSession

        with eagerly():
            network = GraphFunction.fromKeras(self.model(featurize=featurize, weights=weights))
        building = IsolatedSession()
        with building.graph.as_default():
            shape = [None, *self.inputShape(), 3]
            pixels = tensorflow().compat.v1.placeholder("float32", shape, name="image_input")
            feeds = {network.input_names[0]: self.preprocess(pixels)}
            _, outputs = building.importGraphFunction(network, feeds, prefix=self.name)
        return {
            "session": building.sess,
            "inputTensorName": pixels.name,
            "outputTensorName": outputs[0].name,
            "inputTensorSize": self.inputShape(),
            "outputMode": "vector",
        }


def _keras_name(row: NamedModel) -> tuple[str, str]:
    if row.keras is None:
        raise SettingsException(f"{row.name} comes with sparkdl and is not in keras.applications.")
    module, function = row.keras.split(".")
    return module, function


# Call a value to get the model, as with the classes of 1.x.
KERAS_APPLICATION_MODELS = {
    row.name: partial(KerasApplicationModel, row.name) for row in named_models() if row.keras
}


def getKerasApplicationModel(name: str) -> KerasApplicationModel:
    """Return a named model; an unknown name is a ValueError that lists those that exist."""
    _keras_name(named_model(name))
    return KerasApplicationModel(name)


__getattr__ = old_names_of(__name__)
