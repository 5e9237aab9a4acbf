"""TensorFrames' operations beside Spark's own ways, NumPy and pandas_udf."""
