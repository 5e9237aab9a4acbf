"""Adam for large variables without the temporary arrays of Keras', each as large as the variable.

TensorFlow's own kernel computes the same formula in place. Other optimizers, smaller variables and
sparse gradients are left to Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    import keras

LEAST_BYTES = 16 << 20


def spare_memory(optimizer: keras.optimizers.Optimizer) -> None:
    """Have an optimizer, if it is Adam or AdamW, update large variables in place."""
    import keras

    adam = type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW)
    if not adam or optimizer.amsgrad:
        return
    by_keras = optimizer.update_step

    def update_step(gradient: Any, variable: tf.Variable, rate: tf.Tensor) -> None:
        large = variable.dtype == tf.float32 and 4 * variable.shape.num_elements() >= LEAST_BYTES
        if large and isinstance(gradient, tf.Tensor):
            _update(optimizer, gradient, variable, rate)
        else:
            by_keras(gradient, variable, rate)

    optimizer.update_step = update_step


def _update(
    optimizer: keras.optimizers.Adam, gradient: tf.Tensor, variable: tf.Variable, rate: tf.Tensor
) -> None:
    place = optimizer._get_variable_index(variable)
    step = tf.cast(optimizer.iterations + 1, tf.float32)
    first, second = (tf.constant(b, tf.float32) for b in (optimizer.beta_1, optimizer.beta_2))
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[place].value.handle,
        v=optimizer._velocities[place].value.handle,
        beta1_power=tf.pow(first, step),
        beta2_power=tf.pow(second, step),
        lr=tf.cast(rate, tf.float32),
        beta1=first,
        beta2=second,
        epsilon=tf.constant(optimizer.epsilon, tf.float32),
        grad=tf.cast(gradient, tf.float32),
    )
