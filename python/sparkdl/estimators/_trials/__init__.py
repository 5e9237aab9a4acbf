"""Trials of `KerasImageFileEstimator`: one model per combination of params, one task per model."""
