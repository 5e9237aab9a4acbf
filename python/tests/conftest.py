"""One Spark session for all tests, and the shared material."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
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

# Every JVM that tests start, also from programs: they run most code a few times only, so that
# optimizing it takes half of the time otherwise, and the collector's threads take cores from tests.
JVM_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"
# Made by build/share_classes.py.
SHARED_CLASSES = CHECKOUT / "target" / "spark.jsa"
if SHARED_CLASSES.exists():
    JVM_OPTIONS += f" -XX:SharedArchiveFile={SHARED_CLASSES} -Xlog:cds=off -Xlog:cds+dynamic=off"
os.environ["SPARK_SUBMIT_OPTS"] = JVM_OPTIONS

# What this process and all that it starts write to the temporary folder: it goes with the
# process, and tests that ask what was left there do not see what other processes are doing.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="sparkdl-tests-")
tempfile.tempdir = None
atexit.register(shutil.rmtree, os.environ["TMPDIR"], ignore_errors=True)

# In the shared data.
MOBILENET_WEIGHTS = "models/mobilenet_v2_1.0_224/mobilenet_v2_1.0_224_dequantised_keras_legacy.h5"
IMAGENET_LABELS = "imagenet/imagenet_class_index.json"

# Made by build/slow_files.py, the slowest first.
SLOW = (CHECKOUT / "python" / "tests" / "slow_files.txt").read_text().split()
# Files whose tests share what is costly to make, once for each process.
TOGETHER = {"test_export": "test_named_image"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep the tests of a file in one process, with those of the files that belong to it."""
    from xdist.scheduler import LoadFileScheduling

    class ByGroup(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(super()._split_scope(nodeid))

    return ByGroup(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave the files out that take long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slow files first: no process is left alone with one of them at the end."""

    def place(item: pytest.Item) -> int:
        group = group_of(item.nodeid.split("::")[0])
        return SLOW.index(group) if group in SLOW else len(SLOW)

    items.sort(key=place)
    if config.getoption("--quick"):
        slow = [item for item in items if place(item) < len(SLOW)]
        config.hook.pytest_deselected(items=slow)
        del items[: len(slow)]


def group_of(file: str) -> str:
    return TOGETHER.get(Path(file).stem, Path(file).stem)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The session of all tests: two task slots, so that concurrency is seen, and no UI."""
    import sparkdl

    scratch = tmp_path_factory.mktemp("spark")
    session = sparkdl.start(
        master="local[2]",
        app_name="sparkdl tests",
        memory="3g",
        conf={
            "spark.sql.shuffle.partitions": 4,
            "spark.default.parallelism": 4,
            "spark.ui.enabled": False,
            # Each sort and aggregation takes a page: by default 64 MB for however few rows.
            "spark.buffer.pageSize": "256k",
            "spark.sql.warehouse.dir": str(scratch / "warehouse"),
            "spark.driver.host": "localhost",
            "spark.driver.extraJavaOptions": f"-Djava.io.tmpdir={os.environ['TMPDIR']}",
        },
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def active_session(request: pytest.FixtureRequest) -> None:
    """Make the session of all tests the active one, where tests before had sessions besides."""
    if "spark" in request.fixturenames:
        session = request.getfixturevalue("spark")
        in_jvm = getattr(type(session), "_get_j_spark_session_class", None)  # since Spark 4.0
        sessions = in_jvm(session._jvm) if in_jvm else session._jvm.SparkSession
        sessions.setActiveSession(session._jsparkSession)
        type(session)._activeSession = session


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and models: SPARKDL_SHARED_DATA, else beside the checkout."""
    given = os.environ.get("SPARKDL_SHARED_DATA")
    folder = Path(given) if given else CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared data in {folder} (SPARKDL_SHARED_DATA names another folder)")
    return folder


@pytest.fixture(scope="session")
def model_cache(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model cache with MobileNetV2, as if Keras had downloaded the weights of the shared data."""
    from sparkdl.networks.keras_export import export_named

    folder = tmp_path_factory.mktemp("cache")
    bundle, made = folder / "MobileNetV2-imagenet", CHECKOUT / "target" / "bundles" / "MobileNetV2"
    if made.is_dir():  # build/test made it
        bundle.symlink_to(made)
    else:
        weights, labels = shared_data / MOBILENET_WEIGHTS, shared_data / IMAGENET_LABELS
        export_named("MobileNetV2", bundle, str(weights), labels)
    return folder
