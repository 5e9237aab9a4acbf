"""The model of a trial that failed, which evaluators must be able to use all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparkdl._bundles.description.training_record import remember


def write_stand_in(model: Any, path: Path, failure: str) -> None:
    """Write the bundle of a model that gives zeros of the shape that the real one would give."""
    import tensorflow as tf

    from sparkdl._bundles.saving import save_bundle

    output = list(model.output_shape[1:])
    dtype = tf.as_dtype(model.outputs[0].dtype)
    zeros = tf.constant(0, dtype, shape=[1, *output])
    ones = [1] * len(output)

    def nothing(images: Any) -> Any:
        return tf.tile(zeros, [tf.shape(images)[0], *ones])

    given = {"images": tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)}
    save_bundle(nothing, path, inputs=given)
    remember(path, failure=failure)
