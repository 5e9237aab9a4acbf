"""The versions of Spark, Java, Python, TensorFlow and Keras that sparkdl is tested with.

They stand in `resources/versions.properties`, which the build and Scala read, too. `setup.py`
runs this module before there is a package, so it imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_FILE = Path(__file__).resolve().parent.parent / "resources" / "versions.properties"


def supported(key: str) -> list[str]:
    """Return the versions of one line of the file, the oldest first.

    Examples
    --------
    >>> supported("tensorflow.java")
    ['1.1.0']
    """
    lines = (line.partition("=") for line in _FILE.read_text(encoding="utf-8").splitlines())
    return {name: versions.split() for name, _, versions in lines}[key]


def spark_supported(spark_version: str) -> bool:
    """Say whether sparkdl runs with this version of Spark: a tested one, or a newer 4.x.

    Examples
    --------
    >>> [spark_supported(version) for version in ("3.4.4", "4.0.5", "4.99.0", "5.0.0")]
    [False, True, True, False]
    """
    first, end = SPARK_RANGE
    return _numbers(first) <= _numbers(spark_version) < _numbers(end)


def spark_tested(spark_version: str) -> bool:
    """Say whether sparkdl is tested with this version of Spark.

    Examples
    --------
    >>> spark_tested(supported("spark.compiled")[0]), spark_tested("4.99.0")
    (True, False)
    """
    return _numbers(spark_version) in map(_numbers, supported("spark"))


def _next_major(minor: str) -> str:
    return f"{_numbers(minor)[0] + 1}.0"


def ends(minors: Sequence[str]) -> tuple[str, str]:
    """Return the first of these minor versions, and the first after them.

    Examples
    --------
    >>> ends(["3.10", "3.11", "3.12"])
    ('3.10', '3.13')
    """
    major, minor = _numbers(minors[-1])
    return minors[0], f"{major}.{minor + 1}"


def pip_range(minors: Sequence[str]) -> str:
    """Return these minor versions as pip writes them.

    Examples
    --------
    >>> pip_range(["3.10", "3.11"])
    '>=3.10,<3.12'
    """
    return ">={},<{}".format(*ends(minors))


def either(versions: Sequence[str]) -> str:
    """Return versions as a sentence has them.

    Examples
    --------
    >>> either(["17"]), either(["3.10", "3.11", "3.12"])
    ('17', '3.10, 3.11 or 3.12')
    """
    return " or ".join(part for part in (", ".join(versions[:-1]), versions[-1]) if part)


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


# The first version of Spark that sparkdl runs with, and the first after all of them.
SPARK_RANGE = (supported("spark")[0], _next_major(supported("spark")[-1]))
