"""The version of this package, and the versions of Spark that it is tested with."""

from __future__ import annotations

from pathlib import Path

# First and first-not version of Spark; pyproject.toml says the same to pip.
SPARK_RANGE = ("4.1", "4.2")


def _read_version() -> str:
    in_checkout = Path(__file__).resolve().parent.parent.parent / "VERSION"
    if in_checkout.is_file() and (in_checkout.parent / "build.sbt").is_file():
        return in_checkout.read_text().strip()
    from importlib.metadata import version as installed

    return installed("sparkdl")


__version__ = _read_version()


def version() -> str:
    """Return the version of sparkdl.

    Examples
    --------
    >>> version().count(".") >= 2
    True
    """
    return __version__


def spark_supported(spark_version: str) -> bool:
    """Say whether this version of Spark lies in the range that sparkdl is tested with.

    Examples
    --------
    >>> spark_supported("4.1.1"), spark_supported("4.2.0"), spark_supported("3.5.6")
    (True, False, False)
    """
    first, end = (_numbers(v) for v in SPARK_RANGE)
    return first <= _numbers(spark_version) < end


def _numbers(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)
