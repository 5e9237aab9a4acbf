"""Where sparkdl's jar is: in the wheel, else in the checkout that this package is in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sparkdl._version import __version__
from sparkdl.errors import SettingsException
from sparkdl.session.native_platform import native_packages
from sparkdl.session.supported_versions import supported

GROUP = "org.sparkdl"

_PACKAGE = Path(__file__).resolve().parent.parent
_WHEEL_REPOSITORY = _PACKAGE / "jars" / "m2"
_CHECKOUT = _PACKAGE.parent.parent
_TARGET = _CHECKOUT / "target"
_SPARK_CORE = re.compile(r"spark-core_([\d.]+)-(.+)\.jar")


def artifact_for(spark: str, scala: str) -> str:
    """Return the name of the jar for a version of Spark and of Scala.

    Examples
    --------
    >>> artifact_for("4.99.0", "2.13.16"), artifact_for("3.99.0", "2.12.18")
    ('sparkdl_2.13', 'sparkdl-spark3_2.12')
    """
    major, newest = (version.partition(".")[0] for version in (spark, supported("spark")[-1]))
    name = "sparkdl" if major == newest else f"sparkdl-spark{major}"
    return f"{name}_{'.'.join(scala.split('.')[:2])}"


def coordinates(artifact: str) -> str:
    """Return what `--packages` takes for a jar of this version."""
    return f"{GROUP}:{artifact}:{__version__}"


def installed_artifact() -> str:
    """Return the name of the jar for the Spark that this Python starts."""
    from pyspark import __version__ as pyspark_version
    from pyspark.find_spark_home import _find_spark_home

    home = _find_spark_home()  # type: ignore[no-untyped-call]
    names = (jar.name for jar in Path(home, "jars").glob("spark-core_*.jar"))
    for found in filter(None, map(_SPARK_CORE.fullmatch, names)):
        return artifact_for(found[2], found[1])
    scala = supported("spark3.scala" if pyspark_version.startswith("3.") else "scala")
    return artifact_for(pyspark_version, scala[0])


def submit_conf(
    artifact: str, repository: Path = _WHEEL_REPOSITORY, target: Path = _TARGET
) -> Mapping[str, str]:
    """Return the Spark settings that add the jar, as lists to be appended to the user's own.

    First the repository in the wheel, then where the checkout's build puts it. Either way with
    the native libraries of this machine.

    Raises
    ------
    SettingsException
        If neither is there.
    """
    version = _version_in(repository, artifact)
    if version is not None:
        return {
            "spark.jars.repositories": repository.as_uri(),
            "spark.jars.packages": ",".join([f"{GROUP}:{artifact}:{version}", *native_packages()]),
        }
    # Jars of other versions than the newest are those of projects of their own.
    project = artifact.partition("-")[2]
    folder, task = target / project / "jars", "devJars"
    if project:
        task = f"{project.replace('.', '')}/devJars"
    jars = sorted(folder.glob("*.jar"))
    if jars:
        return {"spark.jars": ",".join(jar.as_uri() for jar in jars)}
    raise SettingsException(
        f"sparkdl's jar {artifact} is neither in {repository} (where the wheel carries it) nor in "
        f"{folder} (where 'build/sbt {task}' puts it in a checkout). Install the wheel that "
        f"build/wheel makes, or run build/sbt {task}, or name the package yourself: "
        f"conf={{'spark.jars.packages': '{coordinates(artifact)}'}}."
    )


def _version_in(repository: Path, artifact: str) -> str | None:
    # The version in the wheel's repository ends in a hash of the jar, because Ivy never looks
    # again for a version that is in its cache (~/.ivy2.5.2), and so would keep an older build.
    poms = sorted(repository.glob(f"{GROUP.replace('.', '/')}/{artifact}/*/*.pom"))
    return poms[-1].parent.name if poms else None
