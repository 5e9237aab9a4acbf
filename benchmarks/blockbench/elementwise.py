"""An expression of one double: 3 x^2 + sin(x) + 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from blockbench.on_spark import SparkWay


class Elementwise(SparkWay):
    """Numbers between 0 and 1."""

    def frame(self) -> Any:
        return self.ranges("id", "rand(1) AS x")

    def answer(self) -> np.ndarray:
        """Return the sums of the result in slices of the rows, to compare the ways by."""
        totals = self.result().groupBy("slice").sum("y").orderBy("slice").collect()
        return np.array([total[1] for total in totals])


class Sql(Elementwise):
    def result(self) -> Any:
        return self.rows.selectExpr("id % 100 AS slice", "3 * x * x + sin(x) + 1 AS y")


class Pandas(Elementwise):
    def result(self) -> Any:
        from pyspark.sql.functions import pandas_udf

        @pandas_udf("double")
        def expression(x: pd.Series) -> pd.Series:
            return 3 * x * x + np.sin(x) + 1

        return self.rows.selectExpr("id % 100 AS slice", "x").select(
            "slice", expression("x").alias("y")
        )


class MapBlocks(Elementwise):
    def result(self) -> Any:
        import sparkdl.tensorframes as tfs

        return tfs.map_blocks(expression, self.rows).selectExpr("id % 100 AS slice", "y")


class MapRows(Elementwise):
    def result(self) -> Any:
        import sparkdl.tensorframes as tfs

        return tfs.map_rows(expression, self.rows).selectExpr("id % 100 AS slice", "y")


def expression(x: Any) -> dict[str, Any]:
    """Return the same in TensorFlow."""
    import tensorflow as tf

    return {"y": 3.0 * x * x + tf.sin(x) + 1.0}
