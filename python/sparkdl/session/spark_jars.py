"""Where sparkdl's jar is: in the wheel, else in the checkout that this package is in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sparkdl._version import __version__
from sparkdl.errors import SettingsException
from sparkdl.session.native_platform import native_packages

GROUP = "org.sparkdl"
ARTIFACT = "sparkdl_2.13"
COORDINATES = f"{GROUP}:{ARTIFACT}:{__version__}"

_PACKAGE = Path(__file__).resolve().parent.parent
_WHEEL_REPOSITORY = _PACKAGE / "jars" / "m2"
_CHECKOUT = _PACKAGE.parent.parent
_CHECKOUT_JARS = _CHECKOUT / "target" / "jars"


def submit_conf(
    repository: Path = _WHEEL_REPOSITORY, checkout_jars: Path = _CHECKOUT_JARS
) -> Mapping[str, str]:
    """Return the Spark settings that add the jar, as lists to be appended to the user's own.

    First the repository in the wheel, then `target/jars` of the checkout. Either way with the
    native libraries of this machine.

    Raises
    ------
    SettingsException
        If neither is there.
    """
    version = _version_in(repository)
    if version is not None:
        return {
            "spark.jars.repositories": repository.as_uri(),
            "spark.jars.packages": ",".join([f"{GROUP}:{ARTIFACT}:{version}", *native_packages()]),
        }
    jars = sorted(checkout_jars.glob("*.jar"))
    if jars:
        return {"spark.jars": ",".join(jar.as_uri() for jar in jars)}
    raise SettingsException(
        f"sparkdl's jar is neither in {repository} (where the wheel carries it) nor in "
        f"{checkout_jars} (where 'build/sbt devJars' puts it in a checkout). Install the wheel "
        "that build/wheel makes, or run build/sbt devJars."
    )


def _version_in(repository: Path) -> str | None:
    # The version in the wheel's repository ends in a hash of the jar, because Ivy never looks
    # again for a version that is in its cache (~/.ivy2.5.2), and so would keep an older build.
    poms = sorted(repository.glob(f"{GROUP.replace('.', '/')}/{ARTIFACT}/*/*.pom"))
    return poms[-1].parent.name if poms else None
