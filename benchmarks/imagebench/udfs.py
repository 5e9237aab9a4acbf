"""Modes (c) and (d): what people write by hand with Spark's Python UDFs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from imagebench.spark_mode import SparkMode
from imagebench.task import Task


class PredictBatchUdf(SparkMode):
    """(c) The way of Spark's documentation: decode in a pandas_udf, predict in another."""

    def with_features(self, files: Any) -> Any:
        from pyspark.ml.functions import predict_batch_udf
        from pyspark.sql.functions import pandas_udf
        from pyspark.sql.types import ArrayType, FloatType

        size, keras_file, model_name = self.task.size, self.task.keras_file, self.task.model

        @pandas_udf("array<float>")
        def pixels(contents: pd.Series) -> pd.Series:
            from PIL import Image

            def decode(content: bytes) -> np.ndarray:
                image = Image.open(io.BytesIO(content)).convert("RGB")
                image = image.resize((size, size), Image.Resampling.BOX)
                return np.asarray(image, np.float32).reshape(-1)

            return contents.map(decode)

        def make_predict() -> Any:
            import keras

            from imagebench.plain import preprocessing

            model = keras.models.load_model(keras_file, compile=False)
            prepare = preprocessing(model_name)

            def predict(batch: np.ndarray) -> np.ndarray:
                return model.predict(prepare(np.array(batch)), verbose=0)

            return predict

        features = predict_batch_udf(
            make_predict,
            return_type=ArrayType(FloatType()),
            batch_size=self.task.batch,
            input_tensor_shapes=[[size, size, 3]],
        )
        return files.withColumn("features", features(pixels("content")))


class FrozenGraphUdf(SparkMode):
    """(d) The best by hand: one pandas_udf that decodes and runs a session kept per worker."""

    def session(self) -> Any:
        spark = super().session()
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", self.task.batch)
        return spark

    def with_features(self, files: Any) -> Any:
        from pyspark.sql.functions import pandas_udf

        task = self.task

        @pandas_udf("array<float>")
        def features(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
            run = _runner(task)
            for contents in batches:
                yield pd.Series(list(run(contents)))

        return files.withColumn("features", features("content"))


@lru_cache(maxsize=1)
def _runner(task: Task) -> Any:
    """Return a function from JPEG files to features, made once per Python worker."""
    import os

    import tensorflow as tf

    from imagebench.plain import decoded, frozen_session

    threads = max(1, (os.cpu_count() or 1) // task.slots)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    session, images, output = frozen_session(task, threads)

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def decode(content: Any) -> Any:
        return decoded(content, task.size)

    def run(contents: pd.Series) -> np.ndarray:
        pixels = np.stack([decode(content).numpy() for content in contents])
        return session.run(output, {images: pixels})

    return run
