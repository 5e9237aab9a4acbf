"""One Spark session for all tests, and the shared material."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

collect_ignore = ["programs"]  # test_packages submits these

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PACKAGE_FOLDER = CHECKOUT / "python"

# Workers and programs that a test starts import the same sparkdl as the test does.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(PACKAGE_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
)
os.environ["PYSPARK_PYTHON"] = sys.executable


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The session of all tests: two task slots, so that concurrency is seen, and no UI."""
    import sparkdl

    if not list((CHECKOUT / "target" / "jars").glob("*.jar")):
        pytest.fail(f"No jar in {CHECKOUT / 'target' / 'jars'}. Build it: build/sbt devJars")
    scratch = tmp_path_factory.mktemp("spark")
    session = sparkdl.start(
        master="local[2]",
        app_name="sparkdl tests",
        memory="3g",
        conf={
            "spark.sql.shuffle.partitions": 4,
            "spark.default.parallelism": 4,
            "spark.ui.enabled": False,
            "spark.sql.warehouse.dir": str(scratch / "warehouse"),
            "spark.driver.host": "localhost",
            # Tests run most code a few times only: optimizing it takes half of the time otherwise.
            "spark.driver.extraJavaOptions": (
                "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
            ),
        },
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and models: SPARKDL_SHARED_DATA, else beside the checkout."""
    given = os.environ.get("SPARKDL_SHARED_DATA")
    folder = Path(given) if given else CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder} (SPARKDL_SHARED_DATA names another folder)")
    return folder
