"""Graphs of TensorFlow: given to stages (`input`), put together (`builder`, `pieces`), `utils`.

Nothing here imports TensorFlow before a graph is made or read.
"""
