"""`start`: a Spark session that has sparkdl's jar."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sparkdl._notebook import in_notebook
from sparkdl._version import __version__
from sparkdl.errors import SettingsException
from sparkdl.session.cell_progress import follow_cells
from sparkdl.session.quiet_logs import with_quiet_logs, without_console_bar
from sparkdl.session.spark_api import error_condition
from sparkdl.session.spark_jars import GROUP, installed_artifact, submit_conf
from sparkdl.session.submit_arguments import SubmitArguments
from sparkdl.session.supported_versions import (
    SPARK_RANGE,
    either,
    spark_supported,
    spark_tested,
    supported,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MEMORY = re.compile(r"[1-9][0-9]*[kmgt]?b?", re.IGNORECASE)

_JVM_ENDED = (
    "Spark's JVM ended before it was ready; its own output above says why. Frequent causes:\n"
    f"- no JDK, or another than {either(supported('java'))} (with Spark "
    f"{supported('java.newer.spark')[0]} or newer also {either(supported('java.newer'))}): "
    "set JAVA_HOME\n"
    "- 'unresolved dependency' or 'download failed': Spark's first start fetches TensorFlow's "
    "native libraries from the Maven repositories, or takes them from ~/.ivy2.5.2; without a "
    "network, copy that folder from a machine that has them. A local Maven repository (~/.m2) that "
    "has the POM of javacpp or tensorflow-core-native but not this platform's jar makes Ivy fail "
    "too: delete these folders from ~/.m2/repository\n"
    "- more memory was requested than the machine has"
)


def start(
    master: str | None = None,
    app_name: str = "sparkdl",
    memory: str | None = None,
    conf: Mapping[str, object] | None = None,
    spark: SparkSession | None = None,
) -> SparkSession:
    """Return a Spark session that can run models: a new one, or the one that is there.

    The jar comes with this package; its native libraries (TensorFlow, 168 MB for Linux x86_64, and
    those of this machine if it is another platform) are fetched once from the Maven repositories
    that Spark uses, into Spark's Ivy cache. A JVM that already runs is used as it is, if it has the
    jar.

    Parameters
    ----------
    master : str, optional
        Spark's master, such as ``local[4]`` or ``yarn``. Default: what the environment says
        (``PYSPARK_SUBMIT_ARGS``, ``spark-defaults.conf``, spark-submit), else ``local[*]``.
    app_name : str
        The name in Spark's UI.
    memory : str, optional
        Heap of the driver, such as ``4g`` (``spark.driver.memory``). In local mode that is the
        memory of everything except TensorFlow, which allocates its own outside the heap.
    conf : mapping, optional
        Further Spark settings. Lists of jars, packages and repositories are extended.
    spark : SparkSession, optional
        Check and return this session instead of making one.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    SettingsException
        If sparkdl does not run with this version of Spark, or a JVM that already runs lacks the
        jar. A version that is newer than those that sparkdl is tested with gets a warning.

    Notes
    -----
    Sets ``PYSPARK_PYTHON`` to the running interpreter when it is unset, so that the executors
    of a local session use the same Python.

    Examples
    --------
    >>> import sparkdl
    >>> spark = sparkdl.start(master="local[2]", memory="4g")  # doctest: +SKIP
    """
    _check_pyspark()
    _check_memory(memory)
    if spark is None:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        spark = _get_or_create(master, app_name, memory, conf or {})
    _check_session(spark)
    follow_cells(spark)
    return spark


def _get_or_create(
    master: str | None, app_name: str, memory: str | None, conf: Mapping[str, object]
) -> SparkSession:
    from pyspark.sql import SparkSession

    settings = {key: _spark_text(value) for key, value in conf.items()}
    if master is not None:
        settings["spark.master"] = master
    if memory is not None:
        settings["spark.driver.memory"] = memory
    if _jvm_runs():
        _warn_about_memory(settings)
    else:
        settings = with_quiet_logs(_add_jar(settings))
        if in_notebook():
            settings = without_console_bar(settings)
    builder = SparkSession.builder.appName(app_name)
    for key, value in settings.items():
        builder = builder.config(key, value)
    return _create(builder)


def _create(builder: SparkSession.Builder) -> SparkSession:
    from pyspark.errors import PySparkRuntimeError

    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as e:
        if error_condition(e) != "JAVA_GATEWAY_EXITED":
            raise
        raise SettingsException(_JVM_ENDED) from e


def _add_jar(settings: Mapping[str, str]) -> dict[str, str]:
    """Add the jar to the lists that the user's settings and the environment may already have."""
    environment = SubmitArguments()
    packages = settings.get("spark.jars.packages") or environment.get("spark.jars.packages") or ""
    with_jar = dict(settings)
    if f"{GROUP}:sparkdl" not in packages:  # else the user has chosen another build
        for key, value in submit_conf(installed_artifact()).items():
            existing = settings.get(key) or environment.get(key)
            with_jar[key] = f"{existing},{value}" if existing else value
    environment.give_way(set(with_jar))
    return with_jar


def _jvm_runs() -> bool:
    from pyspark import SparkContext

    return SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ


def _warn_about_memory(settings: dict[str, str]) -> None:
    if settings.pop("spark.driver.memory", None) is not None:
        warnings.warn(
            "sparkdl.start(memory=...) has no effect: the driver's JVM already runs. Pass the "
            "memory to spark-submit (--driver-memory), or call start() in a fresh process.",
            stacklevel=4,
        )


def _spark_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_memory(memory: str | None) -> None:
    if memory is not None and not _MEMORY.fullmatch(memory):
        raise SettingsException(
            f"memory: expected a number and a unit, such as '4g' or '512m', got {memory!r}"
        )


def _check_pyspark() -> None:
    from pyspark import __version__ as pyspark_version

    if not spark_supported(pyspark_version):
        raise SettingsException(_wrong_version("pyspark", pyspark_version))


def _check_session(spark: SparkSession) -> None:
    from sparkdl.session.jvm_door import door

    # The JVM may come from another installation (SPARK_HOME) than the Python package.
    if not spark_supported(spark.version):
        raise SettingsException(_wrong_version("Spark", spark.version))
    if not spark_tested(spark.version):
        warnings.warn(_untested(spark.version), stacklevel=3)
    door(spark)


def _wrong_version(what: str, actual: str) -> str:
    first, end = SPARK_RANGE
    return (
        f"sparkdl {__version__} runs with Spark {first} up to, not including, {end}, but "
        f"{what} is {actual}. Install a matching one: pip install 'pyspark>={first},<{end}'"
    )


def _untested(actual: str) -> str:
    return (
        f"sparkdl {__version__} is tested with Spark {either(supported('spark'))}, and this Spark "
        f"is {actual}: what works there is not known. If something fails, use a newer sparkdl, or "
        "a Spark that it is tested with."
    )
