"""Other packages of the name `sparkdl`, which hide this one or lie in the same folder."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_REMEDY = (
    "Both are imported as `sparkdl`, and which one a process gets depends on its path. Remove the "
    "other: pip uninstall sparkdl; then, if both lay in one folder, pip install --force-reinstall "
    "--no-deps sparkdl-py."
)


def mixed_in(package: Path = _PACKAGE) -> str | None:
    """Return what to say of a distribution `sparkdl` that was installed into the folder of this.

    Its files and ours are mixed there. A look at one folder: `import sparkdl` does it.
    """
    found = sorted(package.parent.glob("sparkdl-[0-9]*.dist-info"))
    if not found:
        return None
    version = found[0].name.removesuffix(".dist-info").partition("-")[2]
    return (
        f"The distribution 'sparkdl' {version}, another project, was installed into "
        f"{package.parent} too. {_REMEDY}"
    )


def elsewhere(path: Iterable[str] | None = None, package: Path = _PACKAGE) -> list[tuple[str, str]]:
    """Return the other packages `sparkdl` of the path, each with what to do about it."""
    entries = sys.path if path is None else path
    folders = [Path(entry or ".").resolve() / "sparkdl" for entry in entries]
    others = [f for f in dict.fromkeys(folders) if f != package and (f / "__init__.py").is_file()]
    return [(str(folder), _REMEDY) for folder in others]
