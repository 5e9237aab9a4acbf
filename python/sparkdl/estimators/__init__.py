"""Estimators that train Keras models, many at once.

Nothing is imported here: the processes that train import parts of this package, and not pyspark.
"""
