"""Rows of small tensors through a Keras model, on Spark and without it."""
