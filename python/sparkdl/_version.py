"""The version of this package."""

from __future__ import annotations

from pathlib import Path


def _read_version() -> str:
    in_checkout = Path(__file__).resolve().parent.parent.parent / "VERSION"
    if in_checkout.is_file() and (in_checkout.parent / "build.sbt").is_file():
        return in_checkout.read_text().strip()
    from importlib.metadata import version as installed

    return installed("sparkdl-py")


__version__ = _read_version()


def version() -> str:
    """Return the version of sparkdl.

    Examples
    --------
    >>> version().count(".") >= 2
    True
    """
    return __version__
