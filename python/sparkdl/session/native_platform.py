"""The machine that this runs on, and what brings TensorFlow's native library for it."""

from __future__ import annotations

import platform

from sparkdl._version import __version__
from sparkdl.session.supported_versions import supported

_SYSTEMS = {"Linux": "linux", "Darwin": "macosx"}
_MACHINES = {"AMD64": "x86_64", "aarch64": "arm64"}


def this_platform() -> str:
    """Return the name that the native libraries have for this machine: "linux-x86_64"."""
    system, machine = platform.system(), platform.machine()
    return f"{_SYSTEMS.get(system, system.lower())}-{_MACHINES.get(machine, machine)}"


def native_packages() -> list[str]:
    """Return what this machine needs beside the jar, which brings the libraries of one platform."""
    _, *others = supported("natives")
    here = this_platform()
    return [f"org.sparkdl:sparkdl-native-{here}:{__version__}"] if here in others else []
