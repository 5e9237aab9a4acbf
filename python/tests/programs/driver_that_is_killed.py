"""A driver whose workers wait until they are ended; whoever started it kills it.

Arguments: folder into which each worker writes its process id and its own folder.
"""

import os
import sys
import time
from pathlib import Path

import sparkdl
from sparkdl._processes.workers import run_workers


def wait(worker, folder):
    """Tell that this worker is there, and stay."""
    (Path(folder) / str(worker.rank)).write_text(f"{os.getpid()} {worker.folder}\n")
    time.sleep(600)


spark = sparkdl.start(
    master="local[2]",
    app_name="driver that is killed",
    conf={"spark.ui.enabled": False, "spark.driver.host": "localhost"},
)
run_workers(spark.sparkContext, 2, wait, (sys.argv[1],), log=None)
