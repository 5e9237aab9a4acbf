"""Runs a model on `local-cluster` while one of its executors is killed; prints one line of JSON.

Arguments: path of a model `doubled` (float32 [?] -> float32 [?]).
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import sparkdl
import sparkdl.tensorframes

spark = sparkdl.start(
    master="local-cluster[2,1,1024]",
    app_name="on a cluster",
    conf={
        "spark.ui.enabled": False,
        "spark.driver.host": "localhost",
        "spark.executor.extraJavaOptions": os.environ["SPARK_SUBMIT_OPTS"],
        # What travels needs no class that Spark does not know.
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryo.registrationRequired": True,
    },
)
sc = spark.sparkContext
sc.setLogLevel("FATAL")
sparkdl.load_model(sys.argv[1]).register("doubled")


def executors() -> list[int]:
    """Process ids of the executors of this application."""
    pattern = f"CoarseGrainedExecutorBackend.*{sc.applicationId}"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


report = sparkdl.doctor(spark)
places = sorted({f.place.split(" on ")[0] for f in report.findings})

# Partitions are slow on purpose: an executor dies in the middle of the job.
WORK = "aggregate(sequence(0, IF(id % 250 = 0, 2000000, 0)), 0L, (a, b) -> a + b % 7)"
rows = spark.range(0, 4000, 1, 8).selectExpr("id", f"CAST(id + 0 * {WORK} AS float) AS x")
before = executors()
killed: list[int] = []


def kill_one() -> None:
    time.sleep(4)
    killed.append(before[0])
    os.kill(before[0], signal.SIGKILL)


killer = threading.Thread(target=kill_one)
killer.start()
result = rows.selectExpr("id", "doubled(x) AS y").collect()
killer.join()
analyzed = sparkdl.tensorframes.analyze(rows.select("id"))
print(
    json.dumps(
        {
            "places": places,
            "healthy": report.healthy,
            "problems": [str(p) for p in report.problems],
            "executors": len(before),
            "killed": len(killed),
            "rows": len(result),
            "in_order": [r.id for r in result] == list(range(4000)),
            "analyzed": sorted(analyzed.schema["id"].metadata),
            "wrong": [r.id for r in result if r.y != 2.0 * r.id],
        }
    )
)
spark.stop()
