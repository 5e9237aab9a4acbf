"""Graphs on their way into a bundle: frozen, folded and named, with the same results as before.

The modules here import TensorFlow; nothing imports them before a model is converted.
"""
