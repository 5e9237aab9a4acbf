"""The only module that talks to `org.sparkdl.python.Door`, the one Scala object that py4j calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sparkdl.errors import SettingsException, install_conversion
from sparkdl.session.supported_versions import either, supported

if TYPE_CHECKING:
    from py4j.java_gateway import JVMView
    from pyspark.sql import SparkSession

_DOOR = "org.sparkdl.python.Door"
# Connections to JVMs whose Java is new enough, which is asked once.
_with_java: WeakSet[Any] = WeakSet()


def door(spark: SparkSession | None = None) -> Any:
    """Return the JVM's `org.sparkdl.python.Door`.

    Parameters
    ----------
    spark : SparkSession, optional
        Default: the active session.

    Raises
    ------
    SettingsException
        If there is no session, or it was made without sparkdl's jar.
    """
    session = spark or active_session()
    jvm = _jvm_of(session)
    if jvm._gateway_client not in _with_java:
        check_java(jvm)
        _with_java.add(jvm._gateway_client)
    if not has_jar(jvm):
        raise SettingsException(_no_jar(session))
    install_conversion()
    return getattr(jvm, _DOOR)


def door_if_open() -> Any:
    """Return the same for the JVM that runs, without starting anything; None if there is none."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    jvm = None if context is None else context._jvm
    return None if jvm is None or not has_jar(jvm) else getattr(jvm, _DOOR)


def active_session() -> SparkSession:
    """Return the active session.

    Raises
    ------
    SettingsException
        If there is none.
    """
    from pyspark.sql import SparkSession

    # Spark's active session is per thread; all threads of Python share the context.
    session = SparkSession.getActiveSession()
    if session is None:
        from pyspark import SparkContext

        if SparkContext._active_spark_context is None:
            raise SettingsException(
                "There is no Spark session. Start one: import sparkdl; spark = sparkdl.start()"
            )
        session = SparkSession.builder.getOrCreate()
    return session


def has_jar(jvm: JVMView) -> bool:
    """Say whether this JVM (`spark._jvm`) has sparkdl's classes."""
    from py4j.java_gateway import JavaClass

    # py4j answers a class that does not exist with a JavaPackage.
    return isinstance(getattr(jvm, _DOOR), JavaClass)


def check_java(jvm: JVMView) -> None:
    """Refuse a Java that is too old for sparkdl's classes, which it would only call unsupported.

    Raises
    ------
    SettingsException
        With the versions to take.
    """
    tested = supported("java")
    running = str(jvm.java.lang.System.getProperty("java.specification.version"))
    if float(running) < float(tested[0]):  # Java 8 calls itself 1.8
        raise SettingsException(
            f"Spark runs on Java {running.removeprefix('1.')}, and sparkdl needs {either(tested)}, "
            "also with a Spark that runs on older ones. Set JAVA_HOME to such a JDK on the driver "
            "and for the executors (spark.executorEnv.JAVA_HOME), and start the session again."
        )


def _jvm_of(session: SparkSession) -> Any:
    jvm = getattr(session, "_jvm", None)
    if jvm is None:
        raise SettingsException(
            f"sparkdl needs a classic Spark session, got {type(session).__module__}."
            f"{type(session).__name__}: a Spark Connect client has no JVM of its own. "
            "Run the program where the driver runs (spark-submit), or unset SPARK_REMOTE."
        )
    return jvm


def _no_jar(session: SparkSession) -> str:
    from sparkdl.session.spark_jars import artifact_for, coordinates

    master = session.sparkContext.master
    scala = _jvm_of(session).scala.util.Properties.versionNumberString()
    package = coordinates(artifact_for(session.version, scala))
    return (
        f"This Spark session (master {master}) was started without sparkdl's jar: the JVM has no "
        f"class {_DOOR}. A running JVM cannot load it any more, so do one of these:\n"
        "- start the session with sparkdl: in a fresh Python process (in a notebook, restart the "
        "kernel), before anything else makes a session, spark = sparkdl.start()\n"
        f"- pass the jar to spark-submit: spark-submit --packages {package} ...\n"
        f"- set spark.jars.packages={package} in spark-defaults.conf or in the cluster's "
        "configuration"
    )
