"""A session with the tables, functions, stages and programs that queries of plan_nodes.py use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

import sparkdl
import sparkdl.tensorframes as tfs

# For so few rows it takes longer to compile, adapt or describe a plan and start tasks than to
# run it: settings turn compiling and adapting on.
QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.files.minPartitionNum": "2",
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
SCHEMA = "k int, g int, x int"
Row = tuple[int | None, int | None, int | None]
# A few rows with nulls, some of them twice.
FILED: list[Row] = [
    (0, 1, 4),
    (1, 2, None),
    (2, 1, 7),
    (2, 1, 7),
    (None, 0, 1),
    (5, None, 3),
    (9, 2, 2),
]
LISTED: list[Row] = [(1, 1, 5), (2, 2, 9), (3, 1, None), (3, 2, 1)]
RANGED: list[Row] = [
    (i % 4, None if i % 3 == 2 else i % 3, None if i % 7 == 5 else i % 7) for i in range(9)
]
ROWS = {"ranged": RANGED, "filed": FILED, "filed_v2": FILED, "parted": FILED, "listed": LISTED}
FUNCTIONS: dict[str, Any] = {
    "line": lambda x: 2 * x + 3,
    "plane": lambda x, y: x - 2 * y + 1,
    "pair": lambda x: {"one": x + 1, "rest": 5 - x},
}


class Models:
    """The models, made once for all sessions."""

    def __init__(self, folder: Path) -> None:
        import keras

        self.folder = folder
        for name, function in FUNCTIONS.items():
            inputs = dict.fromkeys("xy" if name == "plane" else "x", ("float32", [None]))
            sparkdl.save_bundle(function, folder / "models" / name, inputs=inputs)
        self.network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        weights = [np.array([[2], [-1]], "float32"), np.array([3], "float32")]
        self.network.layers[-1].set_weights(weights)
        self.stages = {policy: self._stage(policy) for policy in ("error", "skip", "keep")}
        self.stages["reason"] = self._stage("keep", errorCol="why")

    def _stage(self, policy: str, **more: str) -> Any:
        return sparkdl.KerasTransformer(
            inputCol="a", outputCol="p", model=self.network, handleInvalid=policy, **more
        )

    def bundle(self, name: str) -> Path:
        return self.folder / "models" / name


class Programs:
    """A session of its own, which has all that queries use."""

    def __init__(self, spark: Any, models: Models, tables: Path, files: Path) -> None:
        self.spark = spark.newSession()
        self.stages = models.stages
        self.line = sparkdl.load_model(models.bundle("line"))
        self.files = files
        self.cached: list[Any] = []
        self.written: list[Path] = []
        for key, value in QUICK.items():
            self.spark.conf.set(key, value)
        self.spark.conf.set("spark.sql.catalog.plans", "org.sparkdl.sql.ModelCatalog")
        self.spark.conf.set("spark.sql.catalog.plans.path", str(models.folder / "models"))
        self._register(models)
        self._make_tables(tables)

    def cache(self, frame: Any) -> Any:
        """Cache a DataFrame until `forget`."""
        self.cached.append(frame.cache())
        return self.cached[-1]

    def write(self, frame: Any) -> Any:
        """Write a DataFrame; return its rows as they are read back. `forget` removes them."""
        path = self.files / f"written_{len(self.written)}"
        self.written.append(path)
        frame.write.parquet(str(path))
        return self.spark.read.schema(SCHEMA).parquet(str(path))

    def forget(self) -> None:
        for frame in self.cached:
            frame.unpersist()
        for path in self.written:
            shutil.rmtree(path, ignore_errors=True)
        self.cached, self.written = [], []

    def map_blocks(self, frame: Any, trim: bool = False) -> Any:
        return tfs.map_blocks(lambda x: {"y": 2 * x + 3}, frame, trim=trim)

    def map_rows(self, frame: Any, policy: str) -> Any:
        return tfs.map_rows(lambda x: {"y": x * x}, frame, handleInvalid=policy)

    def aggregate(self, frame: Any) -> Any:
        import tensorflow as tf

        return tfs.aggregate(lambda x: {"x": tf.reduce_sum(x, 0)}, frame.groupBy("g"))

    @contextmanager
    def configured(self, settings: Mapping[str, str]) -> Iterator[None]:
        """Have settings for the length of a block."""
        before = {key: self.spark.conf.get(key, None) for key in settings}
        for key, value in settings.items():
            self.spark.conf.set(key, value)
        try:
            yield
        finally:
            for key, value in before.items():
                if value is None:
                    self.spark.conf.unset(key)
                else:
                    self.spark.conf.set(key, value)

    def _register(self, models: Models) -> None:
        for name in FUNCTIONS:
            sparkdl.load_model(models.bundle(name)).register(name, self.spark)
        for name, policy in {"first_of": "error", "if_fed": "keep"}.items():
            sparkdl.registerKerasUDF(name, models.network, handle_invalid=policy, spark=self.spark)
        for name, body in {"line_in_sql": "line(a)", "plain_in_sql": "2 * a + 3"}.items():
            made = f"CREATE TEMPORARY FUNCTION {name}(a INT) RETURNS FLOAT RETURN {body}"
            self.spark.sql(made)
        self.spark.udf.register("plus_one", lambda x: None if x is None else x + 1, "int")
        self.spark.udf.register("plus_two", _adding_two())

    def _make_tables(self, files: Path) -> None:
        """Make every kind of table, and each once more as a list in one partition."""
        columns = ("int(id % 4) AS k", "int(nullif(id % 3, 2)) AS g", "int(nullif(id % 7, 5)) AS x")
        self.spark.range(0, 9, 1, 2).selectExpr(*columns).createOrReplaceTempView("ranged")
        for name, folder in {"filed": "plain", "parted": "parted", "filed_v2": "plain"}.items():
            v1 = "" if name == "filed_v2" else "parquet"
            with self.configured({"spark.sql.sources.useV1SourceList": v1}):
                read = self.spark.read.schema(SCHEMA).parquet(str(files / folder))
                read.select("k", "g", "x").createOrReplaceTempView(name)
        self._list("listed", LISTED)
        for name, rows in ROWS.items():
            self._list(f"{name}_rows", rows, "/*+ COALESCE(1) */")

    def _list(self, name: str, rows: list[Row], hint: str = "") -> None:
        listed = f"SELECT {hint} * FROM VALUES {_literals(rows)} AS v(k, g, x)"
        self.spark.sql(listed).createOrReplaceTempView(name)


def write_tables(spark: Any, folder: Path) -> None:
    """Write the files that tables of all sessions read."""
    frame = spark.createDataFrame(FILED, SCHEMA).coalesce(2)
    frame.write.parquet(str(folder / "plain"))
    frame.write.partitionBy("g").parquet(str(folder / "parted"))


def _literals(rows: list[Row]) -> str:
    typed = [", ".join(f"int({'null' if v is None else v})" for v in row) for row in rows]
    return ", ".join(f"({row})" for row in typed)


def _adding_two() -> Any:
    """Return a function on Arrow's arrays; defined here, it travels to workers by value."""

    def plus_two(numbers: pa.Array) -> pa.Array:
        return pc.add(numbers, 2)

    return F.arrow_udf(plus_two, "int")
