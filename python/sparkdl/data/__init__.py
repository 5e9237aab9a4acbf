"""Rows of a DataFrame as a `tf.data.Dataset`."""

from __future__ import annotations

from sparkdl.data.dataset import tf_dataset

__all__ = ["tf_dataset"]
