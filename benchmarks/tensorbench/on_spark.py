"""Modes (c) to (f): the rows are a cached DataFrame, so that reading costs all the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from tensorbench.task import Task


class SparkMode:
    """Caches the rows; a subclass adds the column `y`."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.spark = self.session()
        self.spark.sparkContext.setLogLevel("ERROR")
        self.rows = self.spark.read.parquet(task.file("rows.parquet")).select("id", task.column)
        self.rows.cache().count()
        self.frame = self.with_predictions(self.rows)

    def session(self) -> Any:
        """Start Spark, with sparkdl's jar in all modes, which those without it do not notice."""
        import sparkdl

        return sparkdl.start(
            master=f"local[{self.task.slots}]",
            memory=self.task.driver_memory,
            conf={"spark.ui.enabled": False, "spark.ui.showConsoleProgress": False},
        )

    def with_predictions(self, rows: Any) -> Any:
        """Return the rows with the column `y`."""
        raise NotImplementedError

    def numbers(self) -> Any:
        """Return the column as arrays, which is what Python UDFs take."""
        from pyspark.ml.functions import vector_to_array
        from pyspark.sql.functions import col

        return vector_to_array("v", "float32") if self.task.column == "v" else col("x")

    def first(self) -> None:
        self.frame.select("y").first()

    def run(self) -> None:
        # The "noop" sink takes every row and drops it.
        self.frame.select("y").write.format("noop").mode("overwrite").save()

    def predictions(self) -> np.ndarray:
        rows = self.frame.selectExpr("id", "y[0] AS y").orderBy("id").toArrow()
        found: np.ndarray = rows.column("y").to_numpy()
        return found

    def details(self) -> dict[str, Any]:
        return {}


class PredictBatchUdf(SparkMode):
    """(c) The way of Spark's documentation."""

    def with_predictions(self, rows: Any) -> Any:
        from pyspark.ml.functions import predict_batch_udf
        from pyspark.sql.types import ArrayType, FloatType

        task = self.task

        def make_predict() -> Any:
            model = _keras_model(task)
            return lambda batch: model.predict(batch, batch_size=task.batch, verbose=0)

        predict = predict_batch_udf(
            make_predict,
            return_type=ArrayType(FloatType()),
            batch_size=task.batch,
            input_tensor_shapes=[[10]],
        )
        return rows.withColumn("y", predict(self.numbers()))


class PandasUdf(SparkMode):
    """(d) A pandas_udf by hand: a batch of Arrow is a batch of the model."""

    def session(self) -> Any:
        spark = super().session()
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", self.task.batch)
        return spark

    def with_predictions(self, rows: Any) -> Any:
        from pyspark.sql.functions import pandas_udf

        task = self.task

        @pandas_udf("array<float>")
        def predict(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
            model = _keras_model(task)
            for batch in batches:
                yield pd.Series(list(model.predict_on_batch(np.stack(batch.to_numpy()))))

        return rows.withColumn("y", predict(self.numbers()))


@lru_cache(maxsize=1)
def _keras_model(task: Task) -> Any:
    import os

    import keras
    import tensorflow as tf

    # As many threads as a task has cores; more of them only wait for each other.
    tf.config.threading.set_intra_op_parallelism_threads(max(1, os.cpu_count() // task.slots))
    return keras.models.load_model(task.file("model.keras"), compile=False)


class SparkdlStage(SparkMode):
    """(e) The transformer."""

    def with_predictions(self, rows: Any) -> Any:
        from sparkdl import KerasTransformer

        column, bundle = self.task.column, self.task.file("bundle")
        stage = KerasTransformer(inputCol=column, outputCol="y", modelFile=bundle)
        if self.task.batch:
            stage.setBatchSize(self.task.batch)
        return stage.transform(rows)

    def details(self) -> dict[str, Any]:
        from imagebench.stages import operator_times

        query = self.frame.select("y")._jdf.queryExecution()
        rows = query.toRdd().count()
        times = operator_times(query.executedPlan())
        return {"nanoseconds_per_row": {n: round(v / rows, 1) for n, v in times.items()}}


class SparkdlFunction(SparkdlStage):
    """(f) The model as a SQL function."""

    def with_predictions(self, rows: Any) -> Any:
        import sparkdl

        model = sparkdl.load_model(self.task.file("bundle"))
        if self.task.batch:
            model = model.with_batch_size(self.task.batch)
        model.register("predict")
        rows.createOrReplaceTempView("numbers")
        return self.spark.sql(f"SELECT id, predict({self.task.column}) AS y FROM numbers")
