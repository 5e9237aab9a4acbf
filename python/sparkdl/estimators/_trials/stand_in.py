"""The model of a trial that failed, which evaluators must be able to use nevertheless."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sparkdl._bundles.description.training_record import remember
from sparkdl._models.model_ends import model_inputs, model_outputs

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def write_stand_in(model: keras.Model, path: Path, failure: str) -> None:
    """Write the bundle of a model that returns zeros in the shape of the real outputs."""
    import tensorflow as tf

    from sparkdl._bundles.saving import save_bundle

    [images], [output_end] = model_inputs(model), model_outputs(model)
    output = list(output_end.leaf.shape[1:])
    dtype = tf.as_dtype(output_end.leaf.dtype)
    zeros = tf.constant(0, dtype, shape=[1, *output])
    ones = [1] * len(output)

    def predict_zeros(images: tf.Tensor) -> tf.Tensor:
        return tf.tile(zeros, [tf.shape(images)[0], *ones])

    inputs = {"images": tf.TensorSpec(images.leaf.shape, images.leaf.dtype)}
    save_bundle(predict_zeros, path, inputs=inputs)
    remember(path, failure=failure)
