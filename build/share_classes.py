"""Writes Spark's classes, as a JVM has read them, to a file that the JVMs of tests map.

    python build/share_classes.py target/spark.jsa

It is the JDK's class data sharing: a session starts in two thirds of the time. A JVM that the file
does not fit, since its class path or its version is another, goes on without it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def main(file: Path) -> None:
    file.unlink(missing_ok=True)
    options = ("-XX:+UseSerialGC", "-Xlog:cds=off", f"-XX:ArchiveClassesAtExit={file}")
    os.environ["SPARK_SUBMIT_OPTS"] = " ".join(options)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", False)
    spark = builder.config("spark.driver.host", "localhost").getOrCreate()
    rows = spark.range(100).selectExpr("id % 3 AS k", "array(double(id)) AS a", "string(id) AS s")
    with tempfile.TemporaryDirectory() as folder:
        rows.write.parquet(f"{folder}/rows")
        read = spark.read.parquet(f"{folder}/rows").join(rows, ["k", "s"]).orderBy("s")
        read.groupBy("k").agg(F.count("s")).collect()
        read.limit(3).toPandas()
    spark.stop()
    jvm = SparkContext._gateway.proc
    SparkContext._gateway.shutdown()
    jvm.stdin.close()
    jvm.wait()


main(Path(sys.argv[1]).absolute())
